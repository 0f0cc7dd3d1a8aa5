package bridge

import (
	"sync"
	"sync/atomic"
	"time"

	"iocpnetlib/bridge/stream"
)

// longAgo is a deadline that makes a call that waits on a socket return.
var longAgo = time.Unix(1, 0)

// goConn is one connection, from accept until its slot is free. It is never used again for another connection, so a
// pointer to it is safe to keep; a goroutine that comes late finds sendsEnd set.
//
// Its life: open → ended (reason is set; what was received is delivered, then Close) → taken (logic gave the Close
// back: what is queued is sent, bounded) → gone. What logic sends to an ended connection before it has taken the Close
// is still sent: a client that asks and half-closes gets its answer.
type goConn struct {
	server *goServer
	id     ConnectionID
	peer   string
	socket stream.Conn

	// resume wakes the reader where it waits for something other than the socket; it then looks what has changed.
	resume chan struct{} // capacity 1

	lent   atomic.Int64 // bytes of packets that are queued for logic or lent to it
	paused atomic.Bool  // the reader waits for lent to shrink

	// With the queue's lock:
	inLine  bool // for the message pool
	granted int  // of the message pool, not used yet

	// The reader's:
	in            recvBuffer
	rate          rateMeter
	throttled     bool      // it was, once, which is logged once
	hasSentPacket bool      // a whole one
	isKnown       bool      // its first bytes are no PROXY header
	cause         error     // what the stream says about the end; nil: the reason is all
	lastPacket    time.Time // when it was delivered; before the first: the accept. Kept if there are timeouts

	mu       sync.Mutex
	reason   CloseReason // first come; not CloseNone: the receive side has ended, or is to end
	sendsEnd bool        // payloads are dropped
	broken   bool        // the socket is of no more use: what is queued is discarded
	// logicClosed: logic has disconnected it, given the Close back, or sent more than fits.
	logicClosed bool
	taken       bool      // logic gave the Close back
	stopped     bool      // Stop: nothing more is delivered, deadline holds
	draining    bool      // the writer ends when nothing is queued
	lingers     bool      // the reader reads the rest away
	deadline    time.Time // for the socket's last writes and reads; set when draining or stopped

	// Sending, see gocore_write.go.
	pending    *sendBuffer // nil when nothing is queued
	queued     int         // bytes that were not yet offered to the system
	writerIdle bool
	writable   *sync.Cond    // the writer waits; nil until the first payload
	writerDone chan struct{} // closed by the writer; nil until the first payload
}

func newGoConn(server *goServer, id ConnectionID, socket stream.Conn) *goConn {
	c := &goConn{
		server: server,
		id:     id,
		peer:   peerText(socket.RemoteAddr()),
		socket: socket,
		resume: make(chan struct{}, 1),
	}
	if resumer, ok := socket.(stream.Resumer); ok {
		resumer.ResumeReads(func() bool { return c.checkSilence() == CloseNone })
	}
	return c
}

// wakeReader makes the reader look again at what it waits for.
func (c *goConn) wakeReader() {
	select {
	case c.resume <- struct{}{}:
	default:
	}
}

// giveBack: logic has given back packets of so many bytes. The goroutine inside Poll.
func (c *goConn) giveBack(bytes int) {
	c.lent.Add(int64(-bytes))
	if c.paused.Load() {
		c.wakeReader()
	}
}

// end ends the receive side with a reason, unless it has ended already, and returns the reason that holds. Any
// goroutine.
func (c *goConn) end(reason CloseReason) CloseReason {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(reason)
	return c.reason
}

func (c *goConn) endLocked(reason CloseReason) {
	if c.reason == CloseNone {
		c.reason = reason
		_ = c.socket.SetReadDeadline(longAgo)
		c.wakeReader()
	}
}

// breakLocked gives the socket up: what is queued is not sent any more. With the lock.
func (c *goConn) breakLocked(reason CloseReason) {
	c.endLocked(reason)
	c.sendsEnd = true
	if c.broken {
		return
	}
	c.broken = true
	_ = c.socket.SetDeadline(longAgo)
	if c.writable != nil {
		c.writable.Signal()
	}
	c.wakeReader()
}

// disconnect is what logic's Disconnect does.
func (c *goConn) disconnect() {
	c.mu.Lock()
	c.sendsEnd, c.logicClosed = true, true
	c.endLocked(CloseLogic)
	c.mu.Unlock()
}

// closeTaken: logic has given the Close back. The goroutine inside Poll.
func (c *goConn) closeTaken() {
	c.mu.Lock()
	c.taken = true
	c.sendsEnd, c.logicClosed = true, true
	c.mu.Unlock()
	c.wakeReader()
}

// stop is Stop for one connection: whatever state it is in, it sends what is queued until the deadline and ends.
func (c *goConn) stop(deadline time.Time) {
	c.mu.Lock()
	c.endLocked(CloseServerStop)
	c.sendsEnd = true
	c.stopped = true
	if !c.broken {
		if !c.draining || deadline.Before(c.deadline) {
			c.deadline = deadline
		}
		_ = c.socket.SetWriteDeadline(c.deadline)
		if c.lingers {
			_ = c.socket.SetReadDeadline(c.deadline)
		}
	}
	c.mu.Unlock()
	c.wakeReader()
}

// endReason is why the receive side has ended, CloseNone if it has not.
func (c *goConn) endReason() CloseReason {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// dropsRest reports that packets which were received and are not queued yet are not wanted any more: logic wants no
// more of the client, or the server is stopped. In every other case what the client sent before the end counts.
func (c *goConn) dropsRest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped || c.reason == CloseLogic || c.reason == CloseSendBufferFull
}
