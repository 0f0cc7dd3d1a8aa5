package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"iocpnetlib/internal/serverprocess"
)

// pass is one of the ways in which a row is measured.
type pass string

const (
	passLoad     pass = "load"      // closed loop: processor time, throughput
	passSyscalls pass = "syscalls"  // closed loop, counting system calls, which slows the server down
	passRate     pass = "open loop" // a fixed rate: latency
	passMemory   pass = "memory"    // idle connections
)

// serverStop is how long a server may take to end.
const serverStop = 15 * time.Second

// bench measures one server in one row at a time.
type bench struct {
	places    places
	Chatbench string        // the program
	Scenarios string        // the folder of the scenarios
	Duration  time.Duration // that is measured in each run
	Warmup    time.Duration // before that
}

// measure starts a server, runs chatbench against it, and stops it. rate is that of passRate, in what chatbench calls
// messages sent: packets, or chats. It returns what was measured. The server does not outlive it.
func (b *bench) measure(ctx context.Context, r *row, s *server, p pass, rate float64) (map[metric]float64, error) {
	command := s.command(r.Workload, b.places)
	process, err := serverprocess.Start(serverprocess.NewLog(nil), command[0], command[1:])
	if err != nil {
		return nil, err
	}
	result, err := b.load(ctx, r, s, p, rate, process)
	stopError := process.Stop(serverStop)
	if command[0] == b.places.Wine && errors.Is(stopError, serverprocess.ErrInterrupted) {
		stopError = nil // Wine may die of the signal that it passes on
	}
	if err == nil && stopError != nil {
		err = fmt.Errorf("%w; its log ends with:\n%s", stopError, process.Log().Tail())
	}
	if err != nil {
		return nil, err
	}
	return metricsOf(result, p)
}

func (b *bench) load(ctx context.Context, r *row, s *server, p pass, rate float64, process *serverprocess.Process) (*outcome,
	error) {
	arguments := []string{"--address", process.Address(), "--pid", strconv.Itoa(process.PID()),
		"--duration", b.Duration.String(), "--warmup", b.Warmup.String()}
	if s.Door != "" {
		arguments = append(arguments, "--door", s.Door)
	}
	if s.Door == "tls" || s.Door == "wss" {
		arguments = append(arguments, "--tls-insecure")
	}
	switch p {
	case passSyscalls:
		arguments = append(arguments, "--count-syscalls")
	case passRate:
		arguments = append(arguments, "--rate", strconv.FormatFloat(rate, 'f', 0, 64))
	}
	arguments = append(arguments, r.Options...)
	arguments = append(arguments, filepath.Join(b.Scenarios, r.File))
	return chatbench(ctx, b.Chatbench, b.Duration+b.Warmup, arguments...)
}

// metricsOf takes from a result what the pass was for. The error names what is missing.
func metricsOf(result *outcome, p pass) (map[metric]float64, error) {
	switch {
	case p == passMemory && result.Idle != nil:
		return map[metric]float64{metricMemory: result.Idle.BytesPerConnection}, nil
	case p == passMemory:
		return nil, errors.New("chatbench told no memory of a connection")
	case result.Server == nil || result.Latency == nil:
		return nil, errors.New("chatbench told nothing of the server, or no latency")
	case p == passRate:
		values := map[metric]float64{metricOpenP99: result.Latency.P99, metricRate: result.MessagesPerSecond}
		if result.GeneratorLag != nil {
			values[metricLagP99] = result.GeneratorLag.P99
		}
		return values, nil
	case p == passSyscalls && result.Server.SyscallsPerMessage == nil:
		return nil, errors.New("system calls were not counted: is the program perf there, and may it be used?")
	case p == passSyscalls:
		return map[metric]float64{metricSyscalls: *result.Server.SyscallsPerMessage}, nil
	case result.Server.NsPerMessage == nil:
		return nil, errors.New("not one message came back in the measured time")
	}
	return map[metric]float64{metricCPU: *result.Server.NsPerMessage, metricSpeed: result.MessagesPerSecond,
		metricP50: result.Latency.P50, metricP99: result.Latency.P99}, nil
}

// rateFor is the rate of the open loop: half of what a server reached in a closed loop, in messages sent a second.
func rateFor(messagesPerSecond float64, members int) float64 {
	return max(1, messagesPerSecond/2/float64(max(1, members)))
}
