// Package load is what chatbench's clients do: they connect to a server, send what a scenario says, check every byte
// that comes back, and measure.
package load

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/cmd/internal/chatbench/serverwatch"
	"iocpnetlib/cmd/internal/failures"
	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/processusage"
)

// patience bounds every wait for the server: far more than is needed, so that only a hang reaches it.
const patience = 30 * time.Second

// Options are what a run needs beside its scenario.
type Options struct {
	Address  string             // of the server, host:port
	Door     Door               // that is there
	Watch    *serverwatch.Watch // of the server's process; nil: it is not watched
	Patience time.Duration      // how long the last answers may take; 0: 30 s
	Progress func(Progress)     // called about twice a second on the goroutine of Run; nil: nobody looks
}

// Measurement is what a run has measured.
type Measurement struct {
	Messages int64         // that came in the measured time: packets (echo), notifies (room), packets of any kind (mixed)
	Time     time.Duration // the measured time
	Latency  *latency.Histogram
	Lag      *latency.Histogram // how late the load itself has sent, in an open loop; otherwise nil
	Server   *serverwatch.Use   // nil: it was not watched, or this system does not tell
	Own      processusage.Times // of this process in the measured time
	Idle     *IdleMemory        // of the workload idle; otherwise nil

	Failures     []string // the first things that were wrong
	FailureCount int      // of all
}

// clients are those of one workload.
type clients interface {
	// connect connects all of them. After an error, too, shut may be called.
	connect(ctx context.Context) error
	// start lets them send.
	start()
	// settle waits until everything that was sent is answered, once the window has ended. The clients know by themselves
	// when to send no more. It notes what is missing after patience as a failure.
	settle(ctx context.Context)
	// shut closes what is open and waits until all goroutines have ended.
	shut()
	// counted is how many messages came in the window. It is known after shut only.
	counter
	counted() int64
}

// counter counts the messages that have come since the start.
type counter interface{ messages() int64 }

// Run runs a scenario that was checked. Wrong replies and a server that ends are in the measurement, as far as there
// is one. The error is context.Canceled after a cancel, and otherwise says why there is nothing measured.
func Run(ctx context.Context, s *scenario.Scenario, o Options) (*Measurement, error) {
	if err := allowOpenFiles(s.Clients()); err != nil {
		return nil, err
	}
	r := newRun(s, o)
	if s.Workload == scenario.Idle {
		return r.measureIdle(ctx)
	}
	var c clients
	switch s.Workload {
	case scenario.Echo:
		c = newEchoClients(r)
	case scenario.Mixed:
		c = newMixedClients(r)
	default:
		c = newRoomClients(r)
	}
	return r.measure(ctx, c)
}

// run is what everything of one run shares.
type run struct {
	scenario *scenario.Scenario
	options  Options
	failures *failures.List
	window   *window
	latency  *latency.Histogram
	lag      *latency.Histogram
	stopping stopping
}

func newRun(s *scenario.Scenario, o Options) *run {
	o.Patience = cmp.Or(o.Patience, patience)
	r := &run{scenario: s, options: o, failures: failures.NewList(), window: newWindow(), latency: latency.NewHistogram()}
	if s.OpenLoop() {
		r.lag = latency.NewHistogram()
	}
	return r
}

func (r *run) measure(ctx context.Context, c clients) (*Measurement, error) {
	defer c.shut()
	r.show(Progress{Phase: "connecting"})
	if err := c.connect(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	m := &Measurement{Latency: r.latency, Lag: r.lag}
	c.start()
	if r.wait(ctx, "warm-up", r.scenario.Warmup.Duration, c) {
		if err := r.measureWindow(ctx, c, m); err != nil {
			r.failures.Add("%v", err)
		}
	}
	r.window.end()
	if ctx.Err() == nil {
		c.settle(ctx)
	}
	c.shut()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	m.Messages = c.counted()
	m.Failures, m.FailureCount = r.failures.First()
	return m, nil
}

// measureWindow measures for the time that the scenario says.
func (r *run) measureWindow(ctx context.Context, c counter, m *Measurement) error {
	if r.options.Watch != nil {
		if err := r.options.Watch.Begin(); err != nil {
			return fmt.Errorf("at the beginning of the measured time: %w", err)
		}
	}
	before, err := processusage.ReadTimes(os.Getpid())
	if err != nil {
		return err
	}
	r.window.begin()
	r.wait(ctx, "measuring", r.scenario.Duration.Duration, c)
	m.Time = r.window.end()
	if r.options.Watch != nil {
		use, err := r.options.Watch.End()
		if err != nil {
			return fmt.Errorf("at the end of the measured time: %w", err)
		}
		if use.Available {
			m.Server = &use
		}
	}
	after, err := processusage.ReadTimes(os.Getpid())
	m.Own = after.Sub(before)
	return err
}

// wait waits for a time. It returns false if something has ended the run before.
func (r *run) wait(ctx context.Context, phase string, length time.Duration, c counter) bool {
	end := time.NewTimer(length)
	defer end.Stop()
	tick := time.NewTicker(progressPeriod)
	defer tick.Stop()
	begun, before, messages := time.Now(), time.Now(), c.messages()
	for {
		select {
		case <-end.C:
			return true
		case <-ctx.Done():
			return false
		case <-r.failures.Any():
			return false
		case now := <-tick.C:
			total := c.messages()
			r.show(Progress{Phase: phase, Elapsed: now.Sub(begun), Length: length,
				Rate: float64(total-messages) / now.Sub(before).Seconds(), Latency: r.latency.Quantiles()})
			before, messages = now, total
		}
	}
}
