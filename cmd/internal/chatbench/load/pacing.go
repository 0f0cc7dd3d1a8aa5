package load

import (
	"time"

	"iocpnetlib/cmd/internal/schedule"
)

// longestSleep bounds the time until a sender notices that it is to stop.
const longestSleep = 50 * time.Millisecond

// timetable is the fixed schedule of an open loop: number 0 is due at its start, and the others follow at equal
// distances, whatever the server does.
type timetable struct {
	start    moment
	distance float64 // nanoseconds between two numbers
}

func newTimetable(start moment, rate float64) timetable { return timetable{start, 1e9 / rate} }

// due is when a number has to be sent.
func (t *timetable) due(number int64) moment { return t.start + moment(float64(number)*t.distance) }

// dueBy is how many numbers have to be sent by a moment.
func (t *timetable) dueBy(at moment) int64 {
	if at < t.start {
		return 0
	}
	return int64(float64(at-t.start)/t.distance) + 1
}

// waitUntil returns when a moment has come, or false when the window ends before. The goroutine has a pacer.
func (w *window) waitUntil(pacer schedule.Pacer, at moment) bool {
	for {
		now := w.now()
		if w.over(now) {
			return false
		}
		if now >= at {
			return true
		}
		pacer.Until(w.base.Add(min(time.Duration(at), time.Duration(now)+longestSleep)))
	}
}
