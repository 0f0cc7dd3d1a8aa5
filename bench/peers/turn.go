package main

// client is a connection as the service sees it.
type client struct {
	out  *buffer // what this turn has for it; nil: nothing
	gone bool    // nothing is sent to it any more
	user user

	// How its output leaves: exactly one is set.
	socket *socket
	loop   *loopConn
}

// turn collects what the messages that are handled together lead to, so that each connection needs one write. One
// goroutine at a time.
type turn struct {
	dirty []*client // that have output, each once
}

// send adds bytes to the output of a client. They are copied.
func (t *turn) send(to *client, bytes []byte) {
	if to.gone {
		return
	}
	if to.out == nil {
		to.out = takeBuffer()
		t.dirty = append(t.dirty, to)
	}
	to.out.data = append(to.out.data, bytes...)
}

// flush hands every output to write, which owns it from then on.
func (t *turn) flush(write func(to *client, out *buffer)) {
	for _, to := range t.dirty {
		out := to.out
		to.out = nil
		write(to, out)
	}
	clear(t.dirty)
	t.dirty = t.dirty[:0]
}

// service is the work: what messages lead to. One goroutine at a time.
type service interface {
	// handle handles one packet. False: the client is to be disconnected.
	handle(from *client, packet []byte) bool
	// closed is called after the last packet of a client.
	closed(client *client)
}

// newService makes the service and tells its largest packet.
func newService(isChat bool, t *turn) (service, int) {
	if isChat {
		return newChat(t), maxChatPacketSize
	}
	return &echo{t}, maxEchoPacketSize
}

// echo sends every packet back.
type echo struct{ turn *turn }

func (e *echo) handle(from *client, packet []byte) bool {
	e.turn.send(from, packet)
	return true
}

func (e *echo) closed(*client) {}
