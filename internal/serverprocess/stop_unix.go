//go:build unix

package serverprocess

import (
	"os"
	"syscall"
)

// Interrupt asks a server to stop, as a person or a supervisor would.
func Interrupt(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
