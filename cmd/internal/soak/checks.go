package soak

import (
	"fmt"
	"sync"
)

// keptFailures is how many failures are told; one cause often has thousands.
const keptFailures = 10

// checks collects what is not as it should be. Any goroutine.
type checks struct {
	mutex  sync.Mutex
	count  int
	first  []string
	failed chan struct{} // closed by the first failure
}

func newChecks() *checks { return &checks{failed: make(chan struct{})} }

// fail notes a failure: one clear sentence.
func (c *checks) fail(format string, arguments ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.count == 0 {
		close(c.failed)
	}
	c.count++
	if len(c.first) < keptFailures {
		c.first = append(c.first, fmt.Sprintf(format, arguments...))
	}
}

// failures returns the first failures, and how many there were altogether.
func (c *checks) failures() (first []string, count int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]string(nil), c.first...), c.count
}
