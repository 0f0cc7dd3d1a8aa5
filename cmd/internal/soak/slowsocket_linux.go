package soak

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// slowSegment is the segment size of a slow reader in bytes: that of an Ethernet. The system sizes the send buffer of
// its peer by segments, and with the 64 KiB ones of the loopback interface it takes some 2.5 MB before the server
// notices anything.
const slowSegment = 1400

// slowSocket makes the system's own buffers small before the connection is made.
func slowSocket(_, _ string, raw syscall.RawConn) error {
	var err error
	control := raw.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, slowSegment); err == nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, slowReceiveBuffer)
		}
	})
	if control != nil {
		return control
	}
	return err
}
