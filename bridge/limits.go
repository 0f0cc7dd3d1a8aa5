package bridge

import (
	"fmt"
	"time"
)

// Limits are what every connection is held to and what may change while a core runs. NetResult and the native core's
// header name the ranges.
type Limits struct {
	// FirstPacketTimeout closes a connection that has not completed its first packet by then (CloseFirstPacketTimeout),
	// 0 to 1 hour, IdleTimeout one that has completed no packet for so long (CloseIdleTimeout), 0 to 24 hours. Time in
	// which the core itself does not read the connection does not count. 0: never.
	FirstPacketTimeout, IdleTimeout time.Duration
	// Rate is how much one client may send. One that sends more is read more slowly; nothing of it is lost.
	Rate RateLimit
}

// RateLimit is a client's share.
type RateLimit struct {
	PacketsPerSecond int // 0 to 1,000,000; 0: no limit
	BytesPerSecond   int // bytes of packets, headers included, 0 to 1 GiB; 0: no limit
	// Burst is what a client may send at once, after silence, as time at these rates, 20 ms (less than a system's timers
	// resolve would lower the rates) to 1 minute. One packet always passes.
	Burst time.Duration
}

func (r *RateLimit) isOn() bool { return r.PacketsPerSecond != 0 || r.BytesPerSecond != 0 }

const (
	maxFirstPacket = time.Hour
	maxIdle        = 24 * time.Hour
	maxPacketRate  = 1_000_000
	maxByteRate    = 1 << 30
	minRateBurst   = 20 * time.Millisecond
	maxRateBurst   = time.Minute
)

// outside says in a sentence which field is out of its range first; empty: none is.
func (l *Limits) outside() string {
	for _, rate := range []struct {
		name       string
		value, max int
	}{
		{"Rate.PacketsPerSecond", l.Rate.PacketsPerSecond, maxPacketRate},
		{"Rate.BytesPerSecond", l.Rate.BytesPerSecond, maxByteRate},
	} {
		if rate.value < 0 || rate.value > rate.max {
			return fmt.Sprintf("%s is %d, must be 0 to %d", rate.name, rate.value, rate.max)
		}
	}
	return firstOutside([]durationRange{
		{"FirstPacketTimeout", l.FirstPacketTimeout, 0, maxFirstPacket},
		{"IdleTimeout", l.IdleTimeout, 0, maxIdle},
		{"Rate.Burst", l.Rate.Burst, minRateBurst, maxRateBurst},
	})
}

// validate returns an error that wraps ResultInvalidArgument if a field is out of its range.
func (l *Limits) validate() error {
	if outside := l.outside(); outside != "" {
		return fmt.Errorf("%w: %s", ResultInvalidArgument, outside)
	}
	return nil
}

type durationRange struct {
	name            string
	value, min, max time.Duration
}

func firstOutside(ranges []durationRange) string {
	for _, d := range ranges {
		if d.value < d.min || d.value > d.max {
			return fmt.Sprintf("%s is %v, must be %v to %v", d.name, d.value, d.min, d.max)
		}
	}
	return ""
}
