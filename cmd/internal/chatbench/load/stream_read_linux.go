package load

import (
	"os"

	"golang.org/x/sys/unix"
)

// read reads until the server ends the connection in order, between two packets: the only end that is no error.
//
// The Read of package net asks the system once more after every message, only to hear that there is nothing. This one
// does not: a socket that has given less than there was room for is empty, and what comes later wakes the goroutine,
// since the runtime is told of every change. One thing may come unnoticed: an end that has come together with the last
// bytes wakes nobody again. Where the end is expected, the socket is therefore read until it has nothing. Where it is
// not, the end is noticed at the next write, or at the end of the run as messages that are missing.
//
// Through a door, what the socket has is not what the client gets.
func (s *stream) read(to receiver) error {
	if s.conn.door != nil {
		return s.readByRead(to)
	}
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) (done bool) {
		for {
			room := s.buffer[s.filled:]
			n, err := unix.Read(int(fd), room)
			switch {
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN:
				return false
			case err != nil:
				failed = os.NewSyscallError("read", err)
				return true
			case n == 0:
				failed = s.checkEnd()
				return true
			}
			if failed = s.take(n, to); failed != nil {
				return true
			}
			if n < len(room) && !s.ending.Load() {
				return false
			}
		}
	})
	if failed != nil {
		return failed
	}
	return err
}
