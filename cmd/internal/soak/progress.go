package soak

import (
	"fmt"
	"io"
	"time"
)

// Progress tells how far a soak is: on a terminal one line that changes every second, otherwise a line a minute.
type Progress struct {
	To       io.Writer
	Terminal bool

	told time.Duration // time of the last line
	p99  time.Duration // of the last window
	open bool          // the line on the terminal has no end yet
}

const progressPeriod = time.Minute

func (p *Progress) show(r *record, duration time.Duration) {
	if r.Latency.Count > 0 {
		p.p99 = r.Latency.P99
	}
	if !p.Terminal && r.Time-p.told < progressPeriod {
		return
	}
	p.told = r.Time.Truncate(time.Second)
	left := max(duration-r.Time, 0).Round(time.Second)
	line := fmt.Sprintf("%v, %v left: p99 %s ms, %d chats, %d connections churned, %d slow readers disconnected, "+
		"%d packets flooded", r.Time.Round(time.Second), left, millis(p.p99), r.Chats, r.Churned, r.SlowClosed, r.Flooded)
	if r.Usage.Available {
		line += fmt.Sprintf("; server %s MiB, %d handles, %d threads, %.2f cores", mebibytes(r.Usage.Memory),
			r.Usage.Handles, r.Usage.Threads, r.CPU)
	}
	if p.Terminal {
		fmt.Fprintf(p.To, "\r\x1b[K%s", line)
		p.open = true
		return
	}
	fmt.Fprintln(p.To, line)
}

// done ends the line.
func (p *Progress) done() {
	if p.open {
		fmt.Fprintln(p.To)
		p.open = false
	}
}
