package stream

import (
	"net"
	"time"
)

// tcpConn is a stream of packets that is a TCP connection, and what the other kinds are built on.
type tcpConn struct {
	*net.TCPConn
	early []byte   // was received and not read yet
	peer  net.Addr // as a PROXY header told it; nil: the socket's
}

func (c *tcpConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.TCPConn.Read(p)
}

func (c *tcpConn) RemoteAddr() net.Addr {
	if c.peer != nil {
		return c.peer
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

// withoutDeadlines is a connection whose deadlines only its owner sets, below the layer that it is given to: crypto/tls
// sets some of its own when it closes.
type withoutDeadlines struct{ *tcpConn }

func (withoutDeadlines) SetDeadline(time.Time) error      { return nil }
func (withoutDeadlines) SetReadDeadline(time.Time) error  { return nil }
func (withoutDeadlines) SetWriteDeadline(time.Time) error { return nil }
