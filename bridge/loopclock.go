//go:build !windows

package bridge

import "time"

// loopClock tells how much time has passed since it was made.
type loopClock struct{ start time.Time }

func newLoopClock() *loopClock { return &loopClock{time.Now()} }

// now is the cheapest clock that Go has.
func (c *loopClock) now() time.Duration { return time.Since(c.start) }
