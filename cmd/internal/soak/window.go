package soak

import (
	"time"

	"iocpnetlib/cmd/internal/latency"
)

// window gathers the latencies of the chats that were due in a span of time. That of a chat without an answer yet is
// not known: see crowd.settle.
type window struct {
	from, to  time.Time
	latencies *latency.Histogram
	lag       *latency.Histogram // how late the load itself sent them: a share of the latency that no server can mend
}

func newWindow(from, to time.Time) *window {
	return &window{from, to, latency.NewHistogram(), latency.NewHistogram()}
}

func (w *window) has(due time.Time) bool { return !due.Before(w.from) && due.Before(w.to) }

func (w *window) record(due time.Time, latency time.Duration) {
	if w.has(due) {
		w.latencies.Record(latency)
	}
}

func (w *window) recordLag(due time.Time, lag time.Duration) {
	if w.has(due) {
		w.lag.Record(lag)
	}
}
