package load

import (
	"time"

	"iocpnetlib/cmd/internal/latency"
)

const progressPeriod = 500 * time.Millisecond

// Progress is how far a run is.
type Progress struct {
	Phase           string        // what the clients do
	Elapsed, Length time.Duration // of the phase; Length is 0 if it is not known
	Rate            float64       // messages a second since the last progress
	Latency         latency.Quantiles
}

func (r *run) show(p Progress) {
	if r.options.Progress != nil {
		r.options.Progress(p)
	}
}
