package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/schedule"
)

// actionSender lets clients act when that is due, in turns.
type actionSender struct {
	timetable
	clients *mixedClients
	random  *rand.Rand
	turn    int
	lag     *latency.Recorder
	ended   chan struct{}

	request, text []byte // a chat, and its text within it
	scratch       []byte
}

func newActionSender(c *mixedClients) *actionSender {
	s := &actionSender{timetable: newTimetable(c.window.now(), c.scenario.Rate), clients: c,
		random: rand.New(rand.NewPCG(c.scenario.Seed, 0)), lag: latency.NewRecorder(c.lag), ended: make(chan struct{})}
	s.request, s.text = newMixedRequest()
	return s
}

func (s *actionSender) run() {
	defer close(s.ended)
	defer s.lag.Flush()
	pacer, release := schedule.NewPacer()
	defer release()
	w := s.clients.window
	for number := int64(0); w.waitUntil(pacer, s.due(number)); number++ {
		client := s.next(pacer)
		if client == nil {
			return
		}
		due := s.due(number)
		if w.has(due) {
			s.lag.Record(time.Duration(w.now() - due))
		}
		if err := s.act(client, due); err != nil {
			if !s.clients.stopping.cut.Load() {
				s.clients.failures.Add("%v could not send: %v", client, err)
			}
			return
		}
	}
}

// next is the next client that is not away, nil: the window has ended. Where all are away, the action is late.
func (s *actionSender) next(pacer schedule.Pacer) *mixedClient {
	w := s.clients.window
	for {
		for range s.clients.all {
			client := s.clients.all[s.turn]
			s.turn = (s.turn + 1) % len(s.clients.all)
			client.mutex.Lock()
			isAway := client.isAway
			client.mutex.Unlock()
			if !isAway {
				return client
			}
		}
		if !w.waitUntil(pacer, w.now()+moment(time.Millisecond)) {
			return nil
		}
	}
}

// act lets a client do something.
func (s *actionSender) act(client *mixedClient, due moment) error {
	c := s.clients.scenario
	chance := s.random.Float64()
	if chance < c.ReconnectShare {
		return s.reconnect(client, due)
	}
	if chance < c.ReconnectShare+c.MoveShare || client.said == mostSaid { // said is written by this goroutine only
		return s.move(client, due)
	}
	return s.chat(client, due)
}

func (s *actionSender) chat(client *mixedClient, due moment) error {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	putMixedChat(s.text, client.room, client.stay, client.said, s.clients.stopping.orderly.Load())
	client.said++
	client.chats++
	client.waiting = append(client.waiting, request{kind: chat.RoomChatResponseID})
	client.own = append(client.own, due)
	s.clients.open.Add(1)
	_, err := client.conn.Write(s.request)
	return err
}

// move lets a client leave its room and enter another one, in one write.
func (s *actionSender) move(client *mixedClient, due moment) error {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	from := client.room
	s.chooseRoom(client)
	s.scratch = (&chat.RoomLeaveRequest{}).Append(s.scratch[:0])
	s.scratch = appendEnter(s.scratch, s.clients.scenario.FirstRoom+client.room)
	client.waiting = append(client.waiting, request{kind: chat.RoomLeaveResponseID, room: from, chats: client.chats},
		request{kind: chat.RoomEnterResponseID, due: due, room: client.room, last: true})
	s.clients.open.Add(1)
	_, err := client.conn.Write(s.scratch)
	return err
}

// reconnect ends a client's side of its connection. Its goroutine makes the next one when the server has answered
// everything and ended its side, too.
func (s *actionSender) reconnect(client *mixedClient, due moment) error {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	if client.incarnation == 999_999 {
		return fmt.Errorf("it has reconnected %d times, and has no further name", client.incarnation)
	}
	from := client.room
	s.chooseRoom(client)
	client.incarnation++
	client.isAway = true
	client.waiting = append(client.waiting, request{kind: chat.LoginResponseID, room: from},
		request{kind: chat.RoomEnterResponseID, due: due, room: client.room, last: true})
	s.clients.open.Add(1)
	client.endWriting()
	return nil
}

// chooseRoom gives a client a place in any room, in the one it leaves if that has no place.
func (s *actionSender) chooseRoom(client *mixedClient) {
	room := s.random.IntN(len(s.clients.places))
	if s.clients.places[room].Load() >= int64(roomCapacity*s.clients.scenario.Members) {
		room = client.room
	}
	s.clients.places[room].Add(1)
	client.room, client.said = room, 0
	client.stay++
}
