package stream

import (
	"container/list"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Config is what a door asks of its clients before their packets are read.
type Config struct {
	// Proxies are the networks whose connections have to begin with a PROXY header, version 1 or 2.
	Proxies []netip.Prefix
	// TLS is nil for a door without.
	TLS *tls.Config
	// WebSocket is nil for a door whose streams are the packets.
	WebSocket *WebSocket
	// MaxPacketSize is the length of the longest packet that may come.
	MaxPacketSize int
	// HandshakeTimeout bounds header and handshakes together; MaxHandshakes is how many clients may be at them at once.
	// One more ends the oldest of the address that has most of them (HandshakesFull). With WebSocket who loads a page is
	// one of them.
	HandshakeTimeout time.Duration
	MaxHandshakes    int
	// Refused is told of every client that was turned away; why wraps a Refusal. Any goroutine.
	Refused func(peer net.Addr, why error)
	// Logger gets what the HTTP server says, at level debug.
	Logger *zap.Logger
}

// isPlain reports that there is nothing to do before packets are read.
func (c *Config) isPlain() bool { return len(c.Proxies) == 0 && c.TLS == nil && c.WebSocket == nil }

// Listener makes Conns of the connections that a TCP listener accepts. Handshakes run on goroutines of their own.
type Listener struct {
	tcp        net.Listener
	config     Config
	handshakes handshakes
	accepted   chan acceptance // no room: who waits for Accept is not lost when the listener closes
	closed     chan struct{}
	closeOnce  sync.Once
	group      sync.WaitGroup
	web        *webServer // nil without WebSocket
}

type acceptance struct {
	conn Conn
	err  error
}

// Listen makes a Listener around tcp, which it owns from then on, and whose connections have to be *net.TCPConn. Close
// and Wait end it.
func Listen(tcp net.Listener, config Config) *Listener {
	l := &Listener{
		tcp:        tcp,
		config:     config,
		handshakes: handshakes{max: config.MaxHandshakes, byAddress: make(map[netip.Addr]*list.List)},
		accepted:   make(chan acceptance),
		closed:     make(chan struct{}),
	}
	if config.isPlain() {
		return l
	}
	if config.WebSocket != nil {
		l.web = newWebServer(l)
		l.group.Go(l.web.serve)
	}
	l.group.Go(l.acceptLoop)
	return l
}

// Addr is the address that it listens on.
func (l *Listener) Addr() net.Addr { return l.tcp.Addr() }

// Accept waits for the next Conn, which the caller owns. An error is the system's and says nothing about later calls,
// or net.ErrClosed. One goroutine.
func (l *Listener) Accept() (Conn, error) {
	if l.config.isPlain() {
		conn, err := l.tcp.Accept()
		if err != nil {
			return nil, err
		}
		return &tcpConn{TCPConn: conn.(*net.TCPConn)}, nil
	}
	select {
	case a := <-l.accepted:
		if c, ok := a.conn.(*webSocketConn); ok {
			c.watch() // here, so that nothing of it begins after Wait
		}
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops listening and ends every handshake. Conns stay. Any goroutine; again it does nothing.
func (l *Listener) Close() {
	l.closeOnce.Do(func() {
		close(l.closed)
		_ = l.tcp.Close()
		l.handshakes.close()
		if l.web != nil {
			l.web.close()
		}
	})
}

// Wait returns when no goroutine of it is left: after Close, and the end of every Conn. The HTTP server's end by themselves
// then.
func (l *Listener) Wait() { l.group.Wait() }

func (l *Listener) acceptLoop() {
	for {
		conn, err := l.tcp.Accept()
		if err != nil {
			select {
			case l.accepted <- acceptance{err: err}:
				continue
			case <-l.closed:
				return
			}
		}
		below := &tcpConn{TCPConn: conn.(*net.TCPConn)}
		begun, displaced := l.handshakes.begin(below, time.Now().Add(l.config.HandshakeTimeout))
		// One that has asked for a page and is kept open in case its browser wants another is no client that was refused.
		if displaced != nil && !displaced.hasAsked.Load() {
			l.refuse(displaced, HandshakesFull)
		}
		if begun != nil {
			l.group.Go(func() { l.admit(begun) })
		}
	}
}

// admit does what comes before the packets.
func (l *Listener) admit(h *handshake) {
	_ = h.conn.SetDeadline(h.until)
	conn, err := l.shakeHands(h)
	if err != nil {
		l.turnAway(h, err)
		return
	}
	_ = h.conn.SetDeadline(time.Time{})
	if l.web != nil {
		l.web.hand(newWebConn(conn, h, l))
		return
	}
	if h.end() {
		l.deliver(conn)
	}
}

func (l *Listener) shakeHands(h *handshake) (Conn, error) {
	below := h.conn
	if contains(l.config.Proxies, below.TCPConn.RemoteAddr()) {
		if err := readProxyHeader(below); err != nil {
			return nil, err
		}
		h.isFrom(below.RemoteAddr())
	}
	if l.config.TLS == nil {
		return below, nil
	}
	return shakeHands(below, l.config.TLS)
}

// deliver gives a Conn to Accept.
func (l *Listener) deliver(conn Conn) {
	select {
	case l.accepted <- acceptance{conn: conn}:
	case <-l.closed:
		conn.Abort()
	}
}

// farewellTime is how long a client that is turned away may take to read why: an alert of TLS, or a line of HTTP, would
// be lost with the reset that closing with unread bytes causes.
const farewellTime = time.Second

// turnAway ends a connection whose handshake failed.
func (l *Listener) turnAway(h *handshake, err error) {
	_, isRefusal := errors.AsType[Refusal](err)
	switch {
	case isRefusal:
	case errors.Is(err, os.ErrDeadlineExceeded):
		if h.end() {
			l.refuse(h, fmt.Errorf("%w: %w", HandshakeTimeout, err))
			h.conn.Abort()
		}
		return
	case errors.Is(err, io.EOF), isBroken(err): // it has left by itself
		h.end()
		_ = h.conn.Close()
		return
	default:
		err = fmt.Errorf("%w: %w", HandshakeFailed, err)
	}
	l.refuse(h, err)
	_ = h.conn.SetDeadline(time.Now().Add(farewellTime))
	h.conn.Finish(EndedByViolation, func(int) {})
	h.end()
	_ = h.conn.Close()
}

// refuse tells that a client is turned away, once.
func (l *Listener) refuse(h *handshake, why error) {
	if !h.isTold.Swap(true) && l.config.Refused != nil {
		l.config.Refused(h.conn.RemoteAddr(), why)
	}
}

// isBroken reports that the connection itself failed, whatever was spoken on it.
func isBroken(err error) bool {
	_, isSystem := errors.AsType[*os.SyscallError](err)
	return isSystem || errors.Is(err, net.ErrClosed) || errors.Is(err, errTLSBroken)
}
