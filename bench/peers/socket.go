package main

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// maxWaiting is how many bytes may wait for a client before it is disconnected.
const maxWaiting = 4 << 20

// socket writes to a connection without ever making the caller wait: what the kernel does not take at once is written
// by a goroutine of its own, which ends when it has written all.
type socket struct {
	conn *net.TCPConn
	raw  syscall.RawConn

	// Of the attempt that is being made, by one goroutine at a time: what to write, and what came of it.
	attempt []byte
	written int
	err     error
	try     func(descriptor uintptr) bool // made once and not for every write

	mutex     sync.Mutex
	isWriting bool   // a goroutine is writing what waits
	waiting   []byte // what it has not begun to write
}

func newSocket(conn *net.TCPConn) (*socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, raw: raw}
	s.try = func(descriptor uintptr) bool {
		for {
			s.written, s.err = syscall.Write(int(descriptor), s.attempt)
			if !errors.Is(s.err, syscall.EINTR) {
				return true // in any case: never wait here
			}
		}
	}
	return s, nil
}

// write writes out.data, now or later, and releases out. One goroutine at a time. A connection that fails is closed,
// which its reader notices.
func (s *socket) write(out *buffer) {
	defer out.release()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	rest := out.data
	if !s.isWriting {
		s.attempt, s.written = rest, 0
		err := s.raw.Write(s.try)
		s.attempt = nil
		if err == nil {
			err = s.err
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			s.close()
			return
		}
		rest = rest[max(s.written, 0):]
		if len(rest) == 0 {
			return
		}
		s.isWriting = true
		go s.writeWaiting()
	}
	if len(s.waiting)+len(rest) > maxWaiting {
		s.close()
		return
	}
	s.waiting = append(s.waiting, rest...)
}

func (s *socket) writeWaiting() {
	for {
		s.mutex.Lock()
		rest := s.waiting
		s.waiting = nil
		s.isWriting = len(rest) > 0
		s.mutex.Unlock()
		if len(rest) == 0 {
			return
		}
		if _, err := s.conn.Write(rest); err != nil {
			s.close() // and nobody tries to write again: isWriting stays set
			return
		}
	}
}

// close closes the connection. A second time it does nothing.
func (s *socket) close() {
	// An error here is that it is closed already, or that the peer is gone: both are what is wanted.
	_ = s.conn.Close()
}
