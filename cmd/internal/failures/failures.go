// Package failures collects what a load finds wrong with a server.
package failures

import (
	"fmt"
	"sync"
)

// kept is how many failures are told; one cause often has thousands.
const kept = 10

// List collects failures. Any goroutine may use it.
type List struct {
	mutex sync.Mutex
	count int
	first []string
	any   chan struct{} // closed by the first failure
}

// NewList makes an empty list.
func NewList() *List { return &List{any: make(chan struct{})} }

// Add notes a failure: one clear sentence.
func (l *List) Add(format string, arguments ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.count == 0 {
		close(l.any)
	}
	l.count++
	if len(l.first) < kept {
		l.first = append(l.first, fmt.Sprintf(format, arguments...))
	}
}

// Any is closed by the first failure.
func (l *List) Any() <-chan struct{} { return l.any }

// First returns a copy of the first failures, and how many there were altogether.
func (l *List) First() (first []string, count int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]string(nil), l.first...), l.count
}
