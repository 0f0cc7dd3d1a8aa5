package stream

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// handshakes are the connections that are no Conn yet, in the order in which they came. There is a bound. A client that
// means it needs moments, so the oldest is ended to make room for one more: whoever holds places without using them
// keeps nobody out.
type handshakes struct {
	max    int
	mutex  sync.Mutex
	inTime list.List // of *handshake
	closed bool
}

// handshake is one of them.
type handshake struct {
	conn    *tcpConn
	all     *handshakes
	until   time.Time     // when it has to be over
	element *list.Element // nil when it has ended; with the mutex

	hasAsked atomic.Bool // over HTTP: a request has come, so it is there for a reason
}

// begin adds a connection, and returns the one that has to go for it, which is ended. Nil: all have ended, and conn as
// well.
func (h *handshakes) begin(conn *tcpConn, until time.Time) (added, displaced *handshake) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		conn.Abort()
		return nil, nil
	}
	if h.inTime.Len() >= h.max {
		displaced = h.inTime.Front().Value.(*handshake)
		displaced.removeLocked()
		displaced.conn.Abort()
	}
	added = &handshake{conn: conn, all: h, until: until}
	added.element = h.inTime.PushBack(added)
	return added, displaced
}

// end takes the handshake off the list and reports whether nobody else had.
func (h *handshake) end() bool {
	h.all.mutex.Lock()
	defer h.all.mutex.Unlock()
	return h.removeLocked()
}

func (h *handshake) removeLocked() bool {
	if h.element == nil {
		return false
	}
	h.all.inTime.Remove(h.element)
	h.element = nil
	return true
}

// close ends all, and those that come later.
func (h *handshakes) close() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.closed = true
	for h.inTime.Len() > 0 {
		oldest := h.inTime.Front().Value.(*handshake)
		oldest.removeLocked()
		oldest.conn.Abort()
	}
}
