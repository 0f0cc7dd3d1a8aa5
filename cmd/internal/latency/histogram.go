// Package latency records how long answers take.
package latency

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of what is recorded, in nanoseconds, with three digits: 0.1 % of the value. What is longer counts as the
// longest.
const (
	shortest = int64(1)
	longest  = int64(10 * time.Minute)
	digits   = 3
)

// Histogram counts latencies. Any goroutine may use it; one that has many to record uses a Recorder.
type Histogram struct {
	mutex     sync.Mutex
	histogram *hdrhistogram.Histogram
}

// NewHistogram makes an empty histogram of some 250 KB.
func NewHistogram() *Histogram {
	return &Histogram{histogram: hdrhistogram.New(shortest, longest, digits)}
}

// Record adds one latency.
func (h *Histogram) Record(latency time.Duration) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.add(int64(latency))
}

func (h *Histogram) add(nanoseconds int64) {
	_ = h.histogram.RecordValue(min(max(nanoseconds, shortest), longest)) // it is in the range
}

// Quantiles returns what was recorded so far.
func (h *Histogram) Quantiles() Quantiles {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.quantiles()
}

// Take returns what was recorded, and begins anew.
func (h *Histogram) Take() Quantiles {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	defer h.histogram.Reset()
	return h.quantiles()
}

func (h *Histogram) quantiles() Quantiles {
	at := func(percent float64) time.Duration { return time.Duration(h.histogram.ValueAtQuantile(percent)) }
	return Quantiles{Count: h.histogram.TotalCount(), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: time.Duration(h.histogram.Max())}
}

// Quantiles are what is told of a histogram.
type Quantiles struct {
	Count                    int64
	P50, P90, P99, P999, Max time.Duration
}

// Point is a point of a percentile curve: this share of all latencies, from 0 to 1, is at most so long.
type Point struct {
	Share   float64
	Latency time.Duration
}

// pointsPerHalving is how many points a curve has for each time that the share of longer latencies halves.
const pointsPerHalving = 5

// Curve is the percentile curve of what was recorded; it is empty if nothing was.
func (h *Histogram) Curve() []Point {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.histogram.TotalCount() == 0 {
		return nil
	}
	var points []Point
	for _, bracket := range h.histogram.CumulativeDistributionWithTicks(pointsPerHalving) {
		points = append(points, Point{bracket.Quantile / 100, time.Duration(bracket.ValueAt)})
	}
	return points
}
