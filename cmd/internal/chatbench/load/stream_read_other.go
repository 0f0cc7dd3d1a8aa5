//go:build !linux

package load

import (
	"errors"
	"io"
)

// read reads until the server ends the connection in order, between two packets: the only end that is no error.
func (s *stream) read(to receiver) error {
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
