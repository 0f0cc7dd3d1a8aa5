package bridge

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout breaks the connection when what was sent is not acknowledged for so long. A socket that cannot be set
// is broken, and says so on reading.
func setUserTimeout(socket *net.TCPConn, timeout time.Duration) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	milliseconds := int(min(timeout.Milliseconds(), 1<<31-1))
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, milliseconds)
	})
}
