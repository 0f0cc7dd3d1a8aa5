package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// plan is what is measured, and how often.
type plan struct {
	Rows          []row
	Servers       []server
	Wine          bool // Windows programs
	Rounds        int
	SyscallRounds int // in how many of them, the first, system calls are counted
}

// rotated is servers beginning with another one in each round, so that none is always measured on a machine that the
// same neighbour has warmed up.
func rotated(servers []server, round int) []server {
	first := round % len(servers)
	return append(append([]server{}, servers[first:]...), servers[:first]...)
}

// runAll measures the plan round by round, row by row, and in a row server by server, so that servers that are compared
// run close together. What fails is noted, and the rest goes on; only the end of ctx ends it early. measure is that of
// bench. log gets a line for each value.
func (p *plan) runAll(ctx context.Context, r *results, log io.Writer,
	measure func(context.Context, *row, *server, pass, float64) (map[metric]float64, error)) {
	for round := range p.Rounds {
		order := rotated(p.Servers, round)
		for i := range p.Rows {
			run := &rowRun{row: &p.Rows[i], round: round, results: r, log: log, failed: make(map[string]bool)}
			run.measure = func(s *server, p pass, rate float64) (map[metric]float64, error) {
				return measure(ctx, run.row, s, p, rate)
			}
			run.allPasses(ctx, order, round < p.SyscallRounds)
		}
	}
}

// rowRun is one row in one round.
type rowRun struct {
	row     *row
	round   int
	results *results
	log     io.Writer
	failed  map[string]bool // servers that are not tried any more
	measure func(*server, pass, float64) (map[metric]float64, error)
}

func (r *rowRun) allPasses(ctx context.Context, order []server, withSyscalls bool) {
	if r.row.Workload == workloadIdle {
		r.onePass(ctx, order, passMemory, 0)
		return
	}
	r.onePass(ctx, order, passLoad, 0)
	if withSyscalls {
		r.onePass(ctx, order, passSyscalls, 0)
	}
	// The rate is that of the peer in this very round: the machine may be slower in the next one.
	if speed, ok := r.results.byRound(r.row.Name, epollPeer, metricSpeed)[r.round]; ok {
		r.onePass(ctx, withLatencyGoal(order), passRate, rateFor(speed, r.row.Members))
	}
}

// withLatencyGoal are the servers whose latency is compared: this project's, and what the kernel allows.
func withLatencyGoal(servers []server) []server {
	var chosen []server
	for _, s := range servers {
		if s.isOurs() || s.Family == familyKernel {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

func (r *rowRun) onePass(ctx context.Context, order []server, p pass, rate float64) {
	for i := range order {
		s := &order[i]
		if ctx.Err() != nil {
			return
		}
		if r.failed[s.Name] {
			continue
		}
		values, err := r.measure(s, p, rate)
		if ctx.Err() != nil {
			return // it failed because it was ended
		}
		if err != nil {
			// Without perf there are no counts, but everything else can be measured.
			r.failed[s.Name] = p != passSyscalls
			r.results.Failures = append(r.results.Failures, failure{r.row.Name, s.Name, r.round, p, err.Error()})
			fmt.Fprintf(r.log, "round %d  %-16s %-16s %-9s FAILED: %v\n", r.round+1, r.row.Name, s.Name, p, err)
			continue
		}
		for m, value := range values {
			r.results.Samples = append(r.results.Samples, sample{r.row.Name, s.Name, r.round, m, value})
		}
		fmt.Fprintf(r.log, "round %d  %-16s %-16s %-9s %s\n", r.round+1, r.row.Name, s.Name, p, summary(values))
	}
}

// summary is a line for whoever waits.
func summary(values map[metric]float64) string {
	var parts []string
	for _, one := range []struct {
		metric metric
		unit   float64
		format string
	}{
		{metricCPU, 1000, "%.3f µs CPU"},
		{metricSpeed, 1, "%.0f/s"},
		{metricSyscalls, 1, "%.4f system calls"},
		{metricRate, 1, "%.0f/s offered"},
		{metricOpenP99, 1e6, "p99 %.2f ms"},
		{metricMemory, 1, "%.0f B a connection"},
	} {
		if value, ok := values[one.metric]; ok {
			parts = append(parts, fmt.Sprintf(one.format, value/one.unit))
		}
	}
	return strings.Join(parts, ", ")
}
