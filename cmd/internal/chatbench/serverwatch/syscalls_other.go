//go:build !linux

package serverwatch

import "errors"

// syscallCounter: system calls are counted on Linux only.
type syscallCounter struct{}

func startSyscallCounter(int) (*syscallCounter, error) { return nil, errors.New("only Linux has perf") }

func (*syscallCounter) enable() error { return nil }

func (*syscallCounter) stop() (int64, error) { return -1, nil }
