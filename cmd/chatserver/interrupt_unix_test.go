//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

func prepareForInterrupt(*exec.Cmd) {}

func interruptProcess(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
