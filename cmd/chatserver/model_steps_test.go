package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iocpnetlib/internal/chatmodel"
)

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
			end := c.conn.CloseWrite
			if rapid.Bool().Draw(t, "says nothing in TLS") { // as many clients do
				end = c.conn.TCPConn.CloseWrite
			}
			_ = end()
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
