package chat

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packet is what all packets can do.
type packet interface {
	Append(dst []byte) []byte
	Decode(packet []byte) error
}

// padded is text in a field of size bytes.
func padded(text string, size int) string { return text + strings.Repeat("\x00", size-len(text)) }

func name(t testing.TB, text string) NameField {
	field, err := NewNameField(text)
	require.NoError(t, err)
	return field
}

func message(t testing.TB, text string) MessageField {
	field, err := NewMessageField(text)
	require.NoError(t, err)
	return field
}

// goldenPacket is a packet with its encoding, written out by hand from the protocol's tables.
type goldenPacket struct {
	packet packet
	empty  packet
	size   int
	bytes  string
}

func goldenPackets(t testing.TB) map[string]goldenPacket {
	return map[string]goldenPacket{
		"LOGIN_REQUEST": {
			&LoginRequest{UserID: name(t, "앨리스"), UserPW: name(t, "secret")}, &LoginRequest{}, 47,
			"\x2f\x00\xc9\x00\x00" + padded("\xec\x95\xa8\xeb\xa6\xac\xec\x8a\xa4", 21) + padded("secret", 21),
		},
		"LOGIN_RESPONSE": {
			&LoginResponse{Result: ResultLoginUserAlready}, &LoginResponse{}, 7,
			"\x07\x00\xca\x00\x00\x1f\x00",
		},
		"ROOM_ENTER_REQUEST": {
			&RoomEnterRequest{RoomNumber: -2}, &RoomEnterRequest{}, 9,
			"\x09\x00\xce\x00\x00\xfe\xff\xff\xff",
		},
		"ROOM_ENTER_RESPONSE": {
			&RoomEnterResponse{Result: ResultEnterRoomFullUser, RivalUserID: name(t, "bob")}, &RoomEnterResponse{}, 28,
			"\x1c\x00\xcf\x00\x00\x36\x00" + padded("bob", 21),
		},
		"ROOM_LEAVE_REQUEST": {
			&RoomLeaveRequest{}, &RoomLeaveRequest{}, 5,
			"\x05\x00\xd1\x00\x00",
		},
		"ROOM_LEAVE_RESPONSE": {
			&RoomLeaveResponse{Result: ResultLeaveRoomInvalidRoomIndex}, &RoomLeaveResponse{}, 7,
			"\x07\x00\xd2\x00\x00\x47\x00",
		},
		"ROOM_CHAT_REQUEST": {
			&RoomChatRequest{Message: message(t, "안녕하세요!")}, &RoomChatRequest{}, 262,
			"\x06\x01\xd6\x00\x00" + padded("\xec\x95\x88\xeb\x85\x95\xed\x95\x98\xec\x84\xb8\xec\x9a\x94!", 257),
		},
		"ROOM_CHAT_RESPONSE": {
			&RoomChatResponse{Result: ResultRoomTooManyPacket}, &RoomChatResponse{}, 7,
			"\x07\x00\xd7\x00\x00\x3f\x00",
		},
		"ROOM_CHAT_NOTIFY": {
			&RoomChatNotify{UserID: name(t, "alice"), Msg: message(t, "hi")}, &RoomChatNotify{}, 283,
			"\x1b\x01\xd8\x00\x00" + padded("alice", 21) + padded("hi", 257),
		},
	}
}

func TestEveryPacketIsEncodedAsTheProtocolSays(t *testing.T) {
	golden := goldenPackets(t)
	require.Len(t, golden, len(packetKinds), "a packet is missing here")
	for name, g := range golden {
		t.Run(name, func(t *testing.T) {
			require.Len(t, g.bytes, g.size)
			assert.Equal(t, []byte(g.bytes), g.packet.Append(nil))
			assert.Equal(t, []byte("before"+g.bytes), g.packet.Append([]byte("before")), "Append must append")

			header, err := DecodeHeader([]byte(g.bytes))
			require.NoError(t, err)
			assert.Equal(t, name, header.ID.String())

			require.NoError(t, g.empty.Decode([]byte(g.bytes)))
			assert.Equal(t, g.packet, g.empty)
		})
	}
}

