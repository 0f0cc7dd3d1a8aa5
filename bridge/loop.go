package bridge

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// loopBatch is how many messages the loop takes at a time: enough that the cost of a Poll and a Submit disappears, few
// enough that the first answer does not wait long for the last.
const loopBatch = 256

// Handler is logic: it takes one message at a time and adds what it wants sent to batch. It keeps neither.
type Handler interface {
	HandleMessage(message *Message, batch *SendBatch)
}

// Run is the logic loop: it polls core, gives every message to handler and submits the answers, on the calling
// goroutine, until core was told to stop (BeginStop or Stop) and everything was delivered; then it returns nil. It
// also returns between two batches once ctx is cancelled (call WakePoll after that, it may be waiting), with the
// context's cause, and with an error if the core fails. It does not stop the core. Meanwhile the goroutine has its
// system thread to itself.
func Run(ctx context.Context, core Core, handler Handler) error {
	// A core without I/O threads does its I/O on this thread, and io_uring reports to the thread that began an operation:
	// if that was another one, each message would have to wait for it to enter the kernel.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
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
