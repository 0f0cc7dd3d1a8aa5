package latency

import "time"

// pendingLatencies is how many latencies a Recorder keeps before it takes the lock of its histogram.
const pendingLatencies = 128

// Recorder records into a histogram for one goroutine, without a lock for each latency.
type Recorder struct {
	into    *Histogram
	count   int
	pending [pendingLatencies]int64
}

// NewRecorder makes a recorder of a histogram. It belongs to one goroutine, which has to call Flush in the end.
func NewRecorder(into *Histogram) *Recorder { return &Recorder{into: into} }

// Record notes one latency.
func (r *Recorder) Record(latency time.Duration) {
	if r.count == len(r.pending) {
		r.Flush()
	}
	r.pending[r.count] = int64(latency)
	r.count++
}

// Flush adds what was noted to the histogram.
func (r *Recorder) Flush() {
	r.into.mutex.Lock()
	defer r.into.mutex.Unlock()
	for _, nanoseconds := range r.pending[:r.count] {
		r.into.add(nanoseconds)
	}
	r.count = 0
}
