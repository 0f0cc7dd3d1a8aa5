package bridge

import (
	"net"
	"time"

	"golang.org/x/sys/windows"
)

// setUserTimeout breaks the connection when what was sent is not acknowledged for so long. A socket that cannot be set
// is broken, and says so on reading.
func setUserTimeout(socket *net.TCPConn, timeout time.Duration) {
	const tcpMaxRT = 5 // seconds; ws2ipdef.h of the Windows SDK
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	seconds := int(min(roundedUp(timeout, time.Second), 1<<31-1))
	_ = raw.Control(func(fd uintptr) {
		_ = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_TCP, tcpMaxRT, seconds)
	})
}
