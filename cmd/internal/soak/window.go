package soak

import "time"

// window gathers the latencies of the chats that were due in a span of time. That of a chat without an answer yet is
// not known: see crowd.settle.
type window struct {
	from, to  time.Time
	latencies *latencies
}

func newWindow(from, to time.Time) *window { return &window{from, to, newLatencies()} }

func (w *window) record(due time.Time, latency time.Duration) {
	if !due.Before(w.from) && due.Before(w.to) {
		w.latencies.record(latency)
	}
}
