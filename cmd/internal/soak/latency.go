package soak

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of a latency that is recorded, in nanoseconds, with three digits: 0.1 % of the value. What is longer
// counts as the longest.
const (
	shortestLatency = int64(time.Microsecond)
	longestLatency  = int64(10 * time.Minute)
	latencyDigits   = 3
)

// latencies is a histogram that members on many goroutines record into.
type latencies struct {
	mutex     sync.Mutex
	histogram *hdrhistogram.Histogram
}

func newLatencies() *latencies {
	return &latencies{histogram: hdrhistogram.New(shortestLatency, longestLatency, latencyDigits)}
}

func (l *latencies) record(latency time.Duration) {
	value := min(max(int64(latency), shortestLatency), longestLatency)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	_ = l.histogram.RecordValue(value) // it is in the range
}

// take returns what was recorded, and begins anew.
func (l *latencies) take() quantiles {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	defer l.histogram.Reset()
	return quantiles{
		Count: l.histogram.TotalCount(),
		P50:   time.Duration(l.histogram.ValueAtQuantile(50)),
		P99:   time.Duration(l.histogram.ValueAtQuantile(99)),
		P999:  time.Duration(l.histogram.ValueAtQuantile(99.9)),
		Max:   time.Duration(l.histogram.Max()),
	}
}

// quantiles are what is told of a histogram.
type quantiles struct {
	Count               int64
	P50, P99, P999, Max time.Duration
}
