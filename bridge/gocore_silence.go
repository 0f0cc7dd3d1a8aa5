package bridge

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"
)

// silentUntil is when the client has been silent for too long, unless it completes a packet before; the zero Time: never.
// The reader.
func (c *goConn) silentUntil() time.Time {
	limits := c.server.limits.Load()
	limit := limits.FirstPacketTimeout
	if c.hasSentPacket {
		limit = limits.IdleTimeout
	}
	if limit == 0 {
		return time.Time{}
	}
	since := c.lastPacket
	if since.Before(limits.timesSince) {
		since = limits.timesSince
	}
	return since.Add(limit)
}

// watchSilence makes a read fail when the client has been silent for too long. A packet does not move the deadline:
// checkSilence finds out about it when the time is over. The reader.
func (c *goConn) watchSilence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == CloseNone { // otherwise the deadline is the end's
		// The limits are read with the lock, so that a change which comes now is seen here or in limitsChanged.
		_ = c.socket.SetReadDeadline(c.silentUntil())
	}
}

// limitsChanged makes the reader look at the limits again, wherever it waits. Any goroutine.
func (c *goConn) limitsChanged() {
	c.mu.Lock()
	if c.reason == CloseNone {
		_ = c.socket.SetReadDeadline(longAgo)
	}
	c.mu.Unlock()
	c.wakeReader()
}

// notePackets: the client has completed a packet, or could not, because nobody read what it sent. The reader.
func (c *goConn) notePackets(hasSent bool) {
	isFirst := hasSent && !c.hasSentPacket
	c.hasSentPacket = c.hasSentPacket || hasSent
	limits := c.server.limits.Load()
	if limits.FirstPacketTimeout == 0 && limits.IdleTimeout == 0 {
		return
	}
	c.lastPacket = time.Now()
	if isFirst {
		c.watchSilence() // another limit holds from here on
	}
}

// checkSilence is called when a read met its deadline, and returns why the receive side ends, CloseNone if it does not.
// The reader.
func (c *goConn) checkSilence() CloseReason {
	if reason := c.endReason(); reason != CloseNone {
		return reason
	}
	if until := c.silentUntil(); until.IsZero() || time.Now().Before(until) {
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
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ClosePeerTimeout // it does not take what it is sent
	}
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
