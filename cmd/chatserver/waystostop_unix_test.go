//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// waysToStop are the ways in which this system asks a server to stop.
var waysToStop = []wayToStop{
	{"SIGTERM", sendSignal(syscall.SIGTERM)},
	{"Ctrl+C", sendSignal(syscall.SIGINT)},
	{"terminal close", sendSignal(syscall.SIGHUP)},
}

func prepareForStop(*exec.Cmd) {}

func sendSignal(signal os.Signal) func(*os.Process) error {
	return func(process *os.Process) error { return process.Signal(signal) }
}
