package bridge

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// loopBatch is how many messages the loop takes at a time: enough that the cost of a Poll and a Submit disappears, few
// enough that the first answer does not wait long for the last.
const loopBatch = 256

// maxTasks is how many tasks may wait for the loop. Who has another one waits.
const maxTasks = 64

// yieldPeriod is how long a loop that has its thread to itself runs before it yields. The Go runtime watches for
// goroutines that run for 10 ms without being scheduled anew (runtime.forcePreemptNS), and a loop that only ever waits in
// C looks like one. The watching thread then interrupts it and, worse, looks 20 µs later for the next, again and again:
// with one echo at a time that was a fifth of the server's processor time.
const yieldPeriod = 5 * time.Millisecond

// threadBound is a core that works best if it is always polled on the same system thread.
type threadBound interface{ bindsThread() bool }

// Handler is logic: it takes one message at a time and adds what it wants sent to batch. It keeps neither.
type Handler interface {
	HandleMessage(message *Message, batch *SendBatch)
}

// ErrLoopEnded is what Loop.Do returns when the loop has ended, or ends before it has come to the task.
var ErrLoopEnded = errors.New("bridge: the logic loop has ended")

// Loop is the logic loop: one goroutine polls a core, gives every message to a handler and submits the answers. Others
// may let it do something between two batches. A Loop runs once.
type Loop struct {
	core    Core
	handler Handler
	tasks   chan func(batch *SendBatch)
	ended   chan struct{}
	times   LoopTimes
	clock   *loopClock // Run's

	// wakes keeps the end of the loop, after which its core may be closed, and calls of the core apart.
	wakes sync.RWMutex
}

// NewLoop makes a loop that does not run yet.
func NewLoop(core Core, handler Handler) *Loop {
	return &Loop{core: core, handler: handler, tasks: make(chan func(*SendBatch), maxTasks), ended: make(chan struct{})}
}

// Run is NewLoop and its Run, for who has no tasks.
func Run(ctx context.Context, core Core, handler Handler) error {
	return NewLoop(core, handler).Run(ctx)
}

// Times are what the loop has measured of itself. Any goroutine.
func (l *Loop) Times() *LoopTimes { return &l.times }

// Waiting is how many tasks wait for the loop, 64 at most. Any goroutine.
func (l *Loop) Waiting() int { return len(l.tasks) }

// Do lets the loop run task between two batches, and waits until it has: so task may use everything that belongs to the
// handler. What it adds to batch is sent. It must not block. The error is the context's or ErrLoopEnded; task may run
// even after the context has ended. Any goroutine but the loop's own.
func (l *Loop) Do(ctx context.Context, task func(batch *SendBatch)) error {
	done := make(chan struct{})
	wrapped := func(batch *SendBatch) {
		defer close(done)
		task(batch)
	}
	select {
	case l.tasks <- wrapped:
	case <-l.ended:
		return ErrLoopEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.wake()
	select {
	case <-done:
		return nil
	case <-l.ended:
		select {
		case <-done: // in the last turn
			return nil
		default:
			return ErrLoopEnded
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wake makes the loop look for tasks, unless it has ended.
func (l *Loop) wake() {
	l.wakes.RLock()
	defer l.wakes.RUnlock()
	select {
	case <-l.ended:
	default:
		l.core.WakePoll()
	}
}

func (l *Loop) end() {
	l.wakes.Lock()
	defer l.wakes.Unlock()
	close(l.ended)
}

// Run polls on the calling goroutine until the core was told to stop (BeginStop or Stop) and everything was delivered;
// then it returns nil. It also returns between two batches once ctx is cancelled (call WakePoll after that, it may be
// waiting), with the context's cause, and with an error if the core fails. It does not stop the core. With a native
// core the goroutine has its system thread to itself meanwhile.
func (l *Loop) Run(ctx context.Context) error {
	defer l.end()
	core, isBound := l.core.(threadBound)
	isBound = isBound && core.bindsThread()
	if isBound {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	l.clock = newLoopClock()
	yielded := time.Duration(0)
	messages := make([]Message, loopBatch)
	var batch SendBatch
	for ctx.Err() == nil {
		n, err := l.core.Poll(messages, WaitForever)
		begin := l.clock.now()
		if hasEnded(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("logic loop: poll: %w", err)
		}
		if err := l.turn(messages[:n], &batch); err != nil {
			if hasEnded(err) {
				return nil
			}
			return fmt.Errorf("logic loop: submit: %w", err)
		}
		end := l.clock.now()
		l.times.add(n, end-begin)
		if isBound && end-yielded >= yieldPeriod {
			runtime.Gosched()
			yielded = end
		}
	}
	return context.Cause(ctx)
}

// turn handles what one Poll has brought, and the tasks that wait, and submits what comes of it.
func (l *Loop) turn(messages []Message, batch *SendBatch) error {
	var err error
	for i := range messages {
		if l.times.isSample() {
			begin := l.clock.now()
			l.handler.HandleMessage(&messages[i], batch)
			l.times.Handler.add(l.clock.now() - begin)
		} else {
			l.handler.HandleMessage(&messages[i], batch)
		}
		if batch.Full() {
			err = errors.Join(err, l.submit(batch))
		}
	}
	for range len(l.tasks) { // not those that come meanwhile: messages wait
		(<-l.tasks)(batch)
	}
	return errors.Join(err, l.submit(batch))
}

func (l *Loop) submit(batch *SendBatch) error {
	if batch.Len() == 0 {
		return nil
	}
	err := l.core.Submit(batch)
	batch.Reset()
	return err
}

// hasEnded reports whether err says that the core was stopped: while the loop waited, or between two of its calls.
func hasEnded(err error) bool { return errors.Is(err, ErrStopped) || errors.Is(err, ErrNotStarted) }
