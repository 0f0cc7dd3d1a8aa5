package chat

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// FuzzDecode gives every decoder bytes that somebody made up: it may refuse them, but what it takes must survive
// being encoded and decoded again.
func FuzzDecode(f *testing.F) {
	for _, g := range goldenPackets(f) {
		f.Add([]byte(g.bytes))
	}
	f.Add([]byte{})
	f.Add([]byte{5, 0, 201, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, pair := range [][2]packet{
			{&LoginRequest{}, &LoginRequest{}}, {&LoginResponse{}, &LoginResponse{}},
			{&RoomEnterRequest{}, &RoomEnterRequest{}}, {&RoomEnterResponse{}, &RoomEnterResponse{}},
			{&RoomLeaveRequest{}, &RoomLeaveRequest{}}, {&RoomLeaveResponse{}, &RoomLeaveResponse{}},
			{&RoomChatRequest{}, &RoomChatRequest{}}, {&RoomChatResponse{}, &RoomChatResponse{}},
			{&RoomChatNotify{}, &RoomChatNotify{}},
		} {
			if pair[0].Decode(data) != nil {
				continue
			}
			encoded := pair[0].Append(nil)
			require.Len(t, encoded, len(data))
			require.Equal(t, data[:4], encoded[:4])
			require.NoError(t, pair[1].Decode(encoded))
			require.Equal(t, encoded, pair[1].Append(nil))
		}
	})
}

// FuzzFieldText: no text comes out of a field that was not checked.
func FuzzFieldText(f *testing.F) {
	f.Add([]byte("alice\x00"))
	f.Add([]byte("앨리스\x00rubbish"))
	f.Add([]byte("unterminated"))
	f.Add([]byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, field []byte) {
		text, err := fieldText(field)
		if err != nil {
			require.Nil(t, text)
			return
		}
		require.True(t, utf8.Valid(text))
		require.NotContains(t, text, byte(0))
		require.True(t, bytes.HasPrefix(field, append(bytes.Clone(text), 0)))
	})
}

// FuzzServer sends a stream of made-up packets to a server with two members in a room. Whatever they are, the answers
// are packets of the protocol, and the other member still gets what is said.
func FuzzServer(f *testing.F) {
	var session []byte
	for _, g := range goldenPackets(f) {
		f.Add([]byte(g.bytes))
		session = append(session, g.bytes...)
	}
	f.Add(session)
	f.Add(badChat("\xff"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		h := newHarness(t)
		alice, bob := h.member(0, "alice", 0), h.member(1, "bob", 0)
		for len(stream) >= bridge.HeaderLength {
			size := int(stream[0]) | int(stream[1])<<8
			if size < bridge.HeaderLength || size > len(stream) {
				break
			}
			h.receive(bob, stream[:size]) // describe checks what comes back
			stream = stream[size:]
		}
		h.take(alice)
		h.chat(alice, "well?")
		require.Equal(t, "215:0 216:alice(well?)", h.take(alice))
	})
}
