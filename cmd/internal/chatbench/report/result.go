// Package report tells what a run of chatbench has measured: as a table, as JSON, and as a picture.
package report

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"time"

	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/cmd/internal/processusage"
)

// Result is what is told of a run. Its fields are named after those of the JSON object. What was not measured, or what
// this system does not tell, is nil there: null.
type Result struct {
	Scenario   string             `json:"scenario"`
	Workload   scenario.Workload  `json:"workload"`
	Address    string             `json:"address"`
	Parameters *scenario.Scenario `json:"parameters"`
	Machine    Machine            `json:"machine"`

	Messages          int64    `json:"messages"` // in the measured time
	Seconds           float64  `json:"seconds"`  // the measured time
	MessagesPerSecond float64  `json:"messages_per_second"`
	Latency           *Latency `json:"latency_ns"`
	GeneratorLag      *Lag     `json:"generator_lag_ns"` // in an open loop
	Server            *Server  `json:"server"`
	Generator         *CPU     `json:"generator"` // chatbench itself
	Idle              *Idle    `json:"idle"`

	Errors     []string `json:"errors"` // the first
	ErrorCount int      `json:"error_count"`
}

// Machine is where a run was made.
type Machine struct {
	System string `json:"system"`
	Cores  int    `json:"cores"`
}

// Latency has times in nanoseconds: in a closed loop from the sending of a message to its coming back, in an open loop
// from when it was due.
type Latency struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50"`
	P90   time.Duration `json:"p90"`
	P99   time.Duration `json:"p99"`
	P999  time.Duration `json:"p99_9"`
	Max   time.Duration `json:"max"`
}

// Lag is how late, in nanoseconds, the load itself has sent what was due.
type Lag struct {
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
}

// CPU is processor time in the measured time. User and system time are counted in steps of 10 ms, their sum and what
// is made of it in nanoseconds.
type CPU struct {
	UserSeconds   float64  `json:"cpu_user_seconds"`
	SystemSeconds float64  `json:"cpu_system_seconds"`
	Seconds       float64  `json:"cpu_seconds"`
	NsPerMessage  *float64 `json:"cpu_ns_per_message"` // nil: there were no messages
}

// Server is what the server's process has used in the measured time.
type Server struct {
	PID int `json:"pid"`
	CPU
	RSSBytes           int64    `json:"rss_bytes"` // at the end
	Syscalls           *int64   `json:"syscalls"`
	SyscallsPerMessage *float64 `json:"syscalls_per_message"`
}

// Idle is what idle connections cost.
type Idle struct {
	Connections        int     `json:"connections"`
	RSSBeforeBytes     int64   `json:"rss_before_bytes"`
	RSSAfterBytes      int64   `json:"rss_after_bytes"`
	BytesPerConnection float64 `json:"bytes_per_connection"`
}

// New makes the result of a measurement. pid is the server's process, 0 if it is not known.
func New(s *scenario.Scenario, address string, pid int, m *load.Measurement) *Result {
	r := &Result{Scenario: s.Name, Workload: s.Workload, Address: address, Parameters: s.Relevant(),
		Machine:  Machine{runtime.GOOS + "/" + runtime.GOARCH, runtime.NumCPU()},
		Messages: m.Messages, Seconds: m.Time.Seconds(), Errors: m.Failures, ErrorCount: m.FailureCount}
	if r.Errors == nil {
		r.Errors = []string{} // a list in JSON, too
	}
	if m.Time > 0 {
		r.MessagesPerSecond = float64(m.Messages) / m.Time.Seconds()
	}
	if q := m.Latency.Quantiles(); q.Count > 0 {
		r.Latency = &Latency{q.Count, q.P50, q.P90, q.P99, q.P999, q.Max}
	}
	if m.Lag != nil {
		q := m.Lag.Quantiles()
		r.GeneratorLag = &Lag{q.P50, q.P99, q.Max}
	}
	if m.Own.Available {
		cpu := newCPU(m.Own, m.Messages)
		r.Generator = &cpu
	}
	if m.Server != nil {
		r.Server = &Server{PID: pid, CPU: newCPU(m.Server.Times, m.Messages), RSSBytes: m.Server.Memory}
		if m.Server.Syscalls >= 0 {
			r.Server.Syscalls = &m.Server.Syscalls
			r.Server.SyscallsPerMessage = perMessage(float64(m.Server.Syscalls), m.Messages)
		}
	}
	if m.Idle != nil {
		r.Idle = &Idle{m.Idle.Connections, m.Idle.Before, m.Idle.After, m.Idle.BytesPerConnection()}
	}
	return r
}

func newCPU(t processusage.Times, messages int64) CPU {
	return CPU{t.User.Seconds(), t.System.Seconds(), t.Total.Seconds(), perMessage(float64(t.Total), messages)}
}

func perMessage(value float64, messages int64) *float64 {
	if messages == 0 {
		return nil
	}
	value /= float64(messages)
	return &value
}

// WriteJSON writes the result as one JSON object to a file, or to stdout if its name is "-".
func (r *Result) WriteJSON(name string, stdout io.Writer) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if name == "-" {
		_, err = stdout.Write(text)
		return err
	}
	return os.WriteFile(name, text, 0o666)
}
