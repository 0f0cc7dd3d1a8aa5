package serverrun

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// maxQueuedLines is how many log lines may wait for a log that takes them slowly. Further ones are dropped.
const maxQueuedLines = 1024

// logQueue stands between the logger and the file that it logs to. Whoever logs, a core's I/O threads among them, goes
// on at once, also when nobody reads the other end of the file any more: the server's clients do not depend on it.
type logQueue struct {
	to     io.Writer
	notice func(dropped uint64) []byte // the line that tells of dropped ones
	lines  chan []byte
	close  sync.Once
	closed chan struct{} // closed by Close
	ended  chan struct{} // closed when the goroutine has ended

	sampled atomic.Uint64 // lines that the logger left out because there were many like them

	mutex      sync.Mutex
	dropped    uint64 // since the last notice
	allDropped uint64
}

func newLogQueue(to io.Writer, notice func(dropped uint64) []byte) *logQueue {
	q := &logQueue{to: to, notice: notice, lines: make(chan []byte, maxQueuedLines), closed: make(chan struct{}),
		ended: make(chan struct{})}
	go q.run()
	return q
}

// Write queues a line or, when there is no room for it, drops it. It never blocks and never fails.
func (q *logQueue) Write(line []byte) (int, error) {
	select {
	case q.lines <- bytes.Clone(line): // the logger uses its buffer again
	default:
		q.drop(1)
	}
	return len(line), nil
}

// Sync makes it a zapcore.WriteSyncer. It waits for nothing; Close does.
func (q *logQueue) Sync() error { return nil }

// Close waits until what was logged before is written, but not longer than limit, and reports whether it is. What is
// logged from then on is lost. A write that the system does not finish is left behind: it ends with the process.
func (q *logQueue) Close(limit time.Duration) bool {
	q.close.Do(func() { close(q.closed) })
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-q.ended:
		return true
	case <-timer.C:
		return false
	}
}

func (q *logQueue) run() {
	defer close(q.ended)
	for {
		select {
		case line := <-q.lines:
			q.write(line)
		case <-q.closed:
			for len(q.lines) > 0 { // nobody else takes from it
				q.write(<-q.lines)
			}
			return
		}
	}
}

// write writes a line, and the notice once it has caught up with those who log.
func (q *logQueue) write(line []byte) {
	if _, err := q.to.Write(line); err != nil {
		q.drop(1)
		return
	}
	if len(q.lines) > 0 {
		return
	}
	q.mutex.Lock()
	dropped := q.dropped
	q.dropped = 0
	q.mutex.Unlock()
	if dropped > 0 {
		if _, err := q.to.Write(q.notice(dropped)); err != nil {
			q.mutex.Lock()
			q.dropped += dropped // to be told of later
			q.mutex.Unlock()
		}
	}
}

func (q *logQueue) drop(lines uint64) {
	q.mutex.Lock()
	q.dropped += lines
	q.allDropped += lines
	q.mutex.Unlock()
}

// leftOut tells how many lines were lost because nobody read the log fast enough, and how many were left out because
// there were many like them. Any goroutine.
func (q *logQueue) leftOut() (dropped, sampled uint64) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return q.allDropped, q.sampled.Load()
}
