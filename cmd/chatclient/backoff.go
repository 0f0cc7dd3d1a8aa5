package main

import "time"

// backoff says how long to wait before another attempt: twice as long each time, within bounds.
type backoff struct{ least, most time.Duration }

// usualBackoff is kind to a server that starts again with many clients waiting for it.
var usualBackoff = backoff{least: 500 * time.Millisecond, most: 15 * time.Second}

// jitter is how far a pause may lie off, as a part of it: clients that lost their server at the same moment must not
// come back at the same moment.
const jitter = 0.25

// pause is the time before the attempt of this number, from 1. Chance is a random number of [0, 1).
func (b backoff) pause(attempt int, chance float64) time.Duration {
	pause := b.least
	for i := 1; i < attempt && pause < b.most; i++ {
		pause *= 2
	}
	pause = min(pause, b.most)
	pause += time.Duration(float64(pause) * jitter * (2*chance - 1))
	return min(max(pause, b.least), b.most)
}
