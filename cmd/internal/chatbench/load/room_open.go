package load

import (
	"time"

	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/schedule"
)

// chatSender lets members talk when that is due, in turns: member 0 of every room, then member 1 of every room, and so
// on.
type chatSender struct {
	timetable
	clients *roomClients
	lag     *latency.Recorder
	ended   chan struct{}
}

func newChatSender(c *roomClients) *chatSender {
	return &chatSender{timetable: newTimetable(c.window.now(), c.scenario.Rate), clients: c,
		lag: latency.NewRecorder(c.lag), ended: make(chan struct{})}
}

func (s *chatSender) start() { go s.run() }

// wait waits until the sender has ended, which it does by itself at the end of the window.
func (s *chatSender) wait() { <-s.ended }

// due is when a member has to say a chat.
func (s *chatSender) due(room, member int, number int64) moment {
	turn := number*int64(s.clients.scenario.Members) + int64(member)
	return s.timetable.due(turn*int64(len(s.clients.rooms)) + int64(room))
}

func (s *chatSender) run() {
	defer close(s.ended)
	defer s.lag.Flush()
	pacer, release := schedule.NewPacer()
	defer release()
	w := s.clients.window
	for number := int64(0); ; number++ {
		room := s.clients.rooms[number%int64(len(s.clients.rooms))]
		due := s.timetable.due(number)
		if !w.waitUntil(pacer, due) {
			return
		}
		if behind := room.said.Load() - room.finished.Load(); behind >= openOrder {
			s.clients.failures.Add("the server cannot bear this rate: in room %d, %d chats wait for their notifies",
				room.number, behind)
			return
		}
		if w.has(due) {
			s.lag.Record(time.Duration(w.now() - due))
		}
		if err := room.begin(1); err != nil {
			if !s.clients.stopping.cut.Load() {
				s.clients.failures.Add("%v", err)
			}
			return
		}
	}
}
