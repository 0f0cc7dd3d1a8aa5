package soak

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// pacer waits until moments of a schedule. Go's own timers are up to a millisecond late on a quiet machine, several
// times what is measured here; the system's are late by some 0.05 ms. The goroutine keeps its thread.
type pacer struct{}

func newPacer() (pacer, func()) {
	runtime.LockOSThread()
	return pacer{}, runtime.UnlockOSThread
}

func (pacer) until(moment time.Time) {
	wait := time.Until(moment)
	if wait <= 0 {
		return
	}
	request := unix.NsecToTimespec(wait.Nanoseconds())
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &request, &request) == unix.EINTR { // the Go runtime's signals
	}
}
