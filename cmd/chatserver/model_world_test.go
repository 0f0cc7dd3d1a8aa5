package main

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iocpnetlib/internal/chatmodel"
)

// modelWorld is a server with clients, and the model of both.
type modelWorld struct {
	t        *rapid.T
	address  string
	patience time.Duration
	model    *chatmodel.Model
	clients  [modelClients]*modelClient // nil: not connected
}

// modelClient is a client of which the model knows what it is owed.
type modelClient struct {
	*client
	unsent string // the rest of a packet whose beginning has been sent
	owed   string // what the server has to send, and settle has not compared yet
	heard  string // the part of it that has been read already
}

func (w *modelWorld) dial() *client {
	c := dial(w.t, w.address)
	require.NoError(w.t, c.conn.SetDeadline(time.Now().Add(w.patience)))
	return c
}

func (w *modelWorld) connect(at int) {
	w.clients[at] = &modelClient{client: w.dial()}
	w.model.Connect(at)
}

// owe tells the model of bytes that a client sends.
func (w *modelWorld) owe(at int, bytes string) {
	for to, packets := range w.model.Receive(at, bytes) {
		w.clients[to].owed += packets
	}
}

// send sends bytes, after the rest of a packet that was begun. The server may have closed the connection meanwhile,
// so whether that worked is for settle to find out.
func (w *modelWorld) send(at int, bytes string) {
	c := w.clients[at]
	bytes = c.unsent + bytes
	c.unsent = ""
	w.owe(at, bytes)
	_, _ = io.WriteString(c.conn, bytes)
}

// settle reads everything that a client is owed, and the end of its connection if that is owed too.
func (w *modelWorld) settle(at int) {
	c := w.clients[at]
	w.hear(c, len(c.owed)-len(c.heard))
	if c.heard != c.owed {
		w.t.Fatalf("client %d got %q, and the model says %q", at, chatmodel.Describe(c.heard),
			chatmodel.Describe(c.owed))
	}
	c.owed, c.heard = "", ""
	if !w.model.Open(at) {
		w.end(at)
	}
}

// hear reads up to size bytes more, and fewer only if no more can be had. Errors that name addresses are not told: a
// failure has to look the same when it is repeated.
func (w *modelWorld) hear(c *modelClient, size int) {
	if size <= 0 {
		return
	}
	buffer := make([]byte, size)
	n, err := io.ReadFull(c.conn, buffer)
	c.heard += string(buffer[:n])
	if broken, ok := errors.AsType[*net.OpError](err); ok {
		err = broken.Err
	}
	if err != nil {
		w.t.Fatalf("got %q of %q and then: %v", chatmodel.Describe(c.heard), chatmodel.Describe(c.owed), err)
	}
}

// hearPacket reads one packet.
func (w *modelWorld) hearPacket(c *modelClient) string {
	before := len(c.heard)
	w.hear(c, 5)
	w.hear(c, int(c.heard[before])+int(c.heard[before+1])<<8-5)
	return c.heard[before:]
}

// hearResponse reads up to the next packet that is no notify.
func (w *modelWorld) hearResponse(c *modelClient) {
	for chatmodel.ID(w.hearPacket(c)) == chatmodel.NotifyID {
	}
}

// end expects that the server closes the connection without a byte more.
func (w *modelWorld) end(at int) {
	rest, err := io.ReadAll(w.clients[at].conn)
	if len(rest) > 0 || err != nil {
		w.t.Fatalf("client %d got %q instead of an end in order (error: %t)", at, chatmodel.Describe(string(rest)),
			err != nil)
	}
	_ = w.clients[at].conn.Close()
	w.clients[at] = nil
}

// barrier is a request that is answered in every state and changes nothing but the row of unknown packets.
var barrier = enterRequest(int32(modelLimits.StartRoom) - 1)

// settleAll compares what everybody has got, and finds what somebody got and should not have. Who is in the middle of
// a packet cannot be asked, and whose unknown packets are being counted is not to be disturbed.
func (w *modelWorld) settleAll() {
	for at, c := range w.clients {
		if c != nil && !w.model.InPacket(at) && w.model.UnknownInRow(at) == 0 {
			w.send(at, barrier)
		}
	}
	for at, c := range w.clients {
		if c != nil {
			w.settle(at)
		}
	}
}

// awaitGone waits until the server has noticed that a client has gone. What the table or a room has room for is no
// help here, so somebody else becomes that user: as soon as that works, the former one is no more.
func (w *modelWorld) awaitGone(user string) {
	if user == "" {
		return // nobody can tell
	}
	c := w.dial()
	answer := make([]byte, len(loginResponse(0)))
	for string(answer) != loginResponse(0) {
		_, _ = io.WriteString(c.conn, loginRequest(user))
		_, err := io.ReadFull(c.conn, answer)
		if err != nil || string(answer) != loginResponse(0) && string(answer) != loginResponse(31) {
			w.t.Fatalf("%q has gone, and who wants to be it is told %q (error: %t)", user,
				chatmodel.Describe(string(answer)), err != nil)
		}
	}
	require.NoError(w.t, c.conn.CloseWrite())
	c.expectEnd()
}

// disconnect forgets a client that has closed its connection.
func (w *modelWorld) disconnect(at int) {
	user := w.model.User(at)
	w.model.Close(at)
	w.clients[at] = nil
	w.awaitGone(user)
}

// pick draws a client, and connects it if it is not.
func (w *modelWorld) pick(t *rapid.T) int {
	at := rapid.IntRange(0, modelClients-1).Draw(t, "client")
	if w.clients[at] == nil {
		w.connect(at)
	}
	return at
}

// pickTalker draws one of the clients that can talk, or tells that there are none. An action that cannot be done does
// nothing, so it goes first when a failure is shrunk.
func (w *modelWorld) pickTalker(t *rapid.T, can func(at int) bool) (at int, ok bool) {
	var some []int
	for at := range w.clients {
		if w.canTalk(at) && can(at) {
			some = append(some, at)
		}
	}
	if some == nil {
		return 0, false
	}
	return rapid.SampledFrom(some).Draw(t, "client"), true
}

// canTalk tells whether a client is in a room and not in the middle of a packet.
func (w *modelWorld) canTalk(at int) bool {
	return w.clients[at] != nil && w.model.InRoom(at) && !w.model.InPacket(at)
}
