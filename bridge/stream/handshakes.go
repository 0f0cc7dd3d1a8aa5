package stream

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// handshakes are the connections that are no Conn yet. There is a bound. A client that means it needs moments, so one more
// ends the oldest: of the address that has most of them, so that whoever takes places without using them takes them from
// himself.
type handshakes struct {
	max       int
	mutex     sync.Mutex
	byAddress map[netip.Addr]*list.List // of *handshake, in the order in which they came; none is empty
	count     int
	closed    bool
}

// handshake is one of them.
type handshake struct {
	conn    *tcpConn
	all     *handshakes
	until   time.Time     // when it has to be over
	from    netip.Addr    // see network
	element *list.Element // nil when it has ended; with the mutex

	hasAsked atomic.Bool // over HTTP: a request has come, so it is there for a reason
	isTold   atomic.Bool // that it was refused
}

// network is what one client may have any number of addresses of: for IPv6 a network of 64 bits.
func network(address net.Addr) netip.Addr {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return netip.Addr{} // it has gone
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is6() {
		prefix, _ := ip.Prefix(64)
		return prefix.Addr()
	}
	return ip
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
	if h.count >= h.max {
		displaced = h.mostOfOneLocked().Front().Value.(*handshake)
		displaced.removeLocked()
		displaced.conn.Abort()
	}
	added = &handshake{conn: conn, all: h, until: until}
	added.addLocked(network(conn.RemoteAddr()))
	return added, displaced
}

// mostOfOneLocked are those of the address that has most; of several such, of the one that is at it for longest.
func (h *handshakes) mostOfOneLocked() *list.List {
	oldest := func(ofOne *list.List) time.Time { return ofOne.Front().Value.(*handshake).until }
	var most *list.List
	for _, ofOne := range h.byAddress {
		if most == nil || ofOne.Len() > most.Len() || ofOne.Len() == most.Len() && oldest(ofOne).Before(oldest(most)) {
			most = ofOne
		}
	}
	return most
}

// isFrom notes who it is, when a PROXY header has told.
func (h *handshake) isFrom(address net.Addr) {
	h.all.mutex.Lock()
	defer h.all.mutex.Unlock()
	if h.removeLocked() {
		h.addLocked(network(address))
	}
}

// end takes the handshake off the list and reports whether nobody else had.
func (h *handshake) end() bool {
	h.all.mutex.Lock()
	defer h.all.mutex.Unlock()
	return h.removeLocked()
}

func (h *handshake) addLocked(from netip.Addr) {
	h.from = from
	ofOne := h.all.byAddress[from]
	if ofOne == nil {
		ofOne = list.New()
		h.all.byAddress[from] = ofOne
	}
	h.element = ofOne.PushBack(h)
	h.all.count++
}

func (h *handshake) removeLocked() bool {
	if h.element == nil {
		return false
	}
	ofOne := h.all.byAddress[h.from]
	ofOne.Remove(h.element)
	if ofOne.Len() == 0 {
		delete(h.all.byAddress, h.from)
	}
	h.element = nil
	h.all.count--
	return true
}

// close ends all, and those that come later.
func (h *handshakes) close() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.closed = true
	for _, ofOne := range h.byAddress {
		for ofOne.Len() > 0 {
			oldest := ofOne.Front().Value.(*handshake)
			oldest.removeLocked()
			oldest.conn.Abort()
		}
	}
}
