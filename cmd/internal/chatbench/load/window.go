package load

import (
	"math"
	"sync/atomic"
	"time"
)

// moment is a time of a run in nanoseconds since its start. It costs less than a time.Time, which has the time of day,
// too.
type moment int64

const never = moment(math.MaxInt64)

// window is the measured time. What it has not begun with is not in it, and until its end is known it has none.
type window struct {
	base     time.Time
	from, to atomic.Int64
}

func newWindow() *window {
	w := &window{base: time.Now()}
	w.from.Store(int64(never))
	w.to.Store(int64(never))
	return w
}

func (w *window) now() moment { return moment(time.Since(w.base)) }

// begin begins the measured time.
func (w *window) begin() { w.from.Store(int64(w.now())) }

// end ends the measured time, if it has no end yet, and returns its length, 0 if it never began.
func (w *window) end() time.Duration {
	w.to.CompareAndSwap(int64(never), int64(w.now()))
	return max(0, time.Duration(w.to.Load()-w.from.Load()))
}

// over tells whether the measured time has ended by a moment. Nothing is sent any more then.
func (w *window) over(at moment) bool { return int64(at) >= w.to.Load() }

// has tells whether a moment is in the measured time.
func (w *window) has(at moment) bool { return int64(at) >= w.from.Load() && int64(at) < w.to.Load() }
