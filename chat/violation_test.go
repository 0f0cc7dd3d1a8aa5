package chat

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

// resized is packet with another size, the length in its header included.
func resized(packet []byte, size int) []byte {
	out := make([]byte, size)
	copy(out, packet)
	out[0], out[1] = byte(size), byte(size>>8)
	return out
}

func TestAKnownIDWithTheWrongSizeClosesTheConnection(t *testing.T) {
	for name, request := range map[string][]byte{
		"LOGIN_REQUEST":      (&LoginRequest{UserID: name(t, "bob")}).Append(nil),
		"ROOM_ENTER_REQUEST": (&RoomEnterRequest{}).Append(nil),
		"ROOM_LEAVE_REQUEST": (&RoomLeaveRequest{}).Append(nil),
		"ROOM_CHAT_REQUEST":  (&RoomChatRequest{}).Append(nil),
	} {
		for _, size := range []int{5, len(request) - 1, len(request) + 1, 1024} {
			if size < 5 || size == len(request) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				h := newHarness(t)
				alice := h.connect(7)
				h.receive(alice, resized(request, size))
				assert.Equal(t, "closed", h.take(alice), "%d bytes", size)

				counters := h.server.Counters()
				assert.EqualValues(t, 1, counters.Violations[ViolationPacketSize])
				assert.Zero(t, counters.Violations[ViolationUnknownPackets])
				lines := h.logs.FilterLevelExact(zap.WarnLevel).All()
				require.Len(t, lines, 1, "one line")
				assert.Equal(t, map[string]any{"connection": uint64(alice), "peer": "192.0.2.1:7", "reason": "packet_size", "packet": name,
					"size": int64(size)}, lines[0].ContextMap())
			})
		}
	}
}

func TestAShortChatIsNotAnsweredWithAnOlderText(t *testing.T) {
	h := newHarness(t)
	alice, mallory := h.member(0, "alice", 0), h.member(1, "mallory", 0)
	h.chat(alice, "a secret")
	h.take(alice)
	h.take(mallory)
	h.receive(mallory, resized((&RoomChatRequest{}).Append(nil), 5))
	assert.Equal(t, "closed", h.take(mallory))
	assert.Empty(t, h.take(alice))
}

func TestAfterAViolationNothingCounts(t *testing.T) {
	h := newHarness(t)
	alice, mallory := h.member(0, "alice", 0), h.member(1, "mallory", 0)
	h.receive(mallory, resized((&RoomLeaveRequest{}).Append(nil), 6))
	assert.Equal(t, "closed", h.take(mallory))

	// What the core had already accepted may still be polled.
	assert.Empty(t, h.leave(mallory))
	h.chat(mallory, "still here?")
	h.receive(mallory, resized((&RoomLeaveRequest{}).Append(nil), 6))
	assert.Empty(t, h.take(mallory), "neither answered nor closed twice")
	assert.Empty(t, h.take(alice))
	assert.Equal(t, [IgnoredCount]uint64{IgnoredAfterViolation: 3}, h.server.Counters().IgnoredPackets)
	assert.EqualValues(t, 1, h.server.Counters().Violations[ViolationPacketSize])

	// The place and the id do not wait for the close.
	h.chat(alice, "alone")
	assert.Equal(t, "215:0 216:alice(alone)", h.take(alice))
	assert.Empty(t, h.take(mallory))
	second := h.connect(2)
	assert.Equal(t, "202:0", h.login(second, "mallory"))

	h.close(mallory)
	assert.Equal(t, "202:31", h.login(h.connect(3), "mallory"), "the close of the old one took nothing from the new")
	assert.Equal(t, "207:0(alice)", h.enter(second, 0))
}

func unknownPacket(id uint16) []byte { return []byte{5, 0, byte(id), byte(id >> 8), 0} }

func TestUnknownIDsAreDroppedAndCounted(t *testing.T) {
	h := newHarness(t)
	alice := h.connect(0)
	ids := []uint16{0, 99, 100, 200, 203, 299, 300, 1000, 1001, 65535,
		202, 207, 210, 215, 216} // the server's own packets are no requests
	for _, id := range ids {
		h.receive(alice, unknownPacket(id))
	}
	assert.Empty(t, h.take(alice))
	assert.EqualValues(t, len(ids), h.server.Counters().UnknownPackets)
	assert.Equal(t, "202:0", h.login(alice, "alice"))
	assert.Empty(t, h.logs.FilterLevelExact(zap.WarnLevel).All())
}

