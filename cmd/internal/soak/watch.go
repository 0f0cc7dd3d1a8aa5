package soak

import (
	"context"
	"sync"
	"time"

	"iocpnetlib/cmd/internal/processusage"
)

// watch samples a process once a second.
type watch struct {
	pid    int
	cancel context.CancelFunc
	ended  chan struct{}

	mutex sync.Mutex
	peak  int64 // resident bytes since the last call of takePeak
	last  processusage.Usage
}

const watchPeriod = time.Second

// startWatch begins to sample. each is called with every sample, on the watch's goroutine; it may be nil.
func startWatch(pid int, each func(now time.Time, u processusage.Usage)) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{pid: pid, cancel: cancel, ended: make(chan struct{})}
	go w.run(ctx, each)
	return w
}

func (w *watch) run(ctx context.Context, each func(time.Time, processusage.Usage)) {
	defer close(w.ended)
	tick := time.NewTicker(watchPeriod)
	defer tick.Stop()
	for {
		u, err := processusage.Read(w.pid)
		if err != nil {
			return // it has ended
		}
		w.mutex.Lock()
		w.peak = max(w.peak, u.Memory)
		w.last = u
		w.mutex.Unlock()
		if each != nil {
			each(time.Now(), u)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// takePeak is the highest memory in bytes since the last call.
func (w *watch) takePeak() int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	defer func() { w.peak = 0 }()
	return w.peak
}

func (w *watch) stop() {
	w.cancel()
	<-w.ended
}
