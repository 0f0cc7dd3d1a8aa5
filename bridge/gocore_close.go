package bridge

import (
	"time"
)

// lingerTime is how long what the client still sends is read away at the end: long enough for a client that hears of
// the end to end too, short enough that one which does not care holds up nobody.
const lingerTime = time.Second

// close takes the connection down, after its Close was queued. The reader.
//
// Logic gets its time first: answers that it sends to the last packets are still accepted. When it has given the Close
// back, what is queued is sent, then the sending side is shut, and what the client still sends is read away until it
// ends too: a socket that is closed with unread bytes in it resets the connection, and the reset would take the last
// answers from the client. CloseTimeout bounds all of that together.
func (c *goConn) close(reason CloseReason) {
	c.waitFor(func() bool { return c.taken || c.stopped || c.broken })
	if c.startDraining() {
		if c.writerDone != nil {
			<-c.writerDone
		}
		c.linger(reason)
	}
	c.mu.Lock()
	broken := c.broken
	c.mu.Unlock()
	if broken {
		// Cut off: the peer is to see that something is missing, and the system is not to keep megabytes for a client
		// that does not read them.
		c.socket.Abort()
	} else {
		_ = c.socket.Close()
	}
	if c.writerDone != nil {
		<-c.writerDone
	}
	// The slot is logic's until it has given the Close back.
	c.waitFor(func() bool { return c.taken || c.stopped })
	s := c.server
	c.mu.Lock()
	s.counters.bytesDiscarded.Add(uint64(c.queued))
	c.pending = nil
	c.mu.Unlock()
	slot := c.id.Index() - s.firstSlot
	s.slots[slot].Store(nil)
	s.freeSlot(slot)
}

// waitFor waits until done, which runs with the lock. Whoever changes something that it looks at calls wakeReader.
func (c *goConn) waitFor(done func() bool) {
	for {
		c.mu.Lock()
		isDone := done()
		c.mu.Unlock()
		if isDone {
			return
		}
		<-c.resume
	}
}

// startDraining makes the writer end when all is written or the time is over. False: the socket is of no use any more.
func (c *goConn) startDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return false
	}
	c.draining = true
	if !c.stopped {
		c.deadline = time.Now().Add(c.server.config.CloseTimeout)
	}
	if c.writable != nil {
		_ = c.socket.SetWriteDeadline(c.deadline)
		c.writable.Signal()
	}
	return true
}

// linger tells the client that nothing more comes, and reads away what the client still sends, until it ends or the time is over.
func (c *goConn) linger(reason CloseReason) {
	if reason == ClosePeerClosed {
		return // it has ended already
	}
	c.mu.Lock()
	inTime := !c.broken && time.Now().Before(c.deadline)
	if inTime {
		c.lingers = true
		if end := time.Now().Add(lingerTime); end.Before(c.deadline) {
			c.deadline = end
		}
		_ = c.socket.SetReadDeadline(c.deadline)
	}
	c.mu.Unlock()
	if inTime {
		c.socket.Finish(endingOf(reason), func(bytes int) {
			c.server.counters.bytesReceived.Add(uint64(bytes))
			c.server.counters.bytesReceivedDiscarded.Add(uint64(bytes))
		})
	}
}
