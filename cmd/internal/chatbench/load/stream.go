package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// stream is the receiving side of a connection: one goroutine reads as much as there is into a large buffer and hands
// it on in place.
type stream struct {
	conn   *connection
	buffer []byte
	filled int         // bytes of the buffer that were received and not used up yet
	ending atomic.Bool // the client has ended its side, so the server's end follows
}

// endWriting ends the client's side of the connection.
func (s *stream) endWriting() {
	s.ending.Store(true)
	_ = s.conn.CloseWrite()
}

// interrupt makes reads and writes of the connection fail. Unlike closing it, that does not wait for whoever is about to
// read or write: who in turn may wait for another connection, or for a lock.
func (s *stream) interrupt() {
	if s.conn != nil {
		_ = s.conn.SetDeadline(time.Unix(1, 0))
	}
}

// close closes the connection, if there is one. Nobody may use it any more.
func (s *stream) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// Bounds of a receive buffer: all of a run together have some memory, and each has room for many packets.
const (
	allBuffers  = 64 << 20
	leastBuffer = 4 << 10
	mostBuffer  = 64 << 10
)

// bufferSize is the size of each receive buffer of so many clients whose largest packet has so many bytes.
func bufferSize(clients, packet int) int {
	return max(min(max(allBuffers/clients, leastBuffer), mostBuffer), 2*packet)
}

// receiver looks at what has come. It belongs to the goroutine that reads.
type receiver interface {
	// receive gets the bytes that are there, and returns how many of them it has used up: whole packets. The rest comes
	// again with more behind it.
	receive(data []byte) (used int, err error)
}

// take hands on what was received, and keeps what is not used up.
func (s *stream) take(n int, to receiver) error {
	s.filled += n
	used, err := to.receive(s.buffer[:s.filled])
	if err != nil {
		return err
	}
	s.filled = copy(s.buffer, s.buffer[used:s.filled])
	return nil
}

// readByRead is read with one call of Read after the other.
func (s *stream) readByRead(to receiver) error {
	for {
		n, err := s.conn.Read(s.buffer[s.filled:])
		if n > 0 {
			if err := s.take(n, to); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return s.checkEnd()
		}
		if err != nil {
			return err
		}
	}
}

// checkEnd is for a connection that the server has ended in order.
func (s *stream) checkEnd() error {
	if s.filled > 0 {
		return fmt.Errorf("the server ended the connection within a packet, after %d bytes", s.filled)
	}
	return nil
}

// exchange writes a request and reads an answer of so many bytes. Nothing else may come.
func (s *stream) exchange(request []byte, answer int) ([]byte, error) {
	_ = s.conn.SetDeadline(time.Now().Add(patience))
	defer func() { _ = s.conn.SetDeadline(time.Time{}) }()
	if _, err := s.conn.Write(request); err != nil {
		return nil, err
	}
	n, err := io.ReadAtLeast(s.conn, s.buffer, answer)
	if err != nil {
		return nil, err
	}
	if n > answer {
		return nil, fmt.Errorf("%d bytes came where %d have to come", n, answer)
	}
	return s.buffer[:n], nil
}

// stopping tells the goroutines of a run that their connections end.
type stopping struct {
	orderly atomic.Bool // nobody sends any more
	cut     atomic.Bool // what goes wrong from now on has no meaning
}

// waitSender waits until a sender has ended, and notes it as a failure if the server keeps it from that.
func (r *run) waitSender(ctx context.Context, ended <-chan struct{}) bool {
	if r.waitUntil(ctx, ended) {
		return true
	}
	if _, count := r.failures.First(); count == 0 && ctx.Err() == nil {
		r.failures.Add("the server does not read what it is sent, since %v", r.options.Patience)
	}
	return false
}

// waitUntil waits until done is closed. It returns false if something else ended the wait: a cancel, a failure, or
// patience.
func (r *run) waitUntil(ctx context.Context, done <-chan struct{}) bool {
	limit := time.NewTimer(r.options.Patience)
	defer limit.Stop()
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-r.failures.Any():
	case <-limit.C:
	}
	return false
}
