package stream

import (
	"net"
	"sync/atomic"
)

// tcpConn is a stream of packets that is a TCP connection, and what the other kinds are built on.
type tcpConn struct {
	*net.TCPConn
	early earlyBytes
	// peer is the client as a PROXY header told it; nil: the socket's. Who ends the handshake may want to know it.
	peer atomic.Pointer[net.TCPAddr]
}

func (c *tcpConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		return c.early.take(p), nil
	}
	return c.TCPConn.Read(p)
}

// earlyBytes were received by who looked at the beginning, and are not read yet.
type earlyBytes []byte

func (e *earlyBytes) take(p []byte) int {
	n := copy(p, *e)
	*e = (*e)[n:]
	return n
}

func (c *tcpConn) RemoteAddr() net.Addr {
	if peer := c.peer.Load(); peer != nil {
		return peer
	}
	return c.TCPConn.RemoteAddr()
}

func (c *tcpConn) Piece(packets []byte, size int) int { return min(size, len(packets)) }

func (c *tcpConn) Finish(_ Ending, discarded func(int)) {
	if c.CloseWrite() == nil {
		readAway(c, discarded)
	}
}

func (c *tcpConn) Abort() {
	_ = c.SetLinger(0)
	_ = c.TCPConn.Close()
}

// readAway reads until the peer ends or the deadline is over.
func readAway(c interface{ Read([]byte) (int, error) }, discarded func(int)) {
	var rest [4 << 10]byte
	for {
		n, err := c.Read(rest[:])
		discarded(n)
		if err != nil {
			return
		}
	}
}
