package bridge

import (
	"errors"
	"fmt"
)

// IOBackend is the system's means that a native core does I/O with.
type IOBackend int32

// The backends. A core that cannot do I/O with the one that is asked for does not start.
const (
	// IOAuto is the best that there is: IOCP on Windows; on Linux io_uring, or epoll where io_uring is not to be had.
	IOAuto  IOBackend = 0
	IOCP    IOBackend = 1
	IOEpoll IOBackend = 2
	IOUring IOBackend = 3
)

var ioBackendNames = [...]string{IOAuto: "auto", IOCP: "iocp", IOEpoll: "epoll", IOUring: "io_uring"}

// String is the name that ParseIOBackend reads.
func (b IOBackend) String() string {
	if b < 0 || int(b) >= len(ioBackendNames) {
		return fmt.Sprintf("IOBackend(%d)", int32(b))
	}
	return ioBackendNames[b]
}

// ParseIOBackend returns the backend of a name: auto, io_uring, epoll or iocp. The error says what is allowed.
func ParseIOBackend(name string) (IOBackend, error) {
	for b, known := range ioBackendNames {
		if name == known {
			return IOBackend(b), nil
		}
	}
	return 0, errors.New("allowed is auto, io_uring, epoll or iocp")
}
