package bridge

import (
	"errors"
	"runtime"
	"syscall"
	"time"
)

// silenceLimit is how long the client may be silent now; 0: for ever.
func (c *goConn) silenceLimit() time.Duration {
	if c.hasSentPacket {
		return c.server.config.IdleTimeout
	}
	return c.server.config.FirstPacketTimeout
}

// watchSilence makes a read fail when the client has been silent for too long. A packet does not move the deadline:
// checkSilence finds out about it when the time is over. The reader.
func (c *goConn) watchSilence() {
	var deadline time.Time
	if limit := c.silenceLimit(); limit != 0 {
		deadline = c.lastPacket.Add(limit)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == CloseNone { // otherwise the deadline is the end's
		_ = c.socket.SetReadDeadline(deadline)
	}
}

// notePackets: the client has completed a packet, or could not, because nobody read what it sent. The reader.
func (c *goConn) notePackets(hasSent bool) {
	config := &c.server.config
	if config.FirstPacketTimeout == 0 && config.IdleTimeout == 0 {
		return
	}
	c.lastPacket = time.Now()
	if hasSent && !c.hasSentPacket {
		c.hasSentPacket = true
		c.watchSilence() // another limit holds from here on
	}
}

// checkSilence is called when a read met its deadline, and returns why the receive side ends, CloseNone if it does not.
// The reader.
func (c *goConn) checkSilence() CloseReason {
	if reason := c.endReason(); reason != CloseNone {
		return reason
	}
	limit := c.silenceLimit()
	if limit == 0 || time.Since(c.lastPacket) < limit {
		c.watchSilence()
		return CloseNone
	}
	if c.hasSentPacket {
		return CloseIdleTimeout
	}
	return CloseFirstPacketTimeout
}

// brokenReason is the CloseReason of a connection that the system gave up with err.
func brokenReason(err error) CloseReason {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return ClosePeerReset
	}
	// When Linux gives up it reports what the network said last, if it said anything.
	silent := number == syscall.ETIMEDOUT || number == syscall.EHOSTUNREACH || number == syscall.ENETUNREACH
	if runtime.GOOS == "windows" {
		const wsaNetUnreach, wsaNetReset, wsaTimedOut, wsaHostUnreach = 10051, 10052, 10060, 10065
		silent = number == wsaNetUnreach || number == wsaNetReset || number == wsaTimedOut || number == wsaHostUnreach
	}
	if silent {
		return ClosePeerTimeout
	}
	return ClosePeerReset
}
