package soak

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTheScheduleOfAMember(t *testing.T) {
	start := time.Now()
	m := &member{crowd: &crowd{start: start, interval: 500 * time.Millisecond}, phase: 100 * time.Millisecond}
	assert.Equal(t, start.Add(1100*time.Millisecond), m.due(2))
	for after, want := range map[time.Duration]int64{
		0: 0, 100 * time.Millisecond: 0, 101 * time.Millisecond: 1, 600 * time.Millisecond: 1, 601 * time.Millisecond: 2,
	} {
		assert.Equal(t, want, m.dueBefore(start.Add(after)), "%v", after)
	}
}

// A chat belongs to the window in which it was due, however late it came back: a server that stands still for half a
// round must not make the chats of that time disappear.
func TestAWindowTakesChatsByWhenTheyWereDue(t *testing.T) {
	from := time.Now()
	w := newWindow(from, from.Add(time.Second))
	w.record(from.Add(-time.Nanosecond), time.Millisecond)
	w.record(from, 2*time.Millisecond)
	w.record(from.Add(999*time.Millisecond), 5*time.Second)
	w.record(from.Add(time.Second), time.Millisecond)
	q := w.latencies.Take()
	assert.EqualValues(t, 2, q.Count)
	assert.InEpsilon(t, 2*time.Millisecond, q.P50, 0.001)
	assert.InEpsilon(t, 5*time.Second, q.Max, 0.001)
	assert.Zero(t, w.latencies.Take().Count, "taken")
}
