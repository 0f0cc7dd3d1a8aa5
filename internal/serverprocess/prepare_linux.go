package serverprocess

import (
	"os/exec"
	"runtime"
	"syscall"
)

// prepare gives the process a group of its own, and lets it die with the thread that starts it.
func prepare(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lockThread keeps the goroutine on a thread that lives at least until release is called.
func lockThread() (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
