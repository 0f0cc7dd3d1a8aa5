//go:build !linux

package load

// read reads until the server ends the connection in order, between two packets: the only end that is no error.
func (s *stream) read(to receiver) error { return s.readByRead(to) }
