package load

import (
	"time"

	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/schedule"
)

// mostBurst is how many bytes a sender that is late puts into one write at most.
const mostBurst = 32 << 10

// echoSender sends the packets of all clients when they are due, in turns: number 0 of every client, then number 1 of
// every client, and so on.
type echoSender struct {
	timetable
	clients *echoClients
	burst   []byte
	lag     *latency.Recorder
	ended   chan struct{}
}

func newEchoSender(c *echoClients) *echoSender {
	size := c.scenario.Size
	return &echoSender{timetable: newTimetable(c.window.now(), c.scenario.Rate), clients: c,
		burst: echoPackets(size, max(1, mostBurst/size)), lag: latency.NewRecorder(c.lag), ended: make(chan struct{})}
}

func (s *echoSender) start() { go s.run() }

// wait waits until the sender has ended, which it does by itself at the end of the window.
func (s *echoSender) wait() { <-s.ended }

// due is when a packet of a client has to be sent.
func (s *echoSender) due(number int64, client int) moment {
	return s.timetable.due(number*int64(len(s.clients.all)) + int64(client))
}

func (s *echoSender) run() {
	defer close(s.ended)
	defer s.lag.Flush()
	pacer, release := schedule.NewPacer()
	defer release()
	w := s.clients.window
	count, size := int64(len(s.clients.all)), s.clients.scenario.Size
	for number := int64(0); ; {
		// A sender that is late by whole rounds sends what each client missed in one write.
		rounds := max(1, min(s.dueBy(w.now())/count-number, int64(len(s.burst)/size)))
		for _, client := range s.clients.all {
			if !w.waitUntil(pacer, s.due(number, client.index)) {
				return
			}
			if err := s.send(client, number, int(rounds)); err != nil {
				if !s.clients.stopping.cut.Load() {
					s.clients.failures.Add("client %d could not send: %v", client.index, err)
				}
				return
			}
		}
		number += rounds
	}
}

func (s *echoSender) send(client *echoClient, number int64, count int) error {
	size := s.clients.scenario.Size
	w := s.clients.window
	now := w.now()
	for i := range count {
		putEchoNumber(s.burst[i*size:], client.index, number+int64(i))
		if due := s.due(number+int64(i), client.index); w.has(due) {
			s.lag.Record(time.Duration(now - due))
		}
	}
	client.sent.Store(number + int64(count)) // the first may be back before Write returns
	_, err := client.conn.Write(s.burst[:count*size])
	return err
}
