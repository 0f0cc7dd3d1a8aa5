package stream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// webConn is a connection of the HTTP server, and what is below a WebSocket.
type webConn struct {
	Conn      // below: TCP or TLS
	local     net.Addr
	handshake *handshake
	listener  *Listener

	requests int         // that it has made
	isOver   atomic.Bool // no further request is read

	early    earlyBytes
	isKnown  bool        // that what comes is for HTTP
	hasSaid  bool        // something has come
	timedOut atomic.Bool // a read took too long
	hasLeft  atomic.Bool // the client ended the connection, or it broke

	socket *webSocketConn // whose reads go on after a deadline; nil before it is one
}

func newWebConn(below Conn, h *handshake, l *Listener) *webConn {
	return &webConn{Conn: below, local: h.conn.LocalAddr(), handshake: h, listener: l}
}

func (c *webConn) LocalAddr() net.Addr { return c.local }

// SetReadDeadline is the HTTP server's: until a request has come, what came before it counts as well.
func (c *webConn) SetReadDeadline(t time.Time) error {
	if !c.handshake.hasAsked.Load() && (t.IsZero() || t.After(c.handshake.until)) {
		t = c.handshake.until
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *webConn) Read(p []byte) (int, error) {
	if c.socket != nil {
		return c.socket.readBelow(p)
	}
	if c.isOver.Load() {
		return 0, io.EOF
	}
	if !c.isKnown {
		if err := c.readFirst(); err != nil {
			return 0, err
		}
	}
	if len(c.early) > 0 {
		return c.early.take(p), nil
	}
	return c.readNoting(p)
}

// readNoting reads, and keeps in mind how that went.
func (c *webConn) readNoting(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.timedOut.Store(true)
	case err != nil:
		c.hasLeft.Store(true)
	}
	c.hasSaid = c.hasSaid || n > 0
	return n, err
}

// readFirst reads until it is known what begins, and refuses what HTTP would not understand: it would call a PROXY header
// a bad request and not say why, and wait for the first line's end in a TLS handshake.
func (c *webConn) readFirst() error {
	var piece [512]byte // less than the HTTP server reads at once
	for {
		n, err := c.readNoting(piece[:])
		c.early = append(c.early, piece[:n]...)
		begins, mayBegin := BeginsWithProxyHeader(c.early)
		switch {
		case begins:
			return c.refuse(ProxyHeaderNotAllowed)
		case len(c.early) > 0 && c.early[0] == tlsHandshakeRecord:
			return c.refuse(errTLSWithout)
		case !mayBegin || len(c.early) > 0 && errors.Is(err, io.EOF):
			c.isKnown = true
			return nil
		case err != nil:
			return err
		}
	}
}

// tlsHandshakeRecord is what a TLS connection begins with: the type of a record (RFC 8446, 5.1).
const tlsHandshakeRecord = 22

var errTLSWithout = fmt.Errorf("%w: TLS on a port for plain HTTP", HandshakeFailed)

func (c *webConn) refuse(why error) error {
	c.listener.refuse(c.handshake, why)
	c.end()
	return why
}

// Close is the HTTP server's.
func (c *webConn) Close() error {
	if !c.handshake.hasAsked.Load() && !c.hasLeft.Load() && c.handshake.end() {
		switch {
		case c.timedOut.Load():
			c.listener.refuse(c.handshake, HandshakeTimeout)
		case c.hasSaid: // the server has answered that it is none
			c.listener.refuse(c.handshake, fmt.Errorf("%w: no HTTP request", HandshakeFailed))
		}
	}
	c.end()
	return nil
}

func (c *webConn) end() {
	c.handshake.end()
	_ = c.Conn.Close()
}

var _ net.Conn = (*webConn)(nil)
