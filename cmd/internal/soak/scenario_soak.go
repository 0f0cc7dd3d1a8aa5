package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"iocpnetlib/cmd/internal/processusage"
	"iocpnetlib/cmd/internal/texttable"
)

// soakWindow is the time whose chats make one value of p99 in the picture: some 4,000 chats, so that 40 lie above it.
const soakWindow = 10 * time.Second

// Soak runs members, slow readers, flooders and churners together, and records the server over time.
func Soak(ctx context.Context, c *Config, out io.Writer, progress *Progress) error {
	writer, err := newRecordWriter(c.CSV)
	if err != nil {
		return err
	}
	s, err := begin(ctx, c, out)
	if err != nil {
		return errors.Join(err, writer.close())
	}
	run := &soakRun{session: s, writer: writer, progress: progress}
	run.run()
	if err := writer.close(); err != nil {
		s.checks.Add("what was recorded could not all be written: %v", err)
	}
	if c.SVG != "" && len(run.records) > 0 {
		if err := Draw(run.records, c.SVG); err != nil {
			s.checks.Add("the picture could not be drawn: %v", err)
		} else {
			fmt.Fprintf(out, "The picture is in %s\n", c.SVG)
		}
	}
	slow := run.slowClosed()
	err = s.end()
	if told := s.server.Log().Total("closed.send_buffer_full"); err == nil && told < slow {
		return &Failure{[]string{fmt.Sprintf("%d slow readers were disconnected, and the server tells of %d with "+
			"reason send_buffer_full", slow, told)}, 1}
	}
	return err
}

// soakRun is what belongs to one soak.
type soakRun struct {
	*session
	writer   *recordWriter
	progress *Progress

	crowd *crowd
	slow  *slowReaders
	flood *flooders
	churn *churners

	// These belong to the watch while it runs.
	records []record
	window  *window            // all chats; those of 10 s are taken out together, by when they came back: none is lost
	taken   time.Time          // when
	before  processusage.Usage // the last sample
	at      time.Time
}

func (r *soakRun) slowClosed() int64 {
	if r.slow == nil {
		return 0
	}
	return r.slow.disconnected.Load()
}

func (r *soakRun) run() {
	c := r.config
	idle := r.usage()
	var err error
	if r.crowd, err = gatherCrowd(r.ctx, r.entrance, c, r.checks); err != nil {
		r.checks.Add("%v", err)
		return
	}
	r.slow = startSlowReaders(r.ctx, r.entrance, c, r.checks, 0)
	r.flood = startFlooders(r.ctx, r.entrance, c, r.checks, 0)
	r.churn = startChurners(r.ctx, r.entrance, c, r.checks, 0)
	r.before, r.at = r.usage(), time.Now()
	r.taken, r.window = r.at, newWindow(time.Time{}, r.at.Add(2*c.Duration+time.Hour))
	r.crowd.watchWindows(r.window)
	watch := startWatch(r.server.PID(), r.sample)
	pause(r.ctx, c.Duration)
	watch.stop()
	r.progress.done()
	r.slow.stop()
	r.flood.stop()
	r.churn.stop()
	chats, notifies := r.crowd.finish(r.ctx)
	r.summary(chats, notifies)
	if r.ctx.Err() == nil {
		after := r.settled(idle)
		// Not all handles: the Go runtime opens two when it first needs its network poller, which may be any time.
		if after.Sockets != idle.Sockets {
			r.checks.Add("the server has %d sockets open when all clients have gone, %d before they came",
				after.Sockets, idle.Sockets)
		}
	}
}

// sample makes one record. Watch's goroutine.
func (r *soakRun) sample(now time.Time, u processusage.Usage) {
	chats, _ := r.crowd.totals()
	rec := record{Time: now.Sub(r.crowd.start), Usage: u, Chats: chats, Churned: r.churn.connections(),
		SlowClosed: r.slow.disconnected.Load(), Flooded: r.flood.packets.Load()}
	if elapsed := now.Sub(r.at); elapsed > watchPeriod/2 { // not the first one, which comes at once
		rec.CPU = float64(u.CPU-r.before.CPU) / float64(elapsed)
	}
	r.before, r.at = u, now
	if now.Sub(r.taken) >= soakWindow-watchPeriod/2 {
		rec.Latency, rec.Lag, r.taken = r.window.latencies.Take(), r.window.lag.Take().P99, now
	}
	r.records = append(r.records, rec)
	if err := r.writer.write(&rec); err != nil {
		r.checks.Add("the CSV file: %v", err)
	}
	r.progress.show(&rec, r.config.Duration)
}

// summary compares the last third of the time with the third before it: what is flat has a ratio of 1.
func (r *soakRun) summary(chats, notifies int64) {
	fmt.Fprintf(r.out, "%d chats of members, %d notifies of them checked, %d connections churned, %d slow readers "+
		"disconnected, %d packets flooded\n", chats, notifies, r.churn.connections(), r.slow.disconnected.Load(),
		r.flood.packets.Load())
	lag := r.crowd.lag.Take()
	fmt.Fprintf(r.out, "The load itself sent late by %s ms at p50, %s ms at p99\n", millis(lag.P50), millis(lag.P99))
	third := len(r.records) / 3
	if third == 0 {
		return
	}
	middle, last := r.records[third:2*third], r.records[2*third:]
	var t texttable.Table
	t.Add("median of", "2nd third", "last third", "ratio")
	for _, p := range panels() {
		for _, line := range p.lines {
			a, b := medianOf(middle, line), medianOf(last, line)
			if a > 0 {
				t.Add(line.name+p.unit(), fmt.Sprintf("%.2f", a), fmt.Sprintf("%.2f", b), fmt.Sprintf("%.3f", b/a))
			}
		}
	}
	fmt.Fprintln(r.out)
	t.Write(r.out)
}

func medianOf(records []record, line series) float64 {
	var values []float64
	for i := range records {
		if value, known := line.value(&records[i]); known {
			values = append(values, value)
		}
	}
	return median(values)
}
