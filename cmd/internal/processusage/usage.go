// Package processusage reads what a process uses: processor time, memory, handles, threads.
package processusage

import "time"

// Usage is what a process uses at one moment.
type Usage struct {
	Available bool  // false: this system does not tell, and the rest is 0
	Memory    int64 // resident, in bytes
	Handles   int   // open files and sockets
	Sockets   int   // of these: each connection has one, and so has the listener
	Threads   int
	CPU       time.Duration // processor time since its start
}

// Times is the processor time that a process has used since its start.
type Times struct {
	Available    bool          // false: this system does not tell, and the rest is 0
	User, System time.Duration // to 10 ms
	Total        time.Duration // of both, to the nanosecond
}

// Sub is the time used since earlier.
func (t Times) Sub(earlier Times) Times {
	return Times{t.Available, t.User - earlier.User, t.System - earlier.System, t.Total - earlier.Total}
}
