package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// How long one run of chatbench may take beside the time it measures: connecting thousands of clients is slow on a
// small machine. After that it is told to end, and then killed.
const (
	chatbenchMargin = 2 * time.Minute
	chatbenchEnd    = 10 * time.Second
)

// outcome is the part of chatbench's JSON that is used here. What was not measured is nil.
type outcome struct {
	MessagesPerSecond float64 `json:"messages_per_second"`
	Latency           *struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_ns"`
	GeneratorLag *struct {
		P99 float64 `json:"p99"`
	} `json:"generator_lag_ns"`
	Server *struct {
		NsPerMessage       *float64 `json:"cpu_ns_per_message"`
		SyscallsPerMessage *float64 `json:"syscalls_per_message"`
	} `json:"server"`
	Idle *struct {
		BytesPerConnection float64 `json:"bytes_per_connection"`
	} `json:"idle"`
	Errors []string `json:"errors"`
}

// chatbench runs the program against a server and reads its result. An error is also that a reply was wrong. measured
// is how long the run is to last.
func chatbench(ctx context.Context, program string, measured time.Duration, arguments ...string) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, measured+chatbenchMargin)
	defer cancel()
	command := exec.CommandContext(ctx, program, append([]string{"--quiet", "--json", "-"}, arguments...)...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = chatbenchEnd
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	runError := command.Run()

	var result outcome
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		return nil, fmt.Errorf("chatbench gave no result: %w; %s", errors.Join(runError, ctx.Err(), err),
			strings.TrimSpace(stderr.String()))
	}
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("wrong replies: %s", strings.Join(result.Errors, "; "))
	}
	if runError != nil {
		return nil, fmt.Errorf("chatbench: %w; %s", runError, strings.TrimSpace(stderr.String()))
	}
	return &result, nil
}
