//go:build !linux

package soak

import "time"

// pacer waits until moments of a schedule.
type pacer struct{}

func newPacer() (pacer, func()) { return pacer{}, func() {} }

func (pacer) until(moment time.Time) { time.Sleep(time.Until(moment)) }
