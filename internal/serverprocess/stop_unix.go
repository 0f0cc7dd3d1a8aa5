//go:build unix

package serverprocess

import (
	"os"
	"syscall"
)

// Interrupt asks a server to stop, as a person or a supervisor would.
func Interrupt(process *os.Process) error { return process.Signal(interruptSignal) }

const interruptSignal = syscall.SIGTERM

// diedOfInterrupt: it is not one that handles the signal.
func diedOfInterrupt(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == interruptSignal
}
