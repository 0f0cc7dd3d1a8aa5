package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iocpnetlib/internal/chatmodel"
)

// A real server on every core is compared with the model of the protocol: clients come, send anything in any state and
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
	var broken *net.OpError
	if errors.As(err, &broken) {
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

// one is an action in which a client sends one packet.
func (w *modelWorld) one(request *rapid.Generator[chatmodel.Request]) func(*rapid.T) {
	return func(t *rapid.T) {
		at := w.pick(t)
		w.send(at, request.Draw(t, "request").Bytes)
		w.settle(at)
	}
}

// someRequests draws several packets in a row.
func someRequests(t *rapid.T, least, most int) string {
	return chatmodel.Joined(rapid.SliceOfN(chatmodel.Any(modelLimits), least, most).Draw(t, "requests"))
}

func (w *modelWorld) actions() map[string]func(*rapid.T) {
	come := func(t *rapid.T) {
		at := w.pick(t)
		w.send(at, chatmodel.Login().Draw(t, "login").Bytes+chatmodel.Enter(modelLimits).Draw(t, "enter").Bytes)
		w.settle(at)
	}
	return map[string]func(*rapid.T){
		"": func(*rapid.T) { w.settleAll() },

		"connect": func(t *rapid.T) { w.pick(t) },
		"come":    come,
		// Much of what can be done needs rooms with members, and chance alone rarely fills one.
		"crowd into a room": func(t *rapid.T) {
			room := rapid.IntRange(0, modelLimits.MaxRooms-1).Draw(t, "room")
			for range rapid.IntRange(2, modelClients).Draw(t, "clients") {
				at := w.pick(t)
				w.send(at, loginRequest(fmt.Sprintf("guest %d", at))+enterRequest(int32(modelLimits.StartRoom+room)))
				w.settle(at)
			}
		},

		"log in": w.one(chatmodel.Login()),
		"enter":  w.one(chatmodel.Enter(modelLimits)),
		"leave":  w.one(chatmodel.Leave()),
		"chat":   w.one(chatmodel.Chat()),
		"send unknown packets": func(t *rapid.T) {
			at := w.pick(t)
			w.send(at, chatmodel.Joined(rapid.SliceOfN(chatmodel.Unknown(modelLimits), 1,
				modelLimits.MaxUnknownPackets+1).Draw(t, "requests")))
			w.settle(at)
		},
		"break the protocol": func(t *rapid.T) {
			at := w.pick(t)
			before := someRequests(t, 0, 3)
			w.send(at, before+rapid.OneOf(chatmodel.BrokenLength(modelLimits), chatmodel.WrongSize(modelLimits)).
				Draw(t, "violation").Bytes+someRequests(t, 0, 2))
			w.settle(at)
		},
		"send many packets at once": func(t *rapid.T) {
			at := w.pick(t)
			w.send(at, someRequests(t, 2, 20))
			w.settle(at)
		},
		"send packets in pieces": w.sendInPieces,
		// The rest comes with whatever the client sends next.
		"send half a packet": func(t *rapid.T) {
			at := w.pick(t)
			packet := chatmodel.Any(modelLimits).Draw(t, "request").Bytes
			cut := rapid.IntRange(1, len(packet)-1).Draw(t, "cut")
			w.send(at, packet[:cut])
			if w.model.Open(at) {
				w.clients[at].unsent = packet[cut:]
			}
			w.settle(at)
		},
		"talk at once":   w.talkAtOnce,
		"ask at once":    w.askAtOnce,
		"go":             w.goAway,
		"chat and reset": w.chatAndReset,
	}
}

// sendInPieces cuts packets anywhere. Between the pieces the others are asked, which gives each piece the time to
// arrive alone.
func (w *modelWorld) sendInPieces(t *rapid.T) {
	at := w.pick(t)
	bytes := someRequests(t, 1, 5)
	cuts := rapid.SliceOfN(rapid.IntRange(0, len(bytes)), 1, 6).Draw(t, "cuts")
	slices.Sort(cuts)
	sent := 0
	for _, cut := range append(cuts, len(bytes)) {
		w.send(at, bytes[sent:cut])
		sent = cut
		w.settle(at)
		if !w.model.Open(at) {
			return
		}
		for other, c := range w.clients {
			if other != at && c != nil && !w.model.InPacket(other) && w.model.UnknownInRow(other) == 0 {
				w.send(other, barrier)
				w.settle(other)
				break
			}
		}
	}
}

// sendAtOnce lets clients send at the same time.
func (w *modelWorld) sendAtOnce(bytes map[int]string) {
	var group sync.WaitGroup
	for at, bytes := range bytes {
		conn := w.clients[at].conn
		group.Go(func() { _, _ = io.WriteString(conn, bytes) })
	}
	group.Wait()
}

// talkAtOnce lets all members of a room send chats at the same time. In which order the server takes them is left to
// it, but it has to be the same for every member: the order that one of them heard tells the model all the rest.
func (w *modelWorld) talkAtOnce(t *rapid.T) {
	var talkers []int
	first, ok := w.pickTalker(t, func(int) bool { return true })
	if !ok {
		return
	}
	for _, at := range w.model.Members(w.model.Room(first)) {
		if w.canTalk(at) {
			talkers = append(talkers, at)
		}
	}
	chats := map[string][]string{} // of each user, in order
	speeches := map[int]string{}
	for _, at := range talkers {
		user := w.model.User(at)
		for i := range rapid.IntRange(1, 10).Draw(t, "chats") {
			chats[user] = append(chats[user], chatRequest(fmt.Sprintf("%s: %d", user, i)))
		}
		speeches[at] = strings.Join(chats[user], "")
	}
	w.sendAtOnce(speeches)
	for _, at := range talkers {
		for range chats[w.model.User(at)] {
			w.hearResponse(w.clients[at])
		}
	}
	// All has been handled, so one answer more is behind all notifies.
	listener := w.clients[talkers[0]]
	_, _ = io.WriteString(listener.conn, barrier)
	w.hearResponse(listener)

	slots := map[string]int{}
	for _, at := range talkers {
		slots[w.model.User(at)] = at
	}
	for rest := listener.heard; rest != ""; {
		packet := chatmodel.First(rest)
		rest = rest[len(packet):]
		if chatmodel.ID(packet) != chatmodel.NotifyID {
			continue
		}
		user := chatmodel.NotifyUser(packet)
		if len(chats[user]) == 0 {
			t.Fatalf("there is one chat of %q too many: %q", user, chatmodel.Describe(listener.heard))
		}
		w.owe(slots[user], chats[user][0])
		chats[user] = chats[user][1:]
	}
	for _, at := range talkers { // what nobody has heard
		w.owe(at, strings.Join(chats[w.model.User(at)], ""))
	}
	w.owe(talkers[0], barrier)
}

// askAtOnce lets some clients send one request each at the same time. There must be an order of these requests in
// which the model gives the answers that came. Entering is left out: who came first into a room may show much later.
func (w *modelWorld) askAtOnce(t *rapid.T) {
	var askers []int
	for at, c := range w.clients {
		if c != nil && !w.model.InPacket(at) && len(askers) < 4 {
			askers = append(askers, at)
		}
	}
	if len(askers) < 2 {
		return
	}
	requests := map[int]string{}
	for _, at := range askers {
		requests[at] = rapid.OneOf(chatmodel.Login(), chatmodel.Chat(), chatmodel.Leave()).Draw(t, "request").Bytes
	}
	w.sendAtOnce(requests)
	for _, at := range askers {
		w.hearResponse(w.clients[at])
	}
	for _, at := range askers {
		_, _ = io.WriteString(w.clients[at].conn, barrier)
		w.hearResponse(w.clients[at])
	}
	heard := map[int]string{}
	for _, at := range askers {
		heard[at] = w.clients[at].heard
	}
	for order := range permutations(askers) {
		model, answers := w.model.Clone(), chatmodel.Answers{}
		for _, at := range order {
			answers.Add(model.Receive(at, requests[at]))
		}
		for _, at := range askers {
			answers.Add(model.Receive(at, barrier))
		}
		if !slices.ContainsFunc(askers, func(at int) bool { return answers[at] != heard[at] }) {
			w.model = model
			for at, packets := range answers {
				w.clients[at].owed += packets
			}
			return
		}
	}
	var all []string
	for _, at := range askers {
		all = append(all, fmt.Sprintf("client %d got %q", at, chatmodel.Describe(heard[at])))
	}
	t.Fatalf("in no order of the requests the model says that %s", strings.Join(all, ", "))
}

// permutations yields all orders of a list.
func permutations(list []int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		var place func(n int) bool
		list := slices.Clone(list)
		place = func(n int) bool {
			if n == len(list) {
				return yield(list)
			}
			for i := n; i < len(list); i++ {
				list[n], list[i] = list[i], list[n]
				if !place(n + 1) {
					return false
				}
				list[n], list[i] = list[i], list[n]
			}
			return true
		}
		place(0)
	}
}