func TestDecodeTakesExactlyOneWholePacket(t *testing.T) {
	for name, g := range goldenPackets(t) {
		t.Run(name, func(t *testing.T) {
			for size := range g.size + 2 {
				bytes := append([]byte(g.bytes), 0)[:size]
				if size == g.size {
					continue
				}
				assert.ErrorIs(t, g.empty.Decode(bytes), ErrPacketShape, "%d bytes", size)
			}

			lying := []byte(g.bytes)
			lying[0]++
			assert.ErrorIs(t, g.empty.Decode(lying), ErrPacketShape, "a length that is not the packet's")

			other := []byte(g.bytes)
			other[2]++
			assert.ErrorIs(t, g.empty.Decode(other), ErrPacketShape, "the id of another packet")

			typed := []byte(g.bytes)
			typed[4] = 0xcc
			assert.NoError(t, g.empty.Decode(typed), "Type is not read")
		})
	}
}

func TestWhatStandsBehindTheTerminatorIsNotSentOn(t *testing.T) {
	dirty := (&RoomChatRequest{}).Append(nil)
	copy(dirty[5:], "hello\x00the text of another")
	var request RoomChatRequest
	require.NoError(t, request.Decode(dirty))

	encoded := (&RoomChatNotify{UserID: name(t, "a"), Msg: request.Message}).Append(nil)
	assert.Equal(t, padded("hello", 257), string(encoded[26:]))
}

func TestAnEncodedTextAlwaysEnds(t *testing.T) {
	full := (&RoomChatRequest{}).Append(nil)
	copy(full[5:], bytes.Repeat([]byte{'x'}, 257))
	var request RoomChatRequest
	require.NoError(t, request.Decode(full))

	encoded := request.Append(nil)
	assert.Len(t, encoded, 262)
	assert.Equal(t, byte(0), encoded[261])
}

func TestNamesOfPacketsAndResults(t *testing.T) {
	assert.Equal(t, "PACKET_300", PacketID(300).String())
	assert.Equal(t, "ERROR_99", ErrorCode(99).String())
	assert.Equal(t, "ENTER_ROOM_NOT_FINDE_USER", ErrorCode(51).String())
	assert.Equal(t, "ROOM", StateRoom.String())
	assert.Equal(t, "STATE_9", State(9).String())
	assert.Equal(t, "unknown_packets", ViolationUnknownPackets.String())
	assert.Equal(t, "violation_9", Violation(9).String())
	assert.Equal(t, "after_violation", IgnoredAfterViolation.String())
	assert.Equal(t, "ignored_9", Ignored(9).String())

	// The numbers of the protocol's table.
	for code, name := range map[ErrorCode]string{
		0: "NONE", 11: "USER_MGR_INVALID_USER_INDEX", 12: "USER_MGR_INVALID_USER_UNIQUEID", 31: "LOGIN_USER_ALREADY",
		32: "LOGIN_USER_USED_ALL_OBJ", 41: "NEW_ROOM_USED_ALL_OBJ", 42: "NEW_ROOM_FAIL_ENTER",
		51: "ENTER_ROOM_NOT_FINDE_USER", 52: "ENTER_ROOM_INVALID_USER_STATUS", 53: "ENTER_ROOM_NOT_USED_STATUS",
		54: "ENTER_ROOM_FULL_USER", 61: "ROOM_INVALID_INDEX", 62: "ROOM_NOT_USED", 63: "ROOM_TOO_MANY_PACKET",
		71: "LEAVE_ROOM_INVALID_ROOM_INDEX", 81: "CHAT_ROOM_INVALID_ROOM_NUMBER",
	} {
		assert.Equal(t, name, code.String())
		assert.LessOrEqual(t, code, MaxErrorCode)
	}
}
