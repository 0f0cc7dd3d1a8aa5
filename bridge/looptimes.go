package bridge

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// samplePeriod is how many messages share one measured one: reading the clock twice costs more than handling a message
// often does.
const samplePeriod = 64

// LoopTimes are what a Loop has measured of itself. Any goroutine may read them.
type LoopTimes struct {
	// Turns has how long each turn took that had messages, from the end of its Poll to the end of its Submit: what comes
	// meanwhile waits so long.
	Turns TimeHistogram
	// Handler has how long the handler took for a message, one of 64.
	Handler TimeHistogram

	messages atomic.Uint64
	sampled  uint64 // the loop's
}

// Messages is how many messages the handler was given.
func (t *LoopTimes) Messages() uint64 { return t.messages.Load() }

func (t *LoopTimes) add(messages int, turn time.Duration) {
	if messages == 0 { // woken for nothing, or for a task
		return
	}
	t.messages.Store(t.messages.Load() + uint64(messages)) // one writer
	t.Turns.add(turn)
}

// isSample reports whether the next message is to be measured.
func (t *LoopTimes) isSample() bool {
	t.sampled++
	return t.sampled%samplePeriod == 0
}

// TimeBuckets is how many buckets a TimeHistogram has.
const TimeBuckets = 24

// TimeHistogram counts times by power of two: bucket i has those of less than TimeBound(i), and not of the bucket before;
// the last one has all that are longer. One goroutine adds, any may read.
type TimeHistogram struct {
	counts      [TimeBuckets]atomic.Uint64
	nanoseconds atomic.Uint64
}

// TimeBound is the upper bound of bucket i: 256 ns, 512 ns and so on, about 1.07 s for the last but one.
func TimeBound(i int) time.Duration { return 256 << i }

// add counts a time. There is one writer: nothing has to be locked for it.
func (h *TimeHistogram) add(d time.Duration) {
	bucket := min(bits.Len64(uint64(max(d, 0))>>8), TimeBuckets-1)
	h.counts[bucket].Store(h.counts[bucket].Load() + 1)
	h.nanoseconds.Store(h.nanoseconds.Load() + uint64(max(d, 0)))
}

// Read returns the counts of the buckets, and the sum of all times. While the loop runs, the two may be a turn apart.
func (h *TimeHistogram) Read() (counts [TimeBuckets]uint64, sum time.Duration) {
	for i := range counts {
		counts[i] = h.counts[i].Load()
	}
	return counts, time.Duration(h.nanoseconds.Load())
}
