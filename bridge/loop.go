package bridge

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// loopBatch is how many messages the loop takes at a time: enough that the cost of a Poll and a Submit disappears, few
// enough that the first answer does not wait long for the last.
const loopBatch = 256

// yieldPeriod is how long a loop that has its thread to itself runs before it yields. The Go runtime watches for
// goroutines that run for 10 ms without being scheduled anew (runtime.forcePreemptNS), and a loop that only ever waits in
// C looks like one. The watching thread then interrupts it and, worse, looks 20 µs later for the next, again and again:
// with one echo at a time that was a fifth of the server's processor time.
const yieldPeriod = 5 * time.Millisecond

// threadBound is a core that works best if it is always polled on the same system thread.
type threadBound interface{ bindsThread() }

// Handler is logic: it takes one message at a time and adds what it wants sent to batch. It keeps neither.
type Handler interface {
	HandleMessage(message *Message, batch *SendBatch)
}

// Run is the logic loop: it polls core, gives every message to handler and submits the answers, on the calling
// goroutine, until core was told to stop (BeginStop or Stop) and everything was delivered; then it returns nil. It
// also returns between two batches once ctx is cancelled (call WakePoll after that, it may be waiting), with the
// context's cause, and with an error if the core fails. It does not stop the core. With a native core the goroutine has
// its system thread to itself meanwhile.
func Run(ctx context.Context, core Core, handler Handler) error {
	_, isBound := core.(threadBound)
	if isBound {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	yielded := time.Now()
	messages := make([]Message, loopBatch)
	var batch SendBatch
	submit := func() error {
		if batch.Len() == 0 {
			return nil
		}
		err := core.Submit(&batch)
		batch.Reset()
		return err
	}
	for ctx.Err() == nil {
		if isBound && time.Since(yielded) >= yieldPeriod {
			runtime.Gosched()
			yielded = time.Now()
		}
		n, err := core.Poll(messages, WaitForever)
		if hasEnded(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("logic loop: poll: %w", err)
		}
		for i := range messages[:n] {
			handler.HandleMessage(&messages[i], &batch)
			if batch.Full() {
				err = errors.Join(err, submit())
			}
		}
		if err = errors.Join(err, submit()); err != nil {
			if hasEnded(err) {
				return nil
			}
			return fmt.Errorf("logic loop: submit: %w", err)
		}
	}
	return context.Cause(ctx)
}

// hasEnded reports whether err says that the core was stopped: while the loop waited, or between two of its calls.
func hasEnded(err error) bool { return errors.Is(err, ErrStopped) || errors.Is(err, ErrNotStarted) }
