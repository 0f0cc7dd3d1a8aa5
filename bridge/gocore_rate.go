package bridge

import (
	"time"

	"go.uber.org/zap"
)

// rateMeter is what one connection has used of its RateLimit: the generic cell rate algorithm (ITU-T I.371), a leaky
// bucket that needs one time and no timer. The reader's.
type rateMeter struct {
	packetsUsedUntil, bytesUsedUntil time.Time
	since                            time.Time // when the limits that it counts for began to hold
}

// forgetBefore forgets what was used before some time, when other limits held.
func (m *rateMeter) forgetBefore(since time.Time) {
	if m.since != since {
		*m = rateMeter{since, since, since}
	}
}

// wait is how long the next packet has to wait for its share, 0 or less if it need not.
func (m *rateMeter) wait(limit *RateLimit, now time.Time) time.Duration {
	var wait time.Duration
	if limit.PacketsPerSecond != 0 {
		wait = m.packetsUsedUntil.Sub(now) - limit.Burst
	}
	if limit.BytesPerSecond != 0 {
		wait = max(wait, m.bytesUsedUntil.Sub(now)-limit.Burst)
	}
	return wait
}

// use takes the share of a packet.
func (m *rateMeter) use(limit *RateLimit, bytes int, now time.Time) {
	m.packetsUsedUntil = usedUntil(m.packetsUsedUntil, 1, limit.PacketsPerSecond, now)
	m.bytesUsedUntil = usedUntil(m.bytesUsedUntil, bytes, limit.BytesPerSecond, now)
}

func usedUntil(before time.Time, amount, perSecond int, now time.Time) time.Time {
	if perSecond == 0 {
		return before
	}
	if before.Before(now) {
		before = now
	}
	return before.Add(time.Duration(amount) * time.Second / time.Duration(perSecond))
}

// waitForShare lets the reader rest until the next packet may pass, or somebody wakes it.
func (c *goConn) waitForShare(wait time.Duration) {
	s := c.server
	s.counters.receivesThrottled.Add(1)
	if !c.throttled {
		c.throttled = true
		s.logger.Warn("a client sends more than it may, it is read more slowly", zap.String("peer", c.peer),
			zap.Uint64("connection", uint64(c.id)))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.resume:
	}
}
