package chatbench

import (
	"fmt"
	"io"
	"time"

	"iocpnetlib/cmd/internal/chatbench/load"
)

// linePeriod is the time between two lines of progress that do not replace each other.
const linePeriod = 10 * time.Second

// progressLine tells how far a run is: on a terminal in one line that changes, otherwise in a line every ten seconds.
type progressLine struct {
	to         io.Writer
	isTerminal bool

	told time.Time
	open bool // the line on the terminal has no end yet
}

func (l *progressLine) show(p load.Progress) {
	now := time.Now()
	if !l.isTerminal && now.Sub(l.told) < linePeriod {
		return
	}
	l.told = now
	line := p.Phase
	if p.Length > 0 {
		line += fmt.Sprintf(" %v of %v: %.0f messages/s", p.Elapsed.Round(100*time.Millisecond), p.Length, p.Rate)
	}
	if p.Latency.Count > 0 {
		line += fmt.Sprintf(", latency p50 %v, p99 %v", p.Latency.P50.Round(time.Microsecond/10),
			p.Latency.P99.Round(time.Microsecond/10))
	}
	if l.isTerminal {
		fmt.Fprintf(l.to, "\r\x1b[K%s", line)
		l.open = true
		return
	}
	fmt.Fprintln(l.to, line)
}

// done ends the line.
func (l *progressLine) done() {
	if l.open {
		fmt.Fprintln(l.to)
		l.open = false
	}
}
