package bridge

import (
	"net"
	"time"

	"golang.org/x/sys/windows"
)

// setSendBounds breaks the connection when what was sent is not acknowledged for userTimeout (0: the system's time). A
// socket that cannot be set is broken, and says so on reading. How much the system takes, it bounds itself.
func setSendBounds(socket *net.TCPConn, userTimeout time.Duration) {
	if userTimeout == 0 {
		return
	}
	const tcpMaxRT = 5 // seconds; ws2ipdef.h of the Windows SDK
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	seconds := int(min(roundedUp(userTimeout, time.Second), 1<<31-1))
	_ = raw.Control(func(fd uintptr) {
		_ = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_TCP, tcpMaxRT, seconds)
	})
}