// goAway ends a connection in one of the ways that a client has.
func (w *modelWorld) goAway(t *rapid.T) {
	at := w.pick(t)
	c := w.clients[at]
	switch rapid.SampledFrom([]string{"end of sending", "close", "reset"}).Draw(t, "way") {
	case "end of sending": // before any answer is read
		// Without a request the packet that was begun stays as it is.
		if bytes := someRequests(t, 0, 5); bytes != "" {
			w.send(at, bytes)
		}
		if w.model.Open(at) {
			_ = c.conn.CloseWrite()
			w.model.Close(at)
		}
		w.settle(at)
	case "reset":
		require.NoError(t, c.conn.SetLinger(0))
		fallthrough
	case "close":
		_ = c.conn.Close()
		w.disconnect(at)
	}
}

// chatAndReset lets a member say something and reset its connection at once. How much of that the server still gets is
// left to chance, but all other members hear the same of it, and nothing once the member has gone.
func (w *modelWorld) chatAndReset(t *rapid.T) {
	// One of the others is asked what was heard.
	witness := func(at int) int {
		for _, other := range w.model.Members(w.model.Room(at)) {
			if other != at && w.canTalk(other) {
				return other
			}
		}
		return -1
	}
	at, ok := w.pickTalker(t, func(at int) bool { return witness(at) >= 0 })
	if !ok {
		return
	}
	asked := witness(at)
	listener := w.clients[asked]

	var chats []string
	for i := range rapid.IntRange(1, 5).Draw(t, "chats") {
		chats = append(chats, chatRequest(fmt.Sprintf("last words %d", i)))
	}
	conn := w.clients[at].conn
	_, _ = io.WriteString(conn, strings.Join(chats, ""))
	require.NoError(t, conn.SetLinger(0))
	_ = conn.Close()
	w.awaitGone(w.model.User(at))

	_, _ = io.WriteString(listener.conn, barrier)
	handled := 0
	for chatmodel.ID(w.hearPacket(listener)) == chatmodel.NotifyID {
		handled++
	}
	if handled > len(chats) {
		t.Fatalf("%d chats were sent, and heard was %q", len(chats), chatmodel.Describe(listener.heard))
	}
	w.owe(at, strings.Join(chats[:handled], ""))
	w.owe(asked, barrier)
	w.model.Close(at)
	w.clients[at] = nil
	w.settle(asked)
}

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

func TestEveryAnswerAgreesWithTheModel(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		var server *serverProcess
		failed := false
		rapid.Check(t, func(check *rapid.T) {
			// The server is used again as long as it does what it should, for it holds nothing of clients that are
			// gone. After a failure, and in the search for its shortest cause, every attempt gets a new one.
			if server == nil {
				server = startServer(t, core,
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
