package main

import "sync"

// event is something that the logic goroutine is to handle.
type event struct {
	from *client
	// packets are complete ones, one after the other; the logic owns the buffer. nil: the client is gone.
	packets *buffer
}

// logic is the one goroutine that handles every message, and the queue before it.
type logic struct {
	mutex  sync.Mutex
	queued []event
	wake   chan struct{} // has an entry if queued may have become non-empty
}

func newLogic() *logic { return &logic{wake: make(chan struct{}, 1)} }

// push queues an event. Any goroutine.
func (l *logic) push(e event) {
	l.mutex.Lock()
	l.queued = append(l.queued, e)
	isFirst := len(l.queued) == 1
	l.mutex.Unlock()
	if isFirst { // otherwise the logic has been woken, and has not taken them yet
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// take waits for events and gives all of them; spare is the memory for the next ones.
func (l *logic) take(spare []event) []event {
	for {
		l.mutex.Lock()
		if len(l.queued) > 0 {
			events := l.queued
			l.queued = spare
			l.mutex.Unlock()
			return events
		}
		l.mutex.Unlock()
		<-l.wake
	}
}

// run handles events for as long as the process runs.
func (l *logic) run(isChat bool, write func(to *client, out *buffer), disconnect func(*client)) {
	t := &turn{}
	work, _ := newService(isChat, t)
	var spare []event
	var gone []*client
	for {
		events := l.take(spare)
		for _, e := range events {
			if e.packets == nil {
				e.from.gone = true
				work.closed(e.from)
				gone = append(gone, e.from)
				continue
			}
			if !handleAll(work, e.from, e.packets.data) {
				disconnect(e.from)
			}
			e.packets.release()
		}
		t.flush(write)
		for _, c := range gone { // they got what their last messages led to
			disconnect(c)
		}
		clear(gone)
		gone = gone[:0]
		clear(events)
		spare = events[:0]
	}
}

// handleAll handles the packets that data consists of. False: the client is to be disconnected.
func handleAll(work service, from *client, data []byte) bool {
	return eachPacket(data, func(packet []byte) bool { return work.handle(from, packet) })
}
