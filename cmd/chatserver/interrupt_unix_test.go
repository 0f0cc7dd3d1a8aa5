//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

func prepareConsole() error { return nil }

func prepareForInterrupt(*exec.Cmd) {}

func interruptProcess(command *exec.Cmd) error { return command.Process.Signal(syscall.SIGTERM) }
