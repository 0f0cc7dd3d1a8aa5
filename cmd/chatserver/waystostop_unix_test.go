//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// waysToStop are the ways in which this system asks a server to stop. The first one always works.
var waysToStop = func() []wayToStop {
	ways := []wayToStop{{"SIGTERM", sendSignal(syscall.SIGTERM)}}
	// Whoever started this test may have had it ignored, as some shells do for what runs in the background: a server is
	// right to leave it at that.
	if !signal.Ignored(syscall.SIGINT) {
		ways = append(ways, wayToStop{"Ctrl+C", sendSignal(syscall.SIGINT)})
	}
	return ways
}()

func prepareForStop(*exec.Cmd) {}

func sendSignal(signal os.Signal) func(*os.Process) error {
	return func(process *os.Process) error { return process.Signal(signal) }
}