func TestTooManyUnknownIDsInARowCloseTheConnection(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxUnknownPackets = 3 })
	alice := h.connect(0)
	for range 5 { // not in a row
		for range 3 {
			h.receive(alice, unknownPacket(300))
		}
		assert.Equal(t, "210:71", h.leave(alice))
	}
	for range 3 {
		h.receive(alice, unknownPacket(300))
	}
	assert.Empty(t, h.take(alice))
	h.receive(alice, unknownPacket(301))
	assert.Equal(t, "closed", h.take(alice))
	counters := h.server.Counters()
	assert.EqualValues(t, 1, counters.Violations[ViolationUnknownPackets])
	assert.EqualValues(t, 19, counters.UnknownPackets)
	lines := h.logs.FilterLevelExact(zap.WarnLevel).All()
	require.Len(t, lines, 1)
	assert.Equal(t, map[string]any{"connection": uint64(alice), "peer": "192.0.2.1:0",
		"reason": "unknown_packets", "packet": "PACKET_301", "size": int64(5)}, lines[0].ContextMap())

	h.close(alice)
	next := h.connect(0)
	h.receive(next, unknownPacket(300))
	assert.Empty(t, h.take(next), "the next client of the slot starts from zero")
}

func TestNoUnknownIDsAllowed(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxUnknownPackets = 0 })
	alice := h.connect(0)
	h.receive(alice, unknownPacket(300))
	assert.Equal(t, "closed", h.take(alice))
}

func TestClosesForBrokenFramingAreCountedAndNotLoggedAgain(t *testing.T) {
	h := newHarness(t)
	for reason := range bridge.CloseReasonCount + 5 {
		id := h.member(0, "alice", 0)
		h.handle(bridge.Message{ID: id, Type: bridge.MessageClose, Reason: reason})
	}
	counters := h.server.Counters()
	assert.EqualValues(t, 1, counters.Closes[bridge.ClosePacketTooShort])
	assert.EqualValues(t, 1, counters.Closes[bridge.ClosePacketTooLong])
	assert.EqualValues(t, 6, counters.Closes[bridge.CloseNone], "an unknown reason is no index")
	assert.Empty(t, h.logs.All())
}

func TestMessagesOfAnEarlierConnectionOfTheSlot(t *testing.T) {
	h := newHarness(t)
	old := h.member(0, "old", 0)
	h.close(old)
	h.close(old) // again
	alice := h.member(0, "alice", 0)

	assert.Empty(t, h.leave(old))
	assert.Empty(t, h.login(old, "eve"))
	h.chat(old, "boo")
	h.close(old)
	assert.Empty(t, h.take(old))
	h.chat(alice, "quiet")
	assert.Equal(t, "215:0 216:alice(quiet)", h.take(alice), "the newer connection is untouched")
	assert.Equal(t, [IgnoredCount]uint64{IgnoredNoConnection: 3}, h.server.Counters().IgnoredPackets)
	assert.Nil(t, h.server.users.UserByConnection(old))
}

func TestACoreThatBreaksItsContract(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxConnections, c.MaxUsers = 2, 2 })
	alice := h.member(0, "alice", 0)

	second := h.connect(0) // the slot is taken
	assert.Equal(t, "closed", h.take(second))
	outside := h.connect(2) // there is no such slot
	assert.Equal(t, "closed", h.take(outside))
	h.handle(bridge.Message{Type: bridge.MessageConnection}) // the id that names no connection
	assert.Equal(t, "closed", h.take(0))
	assert.Len(t, h.logs.FilterLevelExact(zap.ErrorLevel).All(), 3)

	assert.Empty(t, h.leave(second))
	assert.Empty(t, h.leave(outside))
	h.close(outside)
	h.close(second)
	assert.Nil(t, h.server.users.UserByConnection(outside))
	h.receive(alice, []byte{4, 0, 201})
	assert.Equal(t, "closed", h.take(alice), "bytes without a header")
	h.handle(bridge.Message{ID: alice, Type: 77}) // a message of the future
}
