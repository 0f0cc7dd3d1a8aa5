package soak

import (
	"context"
	"fmt"
	"time"

	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/texttable"
)

// round is one round of a comparison.
type round struct {
	latency.Quantiles
	lag    time.Duration // p99 of how late the load itself sent
	memory int64         // highest resident bytes of the server
	cpu    time.Duration // processor time of the server
	length time.Duration
}

// compare measures the members' latency in pairs of rounds, without and with hostile clients, in turns: whatever else
// changes on the machine meanwhile meets both. with starts the hostile clients and returns what stops them.
func (s *session) compare(crowd *crowd, with func(pair int) (stop func())) (quiet, hostile []round) {
	w := startWatch(s.server.PID(), nil)
	defer w.stop()
	if !pause(s.ctx, s.config.WarmUp) {
		return nil, nil
	}
	for pair := range s.config.Pairs {
		fmt.Fprintf(s.out, "pair %d of %d ...\n", pair+1, s.config.Pairs)
		r, ok := s.round(crowd, w)
		if !ok {
			return quiet, hostile
		}
		quiet = append(quiet, r)
		stop := with(pair)
		ok = pause(s.ctx, s.config.WarmUp)
		if ok {
			r, ok = s.round(crowd, w)
		}
		stop()
		// What the hostile ones have left behind is not to count as quiet.
		if !ok || !crowd.settle(s.ctx, time.Now()) || !pause(s.ctx, s.config.WarmUp) {
			return quiet, hostile
		}
		hostile = append(hostile, r)
	}
	return quiet, hostile
}

// round measures the chats that are due in the time of one round, until the last of them has come back.
func (s *session) round(crowd *crowd, w *watch) (round, bool) {
	from := time.Now()
	window := newWindow(from, from.Add(s.config.Round))
	crowd.watchWindows(window)
	defer crowd.watchWindows()
	before := s.usage()
	w.takePeak()
	if !pause(s.ctx, s.config.Round) || !crowd.settle(s.ctx, window.to) {
		return round{}, false
	}
	after := s.usage()
	return round{window.latencies.Take(), window.lag.Take().P99, max(w.takePeak(), after.Memory), after.CPU - before.CPU,
		time.Since(from)}, true
}

// report writes the tables of a comparison, and checks the ratio of p99.
func (s *session) report(quiet, hostile []round, name string) {
	pairs := min(len(quiet), len(hostile))
	if pairs == 0 {
		return
	}
	var t texttable.Table
	t.Add("pair", "p50", "p99", "p99.9", "load", "p50", "p99", "p99.9", "load", "p50", "p99", "p99.9")
	var p50, p99, p999 []float64
	for i := range pairs {
		q, h := quiet[i], hostile[i]
		p50 = append(p50, ratio(h.P50, q.P50))
		p99 = append(p99, ratio(h.P99, q.P99))
		p999 = append(p999, ratio(h.P999, q.P999))
		t.Add(i+1, millis(q.P50), millis(q.P99), millis(q.P999), millis(q.lag), millis(h.P50), millis(h.P99),
			millis(h.P999), millis(h.lag), times(p50[i]), times(p99[i]), times(p999[i]))
	}
	fmt.Fprintf(s.out, "\nLatency of the members' own chats in ms, from the time they were due: %v a round, %d chats. Four\n"+
		"columns quiet, four with %s, and the ratios. load is p99 of how late the load itself sent: where it\n"+
		"is near p99, that round tells of the machine and not of the server.\n", s.config.Round, quiet[0].Count, name)
	t.Write(s.out)
	fmt.Fprintf(s.out, "\nRatio, median (min..max) of %d pairs: p50 %s, p99 %s, p99.9 %s\n", pairs, spread(p50),
		spread(p99), spread(p999))
	if limit := s.config.MaxP99Ratio; limit > 0 && median(p99) > limit {
		s.checks.Add("p99 of the members is %s times as long with %s, and at most %v is promised", times(median(p99)), name,
			limit)
	}
	if quiet[0].memory > 0 {
		fmt.Fprintf(s.out, "The server: memory at most %s MiB quiet, %s MiB with %s; processor %s quiet, %s with %s\n",
			mebibytes(peakMemory(quiet)), mebibytes(peakMemory(hostile)), name, cpuShare(quiet), cpuShare(hostile), name)
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

func times(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }

func peakMemory(rounds []round) (peak int64) {
	for _, r := range rounds {
		peak = max(peak, r.memory)
	}
	return peak
}

// cpuShare is the processor time a second, in percent of one core.
func cpuShare(rounds []round) string {
	var shares []float64
	for _, r := range rounds {
		shares = append(shares, 100*float64(r.cpu)/float64(r.length))
	}
	return fmt.Sprintf("%.0f %%", median(shares))
}

// compareScenario is what the scenarios have in common that compare rounds.
func compareScenario(ctx context.Context, s *session, name string, with func(pair int) (stop func()),
	after func(quiet, hostile []round)) error {
	crowd, err := gatherCrowd(s.ctx, s.entrance, s.config, s.checks)
	if err != nil {
		s.checks.Add("%v", err)
		return s.end()
	}
	quiet, hostile := s.compare(crowd, with)
	chats, notifies := crowd.finish(s.ctx)
	s.report(quiet, hostile, name)
	lag := crowd.lag.Take()
	fmt.Fprintf(s.out, "%d chats of members, %d notifies of them checked; the load itself sent late by %s ms at p50, "+
		"%s ms at p99\n", chats, notifies, millis(lag.P50), millis(lag.P99))
	if ctx.Err() == nil {
		after(quiet, hostile)
	}
	return s.end()
}
