package soak

import (
	"context"
	"sync"
	"time"
)

// usage is what a process uses at one moment.
type usage struct {
	Available bool  // false: this system does not tell, and the rest is 0
	Memory    int64 // resident, in bytes
	Handles   int   // open files and sockets
	Sockets   int   // of these: each connection has one, and so has the listener
	Threads   int
	CPU       time.Duration // processor time since its start
}

// watch samples a process once a second.
type watch struct {
	pid    int
	cancel context.CancelFunc
	ended  chan struct{}

	mutex sync.Mutex
	peak  int64 // resident bytes since the last call of takePeak
	last  usage
}

const watchPeriod = time.Second

// startWatch begins to sample. each is called with every sample, on the watch's goroutine; it may be nil.
func startWatch(pid int, each func(now time.Time, u usage)) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{pid: pid, cancel: cancel, ended: make(chan struct{})}
	go w.run(ctx, each)
	return w
}

func (w *watch) run(ctx context.Context, each func(time.Time, usage)) {
	defer close(w.ended)
	tick := time.NewTicker(watchPeriod)
	defer tick.Stop()
	for {
		u, err := readUsage(w.pid)
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
