package chat

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iocpnetlib/bridge"
	"iocpnetlib/internal/chatmodel"
)

// Whatever clients send, the logic answers as the model of the protocol does. TestEveryAnswerAgreesWithTheModel of
// cmd/chatserver asks this of a whole server; without a network it is asked much more often.
func TestTheServerAgreesWithTheModel(t *testing.T) {
	const slots = 9
	limits := chatmodel.Limits{MaxPacketSize: 300, MaxUsers: 6, StartRoom: 10, MaxRooms: 3, MaxRoomUsers: 3,
		MaxUnknownPackets: 3}
	rapid.Check(t, func(t *rapid.T) {
		h := newHarness(t, func(c *Config) {
			c.MaxConnections, c.MaxUsers, c.StartRoom, c.MaxRooms = slots, limits.MaxUsers, limits.StartRoom, limits.MaxRooms
			c.MaxRoomUsers, c.MaxUnknownPackets = limits.MaxRoomUsers, limits.MaxUnknownPackets
		})
		model := chatmodel.New(limits)
		ids := make([]bridge.ConnectionID, slots)
		slot := rapid.IntRange(0, slots-1)
		packets := rapid.Custom(func(t *rapid.T) slotRequest {
			return slotRequest{slot.Draw(t, "slot"), chatmodel.Any(limits).Draw(t, "request")}
		})
		var refusals [MaxErrorCode + 1]uint64
		var ignored uint64
		receive := func(t *rapid.T, slot int, request chatmodel.Request) {
			if ids[slot] == 0 {
				ids[slot] = h.connect(slot)
				model.Connect(slot)
			}
			want := chatmodel.Answers{}
			if model.Open(slot) {
				want = model.Receive(slot, request.Bytes)
				if result := chatmodel.Result(want[slot]); result != 0 {
					refusals[result]++
				}
				if !model.Open(slot) {
					want[slot] = "closed"
				}
			} else {
				ignored++ // the connection broke the protocol before
			}
			h.receive(ids[slot], []byte(request.Bytes))
			for at, id := range ids {
				words := want[at]
				if words != "closed" && words != "" {
					words = chatmodel.Describe(words)
				}
				if got := h.take(id); got != words {
					t.Fatalf("slot %d was sent %q instead of %q", at, got, words)
				}
			}
			require.Empty(t, h.sent, "something went to a connection that has gone")
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				require.Equal(t, model.Users(), h.server.Users())
				counters := h.server.Counters()
				require.Equal(t, refusals, counters.Refusals)
				require.Equal(t, [IgnoredCount]uint64{IgnoredAfterViolation: ignored}, counters.IgnoredPackets)
			},
			"packets": func(t *rapid.T) {
				for _, p := range rapid.SliceOfN(packets, 1, 30).Draw(t, "packets") {
					receive(t, p.Slot, p.Request)
				}
			},
			"login": func(t *rapid.T) {
				receive(t, slot.Draw(t, "slot"), chatmodel.Login().Draw(t, "request"))
			},
			"enter": func(t *rapid.T) {
				receive(t, slot.Draw(t, "slot"), chatmodel.Enter(limits).Draw(t, "request"))
			},
			"unknown": func(t *rapid.T) {
				slot := slot.Draw(t, "slot")
				for range rapid.IntRange(1, limits.MaxUnknownPackets+2).Draw(t, "in a row") {
					receive(t, slot, chatmodel.Unknown(limits).Draw(t, "request"))
				}
			},
			"close": func(t *rapid.T) {
				slot := slot.Draw(t, "slot")
				if ids[slot] == 0 {
					t.Skip("nobody is there")
				}
				reason := bridge.CloseReason(rapid.IntRange(1, int(bridge.CloseReasonCount)).Draw(t, "reason"))
				h.handle(bridge.Message{ID: ids[slot], Type: bridge.MessageClose, Reason: reason})
				ids[slot] = 0
				if model.Open(slot) {
					model.Close(slot)
				}
			},
		})
	})
}

// slotRequest is a request and who sends it.
type slotRequest struct {
	Slot    int
	Request chatmodel.Request
}
