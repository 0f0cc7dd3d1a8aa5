package bridge

import (
	"errors"
	"os"
	"sync"
)

// A send buffer that grew beyond this is left to the garbage collector, so that a burst does not stay in memory. It is
// also the most that one write takes: what it has written makes room for more payloads at once.
const maxIdleSendBuffer = 64 << 10

// sendBuffer has payloads that wait to be written. A connection has one only while something waits; idle connections
// have none.
type sendBuffer struct {
	bytes []byte
}

// queueSend queues a payload, whole or not at all. It returns whether the writer is to be woken, which the caller does
// with wakeWriter after it has queued all it has: then the writer writes it all at once.
func (c *goConn) queueSend(payload []byte) (wakes bool) {
	s := c.server
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sendsEnd {
		drop := SendDropNotConnected
		if c.broken && !c.logicClosed {
			drop = SendDropBroken
		}
		s.counters.sendsDropped[drop].Add(1)
		return false
	}
	if len(payload) > s.config.SendBufferSize-c.queued {
		s.counters.sendsDropped[SendDropBufferFull].Add(1)
		c.logicClosed = true
		c.breakLocked(CloseSendBufferFull)
		return false
	}
	if c.pending == nil {
		c.pending = s.sendBuffer.Get().(*sendBuffer)
	}
	c.pending.bytes = append(c.pending.bytes, payload...)
	c.queued += len(payload)
	if s.counters.sendBufferHighWater.Load() < uint64(c.queued) {
		s.counters.sendBufferHighWater.Store(uint64(c.queued))
	}
	s.counters.packetsSent.Add(1)
	if c.writable == nil {
		c.writable = sync.NewCond(&c.mu)
		c.writerDone = make(chan struct{})
		c.writerIdle = true
		// The reader of this connection has not ended, because sendsEnd is not set: the group is not empty.
		s.goroutines.Add(1)
		go c.writeLoop()
	}
	wakes = c.writerIdle
	c.writerIdle = false
	return wakes
}

func (c *goConn) wakeWriter() {
	c.mu.Lock()
	c.writable.Signal()
	c.mu.Unlock()
}

// writeLoop is the writer: it writes whatever is queued, until the connection breaks or is drained.
func (c *goConn) writeLoop() {
	defer c.server.goroutines.Done()
	defer close(c.writerDone)
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.broken {
		if c.pending == nil {
			if c.draining {
				return
			}
			c.writerIdle = true
			c.writable.Wait()
			continue
		}
		buffer := c.pending
		c.pending = nil
		c.mu.Unlock()
		err := c.write(buffer.bytes)
		c.mu.Lock()
		c.server.recycle(buffer)
		if err != nil && !c.broken {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.server.counters.closeTimeouts.Add(1)
			}
			c.breakLocked(brokenReason(err))
		}
	}
}

// write writes bytes in pieces. A piece leaves the connection's account before it is written, not after: a client that
// never has more unanswered than fits the send buffer must not be disconnected because its next request came before
// this goroutine ran again. So one piece in the system's hands comes on top of SendBufferSize.
func (c *goConn) write(bytes []byte) error {
	s := c.server
	size := min(s.config.MaxSendOverlapped, maxIdleSendBuffer)
	for len(bytes) > 0 {
		piece := bytes[:c.socket.Piece(bytes, size)]
		bytes = bytes[len(piece):]
		c.mu.Lock()
		broken := c.broken
		if !broken {
			c.queued -= len(piece)
		}
		c.mu.Unlock()
		if broken {
			return nil
		}
		n, err := c.socket.Write(piece)
		s.counters.bytesSent.Add(uint64(n))
		if err != nil {
			s.counters.bytesDiscarded.Add(uint64(len(piece) - n))
			return err
		}
	}
	return nil
}

// recycle takes back a send buffer.
func (s *goServer) recycle(buffer *sendBuffer) {
	if cap(buffer.bytes) <= maxIdleSendBuffer {
		buffer.bytes = buffer.bytes[:0]
		s.sendBuffer.Put(buffer)
	}
}

// submit is Core.Submit.
func (s *goServer) submit(batch *SendBatch) error {
	if !batch.fits(s.config.SendBufferSize) {
		return ResultInvalidArgument // a mistake of the caller, not of the client
	}
	s.submitMu.Lock()
	defer s.submitMu.Unlock()
	for i := range batch.ops {
		o := &batch.ops[i]
		switch o.kind {
		case opSend:
			s.send(o.id, batch.payloadOf(o))
		case opBroadcast:
			payload := batch.payloadOf(o)
			for _, id := range batch.receiversOf(o) {
				s.send(id, payload)
			}
		case opDisconnect:
			if c := s.connection(o.id); c != nil {
				c.disconnect()
			}
		}
	}
	for _, c := range s.toWake {
		c.wakeWriter()
	}
	clear(s.toWake)
	s.toWake = s.toWake[:0]
	return nil
}

func (s *goServer) send(id ConnectionID, payload []byte) {
	c := s.connection(id)
	if c == nil {
		s.counters.sendsDropped[SendDropNotConnected].Add(1)
		return
	}
	if c.queueSend(payload) {
		s.toWake = append(s.toWake, c)
	}
}

// fits reports whether every payload could be queued in an empty send buffer of so many bytes.
func (b *SendBatch) fits(sendBufferSize int) bool {
	for i := range b.ops {
		if int(b.ops[i].payloadSize) > sendBufferSize {
			return false
		}
	}
	return true
}

func (b *SendBatch) payloadOf(o *op) []byte { return b.payload[o.payloadOffset:][:o.payloadSize] }

func (b *SendBatch) receiversOf(o *op) []ConnectionID {
	return b.receivers[o.receiverOffset:][:o.receiverCount]
}
