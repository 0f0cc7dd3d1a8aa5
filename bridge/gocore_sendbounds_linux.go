package bridge

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setSendBounds bounds what the system does for a peer that does not answer: the connection breaks when what was sent is
// not acknowledged for userTimeout (0: the system's time), and no more is taken while systemSendBound bytes wait to be
// sent, where Linux by itself would take megabytes. A socket that cannot be set is broken, and says so on reading.
func setSendBounds(socket *net.TCPConn, userTimeout time.Duration) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	milliseconds := int(min(userTimeout.Milliseconds(), 1<<31-1))
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, milliseconds)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, systemSendBound)
	})
}

// systemSendBound is as in the native core: enough to keep a fast line busy until the writer's next turn, and little
// beside a send buffer.
const systemSendBound = 128 << 10
