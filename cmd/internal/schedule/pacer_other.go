//go:build !linux

package schedule

import "time"

// Pacer waits until moments of a schedule.
type Pacer struct{}

// NewPacer makes a pacer for the calling goroutine, which has to call release when it needs it no more.
func NewPacer() (pacer Pacer, release func()) { return Pacer{}, func() {} }

// Until returns at a moment, or at once if that has passed.
func (Pacer) Until(moment time.Time) { time.Sleep(time.Until(moment)) }
