package chat

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"iocpnetlib/bridge"
)

// tester is a *testing.T, or the *rapid.T of a property.
type tester interface {
	require.TestingT
	Fatalf(format string, arguments ...any)
}

// harness is a Server with a network that exists in words only: what it sends is kept by connection.
type harness struct {
	t          tester
	server     *Server
	logs       *observer.ObservedLogs
	sent       map[bridge.ConnectionID][]string // packets as described by describe, "closed" for a disconnect
	batch      bridge.SendBatch
	generation uint32
}

func newHarness(t tester, change ...func(*Config)) *harness {
	config := DefaultConfig()
	for _, f := range change {
		f(&config)
	}
	core, logs := observer.New(zapcore.InfoLevel)
	server, err := NewServer(config, zap.New(core))
	require.NoError(t, err)
	return &harness{t: t, server: server, logs: logs, sent: map[bridge.ConnectionID][]string{}}
}

func (h *harness) handle(message bridge.Message) {
	h.server.HandleMessage(&message, &h.batch)
	h.keepSent()
}

// keepSent empties the batch.
func (h *harness) keepSent() {
	for o := range h.batch.Operations() {
		text := "closed"
		if !o.Disconnect() {
			text = describe(h.t, o.Packet)
		}
		for _, id := range o.Receivers {
			h.sent[id] = append(h.sent[id], text)
		}
	}
	h.batch.Reset()
}

// connect opens a connection in a slot that is free.
func (h *harness) connect(slot int) bridge.ConnectionID {
	h.generation++
	id := bridge.ConnectionID(uint64(h.generation)<<32 | uint64(slot))
	h.handle(bridge.Message{ID: id, Type: bridge.MessageConnection, Data: fmt.Appendf(nil, "192.0.2.1:%d", slot)})
	return id
}

func (h *harness) close(id bridge.ConnectionID) {
	h.handle(bridge.Message{ID: id, Type: bridge.MessageClose, Reason: bridge.ClosePeerClosed})
}

func (h *harness) receive(id bridge.ConnectionID, packet []byte) {
	h.handle(bridge.Message{ID: id, Type: bridge.MessageRecv, Data: packet})
}

// take returns what was sent to a connection since the last take, one packet a word: "202:0", "207:0(bob)",
// "216:bob(hello)".
func (h *harness) take(id bridge.ConnectionID) string {
	sent := strings.Join(h.sent[id], " ")
	delete(h.sent, id)
	return sent
}

func (h *harness) login(id bridge.ConnectionID, user string) string {
	request, err := NewLoginRequest(user, "")
	require.NoError(h.t, err)
	h.receive(id, request.Append(nil))
	return h.take(id)
}

func (h *harness) enter(id bridge.ConnectionID, room int32) string {
	h.receive(id, (&RoomEnterRequest{RoomNumber: room}).Append(nil))
	return h.take(id)
}

func (h *harness) leave(id bridge.ConnectionID) string {
	h.receive(id, (&RoomLeaveRequest{}).Append(nil))
	return h.take(id)
}

// chat leaves what was sent with take: it may go to several.
func (h *harness) chat(id bridge.ConnectionID, text string) {
	request, err := NewRoomChatRequest(text)
	require.NoError(h.t, err)
	h.receive(id, request.Append(nil))
}

// user connects and logs in.
func (h *harness) user(slot int, user string) bridge.ConnectionID {
	id := h.connect(slot)
	require.Equal(h.t, "202:0", h.login(id, user))
	return id
}

// member connects, logs in and enters.
func (h *harness) member(slot int, user string, room int32) bridge.ConnectionID {
	id := h.user(slot, user)
	require.Contains(h.t, h.enter(id, room), "207:0(")
	return id
}

// describe decodes a packet of the server, which must be as the protocol wants it to the last byte.
func describe(t tester, bytes []byte) string {
	header, err := DecodeHeader(bytes)
	require.NoError(t, err)
	var again packet
	var text string
	switch header.ID {
	case LoginResponseID:
		var p LoginResponse
		require.NoError(t, p.Decode(bytes))
		again, text = &p, fmt.Sprintf("202:%d", p.Result)
	case RoomEnterResponseID:
		var p RoomEnterResponse
		require.NoError(t, p.Decode(bytes))
		rival, err := p.RivalUserID.Text()
		require.NoError(t, err)
		again, text = &p, fmt.Sprintf("207:%d(%s)", p.Result, rival)
	case RoomLeaveResponseID:
		var p RoomLeaveResponse
		require.NoError(t, p.Decode(bytes))
		again, text = &p, fmt.Sprintf("210:%d", p.Result)
	case RoomChatResponseID:
		var p RoomChatResponse
		require.NoError(t, p.Decode(bytes))
		again, text = &p, fmt.Sprintf("215:%d", p.Result)
	case RoomChatNotifyID:
		var p RoomChatNotify
		require.NoError(t, p.Decode(bytes))
		user, err := p.UserID.Text()
		require.NoError(t, err)
		message, err := p.Msg.Text()
		require.NoError(t, err)
		again, text = &p, fmt.Sprintf("216:%s(%s)", user, message)
	default:
		t.Fatalf("the server sent %v", header.ID)
	}
	// Encoding zeroes what is unused and the Type, so this finds a byte that should be 0 and is not.
	require.Equal(t, again.Append(nil), bytes)
	return text
}
