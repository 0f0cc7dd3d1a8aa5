package soak

import (
	"context"
	"sync"
	"time"
)

// hostile is a group of clients that do harm until they are stopped.
type hostile struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// unleash starts count clients. Each runs until its context is done.
func unleash(ctx context.Context, count int, run func(ctx context.Context, index int)) *hostile {
	ctx, cancel := context.WithCancel(ctx)
	h := &hostile{cancel: cancel}
	for index := range count {
		h.group.Go(func() { run(ctx, index) })
	}
	return h
}

// stop ends them and returns when the last one has closed its connection.
func (h *hostile) stop() {
	h.cancel()
	h.group.Wait()
}

// wait is for a hostile group that ends by itself.
func (h *hostile) wait() { h.group.Wait() }

// pause waits; it returns false if the context ended first.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// firstIncarnation numbers the clients of one group after the other, so that no name comes twice.
func firstIncarnation(group int) int64 { return int64(group) * 1_000_000 }
