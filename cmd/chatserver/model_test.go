package main

import (
	"flag"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iocpnetlib/internal/chatmodel"
)

// A real server behind every door is compared with the model of the protocol: clients come, send anything in any state and
// in any pieces, and go in every way that there is, and every byte that the server sends must be the model's.
//
// Nothing here waits for time to pass. What orders the steps is what the protocol promises:
//   - the answers on a connection come in the order of its requests;
//   - once a request is answered, every notify that it causes comes before the answer to any later request;
//   - once a client has seen the server close its connection, the user has gone;
//   - a client that just goes is gone some time later, and the id that can be used again tells when.

// modelLimits are narrow, so that few clients suffice to reach them.
var modelLimits = chatmodel.Limits{MaxPacketSize: 1024, MaxUsers: 5, StartRoom: 10, MaxRooms: 2, MaxRoomUsers: 3,
	MaxUnknownPackets: 3}

const modelClients = 7

// endAll takes all clients away, and with them all that the server knows, and compares once more what came until the
// very end.
func (w *modelWorld) endAll() {
	for at, c := range w.clients {
		if c != nil {
			require.NoError(w.t, c.conn.CloseWrite())
			w.model.Close(at)
			w.settle(at)
		}
	}
}

// stopServer ends the clients by a stop of the server, whatever state they are in: in the middle of a packet, with
// unknown packets behind them, in a room or not even logged in.
func (w *modelWorld) stopServer(server *serverProcess) {
	// Who is still waiting to be accepted when the server stops is reset by the system. Clients are accepted in the order
	// in which they connect, so when this one has its answer no other one is waiting.
	last := w.dial()
	last.do(leaveRequest(), leaveResponse(71))
	require.NoError(w.t, last.conn.Close())
	server.interrupt()
	for at, c := range w.clients {
		if c != nil {
			w.model.Close(at)
			w.settle(at)
		}
	}
	if code := server.exitCode(patience); code != 0 {
		w.t.Fatalf("the server ended with exit code %d", code)
	}
}

// doorShare is the share of the random sequences that other doors get: their clients come and go a lot, and each time
// that costs several times what it does on plain TCP.
const doorShare = 5

// checkLess gives the properties of a test fewer random sequences.
func checkLess(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	count, err := strconv.Atoi(before)
	require.NoError(t, err)
	require.NoError(t, checks.Value.Set(strconv.Itoa(max(count/doorShare, 1))))
	t.Cleanup(func() { assert.NoError(t, checks.Value.Set(before)) })
}

func TestEveryAnswerAgreesWithTheModel(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		if !d.kind.IsPlain() {
			checkLess(t)
		}
		var server *serverProcess
		failed := false
		rapid.Check(t, func(check *rapid.T) {
			// The server is used again as long as it does what it should, for it holds nothing of clients that are
			// gone. After a failure, and in the search for its shortest cause, every attempt gets a new one.
			if server == nil {
				server = d.start(t,
					"--max-packet-size", fmt.Sprint(modelLimits.MaxPacketSize),
					"--max-users", fmt.Sprint(modelLimits.MaxUsers),
					"--start-room", fmt.Sprint(modelLimits.StartRoom),
					"--max-rooms", fmt.Sprint(modelLimits.MaxRooms),
					"--max-room-users", fmt.Sprint(modelLimits.MaxRoomUsers),
					"--max-unknown-packets", fmt.Sprint(modelLimits.MaxUnknownPackets))
			}
			w := &modelWorld{t: check, address: server.address(), patience: patience, model: chatmodel.New(modelLimits)}
			if failed {
				w.patience = patience / 60 // what is missing will not come, and the search has much to try
			}
			passed := false
			defer func() {
				if !passed {
					failed = true
					server.abandon()
					server = nil
				}
			}()
			check.Repeat(w.actions())
			if rapid.SampledFrom([]string{"", "", "", "", "", "", "", "", "", "stop"}).Draw(check, "end") == "stop" {
				w.stopServer(server)
				server = nil
			} else {
				w.endAll()
			}
			passed = true
		})
		if server != nil {
			server.interrupt()
			server.wait(patience)
			summary := server.summary()
			t.Logf("the last server: %v logins, %v chats; refused: %v; violations: %v; closed: %v", summary["logins"],
				summary["chats"], summary["requests_refused"], summary["violations"], summary["closed"])
		}
	})
}
