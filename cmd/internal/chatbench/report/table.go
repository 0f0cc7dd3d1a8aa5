package report

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"iocpnetlib/cmd/internal/texttable"
)

// WriteTable writes the result for people to read.
func (r *Result) WriteTable(to io.Writer) {
	fmt.Fprintf(to, "%s: %s\n", r.Scenario, r.describe())
	var t texttable.Table
	if r.Idle == nil || r.Messages > 0 {
		t.Add("messages", r.Messages)
		t.Add("seconds", fmt.Sprintf("%.3f", r.Seconds))
		t.Add("messages/s", fmt.Sprintf("%.0f", r.MessagesPerSecond))
	}
	if l := r.Latency; l != nil {
		for _, row := range []struct {
			name  string
			value time.Duration
		}{{"p50", l.P50}, {"p90", l.P90}, {"p99", l.P99}, {"p99.9", l.P999}, {"max", l.Max}} {
			t.Add("latency "+row.name, micros(row.value))
		}
	}
	if l := r.GeneratorLag; l != nil {
		t.Add("generator late p50", micros(l.P50))
		t.Add("generator late p99", micros(l.P99))
	}
	if s := r.Server; s != nil {
		t.Add("server CPU", s.share(r.Seconds))
		if s.NsPerMessage != nil {
			t.Add("server CPU a message", fmt.Sprintf("%.0f ns", *s.NsPerMessage))
		}
		t.Add("server memory", fmt.Sprintf("%.1f MiB", float64(s.RSSBytes)/(1<<20)))
		if s.SyscallsPerMessage != nil {
			t.Add("server system calls a message", fmt.Sprintf("%.4f", *s.SyscallsPerMessage))
		}
	} else {
		t.Add("server CPU, memory", "unknown")
	}
	if g := r.Generator; g != nil {
		t.Add("generator CPU", g.share(r.Seconds))
		if g.NsPerMessage != nil {
			t.Add("generator CPU a message", fmt.Sprintf("%.0f ns", *g.NsPerMessage))
		}
	}
	if i := r.Idle; i != nil {
		t.Add("idle connections", i.Connections)
		t.Add("server memory without, with", fmt.Sprintf("%.1f, %.1f MiB", float64(i.RSSBeforeBytes)/(1<<20),
			float64(i.RSSAfterBytes)/(1<<20)))
		t.Add("bytes a connection", fmt.Sprintf("%.0f", i.BytesPerConnection))
	}
	t.Write(to)
	if r.ErrorCount == 0 {
		fmt.Fprintln(to, "Every reply was right.")
		return
	}
	fmt.Fprintf(to, "%d errors:\n", r.ErrorCount)
	for _, text := range r.Errors {
		fmt.Fprintf(to, "  %s\n", text)
	}
}

// describe says in a few words what was done.
func (r *Result) describe() string {
	s := r.Parameters
	var text string
	switch s.Workload {
	case "echo":
		text = fmt.Sprintf("echo, %d connections, packets of %d bytes", s.Connections, s.Size)
	case "idle":
		return fmt.Sprintf("idle, %d connections, each after %d packets", s.Connections, s.InFlight)
	default:
		text = fmt.Sprintf("%s, %d rooms of %d members", s.Workload, s.Rooms, s.Members)
	}
	if s.OpenLoop() {
		return text + ", " + strconv.FormatFloat(s.Rate, 'f', -1, 64) + " a second"
	}
	return fmt.Sprintf("%s, %d in flight", text, s.InFlight)
}

func micros(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}

// share is the processor time in percent of one core.
func (c *CPU) share(seconds float64) string {
	if seconds == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.0f %% (user %.2f s, system %.2f s)", 100*c.Seconds/seconds, c.UserSeconds, c.SystemSeconds)
}
