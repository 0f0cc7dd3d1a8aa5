package bridge

import (
	"errors"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge/stream"
)

// run is the reader: it reads until the receive side ends, tells logic, and takes the connection down.
func (c *goConn) run() {
	defer c.server.goroutines.Done()
	c.in.chunk = c.server.chunks.get()
	c.lastPacket = time.Now()
	if !c.silentUntil().IsZero() {
		c.watchSilence()
	}
	reason := c.end(c.receive())
	c.server.counters.bytesReceivedDiscarded.Add(uint64(len(c.in.unframed())))
	c.in.chunk.release(1)
	c.in = recvBuffer{}
	c.server.counters.closed[reason].Add(1)
	c.logEnd(reason)
	c.server.queue.addClose(c, reason)
	c.close(reason)
}

func (c *goConn) logEnd(reason CloseReason) {
	level := zap.DebugLevel
	text := "disconnected"
	switch {
	case reason.Violation():
		level, text = zap.WarnLevel, "disconnecting a client that broke the protocol"
	case reason == CloseSendBufferFull:
		level, text = zap.WarnLevel, "disconnecting a client that reads too slowly"
	}
	if entry := c.server.logger.Check(level, text); entry != nil {
		fields := []zap.Field{zap.String("peer", c.peer), zap.Uint64("connection", uint64(c.id)), zap.Stringer("reason", reason)}
		if c.cause != nil {
			fields = append(fields, zap.Error(c.cause))
		}
		entry.Write(fields...)
	}
}

// breakOff gives the socket up, unless the receive side has ended already.
func (c *goConn) breakOff(reason CloseReason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == CloseNone {
		c.breakLocked(reason)
	}
}

// receive reads, frames and queues packets, until the receive side ends. It returns why, as far as the reader saw it;
// a reason that was set by somebody else comes first.
func (c *goConn) receive() CloseReason {
	s := c.server
	for {
		space := c.in.space()
		room := c.room()
		if room <= 0 {
			if room = c.waitForRoom(); room <= 0 {
				return c.endReason()
			}
			c.notePackets(false)
			space = c.in.space() // the chunk may be free for use from its front again
		}
		n, err := c.socket.Read(space[:min(len(space), room, s.config.MaxRecvOverlapped)])
		if n > 0 {
			s.counters.bytesReceived.Add(uint64(n))
			c.in.end += n
			if reason := c.examine(); reason != CloseNone {
				return reason
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			if !c.isKnown { // no header: what came is judged as it is
				c.isKnown = true
				if reason := c.deliver(); reason != CloseNone {
					return reason
				}
			}
			return ClosePeerClosed
		case errors.Is(err, os.ErrDeadlineExceeded):
			// Somebody ended the connection, or it may have been silent for too long.
			if reason := c.checkSilence(); reason != CloseNone {
				return reason
			}
		default:
			reason := reasonOfRefusal(err)
			if reason == CloseNone {
				reason = brokenReason(err)
			} else {
				c.cause = err
			}
			if !reason.Violation() {
				c.breakOff(reason) // nobody is there to be told
			}
			return reason
		}
	}
}

// examine delivers what was received, once it is clear that it does not begin with a PROXY header: one that may come has
// been read before. It returns why the receive side ends, CloseNone if it does not.
func (c *goConn) examine() CloseReason {
	if !c.isKnown {
		begins, mayBegin := stream.BeginsWithProxyHeader(c.in.unframed())
		switch {
		case begins && c.socket.RemoteAddr() == nil:
			return ClosePeerReset // it has gone already, and nobody knows whether it might
		case begins:
			return CloseProxyHeaderNotAllowed
		}
		if mayBegin && c.room() > 0 {
			return CloseNone
		}
		c.isKnown = true
	}
	return c.deliver()
}

// deliver queues the whole packets that were received, and waits for the message pool and for the client's share of the
// rate where it has to. It returns why the receive side ends, CloseNone if it does not.
func (c *goConn) deliver() CloseReason {
	s := c.server
	for {
		limits := s.limits.Load()
		limit := limits.Rate
		c.rate.forgetBefore(limits.rateSince)
		if limit.isOn() && c.endReason() != CloseNone {
			if c.dropsRest() {
				return c.endReason()
			}
			limit = RateLimit{} // what was received before the end is delivered now
		}
		result := s.queue.addPackets(c, &c.in, s.config.MaxPacketSize, &limit)
		if result.bytes > 0 {
			c.notePackets(true)
		}
		if result.logsReserve {
			s.logger.Warn("the message pool is used up, its reserve is in use",
				zap.Int("message_pool", s.config.MessagePool), zap.Int("extra_message_pool", s.config.ExtraMessagePool))
		}
		if result.logsEmpty {
			s.logger.Warn("message pool exhausted: reading pauses until logic gives messages back",
				zap.Int("message_pool", s.config.MessagePool), zap.Int("extra_message_pool", s.config.ExtraMessagePool))
		}
		if !result.poolEmpty && result.wait <= 0 {
			return result.violation
		}
		if c.dropsRest() {
			return c.endReason()
		}
		if result.poolEmpty {
			<-c.resume
		} else {
			c.waitForShare(result.wait)
		}
		c.notePackets(false)
	}
}

// room is how many bytes may be received: the connection's bound less what logic has and what is not framed.
func (c *goConn) room() int {
	return c.server.config.RecvBufferSize - int(c.lent.Load()) - (c.in.end - c.in.start)
}

// waitForRoom waits until logic has given back so much that receiving is worth while, and returns the room; 0 if the
// receive side ended meanwhile. What is not framed is less than a packet, so with nothing lent there is always room.
func (c *goConn) waitForRoom() int {
	c.server.counters.receivesPaused.Add(1)
	c.paused.Store(true)
	defer c.paused.Store(false)
	for {
		if room := c.room(); c.lent.Load() == 0 || room >= c.server.config.RecvBufferSize/4 {
			return c.room()
		}
		if c.endReason() != CloseNone {
			return 0
		}
		<-c.resume
	}
}
