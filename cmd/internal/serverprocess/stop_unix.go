//go:build unix

package serverprocess

import (
	"os"
	"syscall"
)

// interrupt asks the process to stop.
func interrupt(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
