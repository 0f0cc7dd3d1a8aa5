package bridge

import (
	"syscall"
	"time"
	"unsafe"
)

var (
	kernel32                  = syscall.NewLazyDLL("kernel32.dll")
	queryPerformanceCounter   = kernel32.NewProc("QueryPerformanceCounter")
	queryPerformanceFrequency = kernel32.NewProc("QueryPerformanceFrequency")
)

// loopClock tells how much time has passed since it was made. Go's own clock moves in steps of half a millisecond and
// more on Windows, which is longer than most turns of the loop take.
type loopClock struct {
	counter   int64 // where the system writes; a variable would be allocated in every call
	start     int64
	frequency int64 // counts a second
}

func newLoopClock() *loopClock {
	c := new(loopClock)
	// Neither fails on Windows XP or later, as their documentation says.
	_, _, _ = syscall.SyscallN(queryPerformanceFrequency.Addr(), uintptr(unsafe.Pointer(&c.frequency)))
	c.start = c.read()
	return c
}

func (c *loopClock) read() int64 {
	_, _, _ = syscall.SyscallN(queryPerformanceCounter.Addr(), uintptr(unsafe.Pointer(&c.counter)))
	return c.counter
}

// now takes the seconds first: all of it in nanoseconds would overflow after some minutes.
func (c *loopClock) now() time.Duration {
	passed := c.read() - c.start
	seconds, rest := passed/c.frequency, passed%c.frequency
	return time.Duration(seconds)*time.Second + time.Duration(rest)*time.Second/time.Duration(c.frequency)
}
