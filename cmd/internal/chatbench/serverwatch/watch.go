// Package serverwatch measures what a server process uses during a time that the caller chooses.
package serverwatch

import (
	"fmt"

	"iocpnetlib/cmd/internal/processusage"
)

// Use is what a process has used between Begin and End.
type Use struct {
	processusage.Times       // processor time
	Memory             int64 // resident at the end, in bytes; 0 where Times is not available
	// Syscalls is how many system calls it has made, -1: they were not counted.
	Syscalls      int64
	SyscallsError error // why they were not, although that was asked for
}

// Watch watches one process. It belongs to one goroutine.
type Watch struct {
	pid        int
	before     processusage.Times
	calls      *syscallCounter // nil: they are not counted
	callsError error
}

// New prepares to watch a process of this machine. With countSyscalls it starts the program perf, which counts from
// Begin to End only; that this does not work is told by End. The caller has to call Close.
func New(pid int, countSyscalls bool) (*Watch, error) {
	if _, err := processusage.ReadTimes(pid); err != nil {
		return nil, fmt.Errorf("the server's process %d cannot be watched: %w", pid, err)
	}
	w := &Watch{pid: pid}
	if countSyscalls {
		w.calls, w.callsError = startSyscallCounter(pid)
	}
	return w, nil
}

// Begin begins the measured time.
func (w *Watch) Begin() error {
	if w.calls != nil {
		if err := w.calls.enable(); err != nil {
			w.Close()
			w.callsError = err
		}
	}
	before, err := processusage.ReadTimes(w.pid)
	w.before = before
	return err
}

// End ends the measured time.
func (w *Watch) End() (Use, error) {
	after, err := processusage.ReadTimes(w.pid)
	if err != nil {
		return Use{}, fmt.Errorf("the server has ended: %w", err)
	}
	memory, err := processusage.ReadMemory(w.pid)
	if err != nil {
		return Use{}, fmt.Errorf("the server has ended: %w", err)
	}
	use := Use{Times: after.Sub(w.before), Memory: memory, Syscalls: -1, SyscallsError: w.callsError}
	if w.calls != nil {
		use.Syscalls, use.SyscallsError = w.calls.stop()
		w.calls = nil
	}
	return use, nil
}

// Memory is the resident memory of the process in bytes at this moment, 0 where this system does not tell.
func (w *Watch) Memory() (int64, error) { return processusage.ReadMemory(w.pid) }

// Sockets is how many sockets the process has open; known is false where this system does not tell.
func (w *Watch) Sockets() (count int, known bool, err error) {
	usage, err := processusage.Read(w.pid)
	return usage.Sockets, usage.Available, err
}

// Close ends what was started for the watch.
func (w *Watch) Close() {
	if w.calls != nil {
		_, _ = w.calls.stop()
		w.calls = nil
	}
}
