//go:build unix && !linux

package serverprocess

import (
	"os/exec"
	"syscall"
)

// prepare gives the process a group of its own.
func prepare(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// lockThread: only Linux needs it.
func lockThread() (release func()) { return func() {} }
