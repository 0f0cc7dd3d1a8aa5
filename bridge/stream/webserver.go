package stream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

// WebSocketPath is where a door takes requests for a WebSocket.
const WebSocketPath = "/ws"

// AnyOrigin lets every page connect, also those that have no origin to name.
const AnyOrigin = "*"

// WebSocket is how a door speaks WebSocket, and what else it serves over HTTP.
type WebSocket struct {
	// Origins are patterns (path.Match) of the origins whose pages may connect, besides the door's own host: a host with
	// its port if that is not the usual one, or scheme://host; or AnyOrigin. Clients that are no browsers send no origin,
	// and may.
	Origins []string
	// MaxMessage is the most bytes of a message, unpacked.
	MaxMessage int
	// PingInterval is how long a client may be silent before it is asked whether it is there; as long again without a
	// word ends it (PongMissing). 0: never.
	PingInterval time.Duration
	// Compression offers permessage-deflate (RFC 7692).
	Compression Compression
	// Pages answers every other request. Nil: nothing is found.
	Pages http.Handler
}

// Compression is how messages are packed if the client wants it.
type Compression int

// The ways. Packing whole messages by themselves needs memory only while it happens; keeping the context packs better and
// needs up to about 1.2 MB a connection for it (compress/flate's writer at its usual level, and a window of 32 KiB).
const (
	NoCompression Compression = iota
	CompressMessages
	CompressContext
)

var compressionModes = map[Compression]websocket.CompressionMode{
	NoCompression:    websocket.CompressionDisabled,
	CompressMessages: websocket.CompressionNoContextTakeover,
	CompressContext:  websocket.CompressionContextTakeover,
}

// compressionThreshold is the least message that is packed: fields of fixed size are mostly zeros, and what is as short
// as an answer gains nothing.
const compressionThreshold = 64

// Bounds of the HTTP side. A page is some dozen kilobytes, and a browser loads the next file at once.
const (
	webWriteTimeout = 30 * time.Second
	webIdleTimeout  = 30 * time.Second
	maxWebHeader    = 16 << 10
)

// webServer is the HTTP side of a door.
type webServer struct {
	listener *Listener
	server   http.Server
	conns    chan net.Conn
}

// webConnKey is where a request's context has its *webConn.
type webConnKey struct{}

func connOf(request *http.Request) *webConn { return request.Context().Value(webConnKey{}).(*webConn) }

func newWebServer(l *Listener) *webServer {
	w := &webServer{listener: l, conns: make(chan net.Conn)}
	mux := http.NewServeMux()
	mux.HandleFunc(WebSocketPath, w.upgrade)
	if pages := l.config.WebSocket.Pages; pages != nil {
		mux.Handle("/", pages)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	errorLog, _ := zap.NewStdLogAt(l.config.Logger, zap.DebugLevel) // it fails for levels that there are not
	w.server = http.Server{
		Handler:           w.served(mux),
		Protocols:         &protocols,
		ReadHeaderTimeout: l.config.HandshakeTimeout,
		ReadTimeout:       l.config.HandshakeTimeout,
		WriteTimeout:      webWriteTimeout,
		IdleTimeout:       webIdleTimeout,
		MaxHeaderBytes:    maxWebHeader,
		ErrorLog:          errorLog,
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, webConnKey{}, conn)
		},
	}
	return w
}

func (w *webServer) serve() { _ = w.server.Serve(webListener{w}) } // its error is that it was closed

func (w *webServer) close() { _ = w.server.Close() }

// hand gives a connection to the HTTP server.
func (w *webServer) hand(conn *webConn) {
	select {
	case w.conns <- conn:
	case <-w.listener.closed:
		conn.end()
	}
}

// webListener is where the HTTP server gets its connections.
type webListener struct{ web *webServer }

func (l webListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.web.conns:
		return conn, nil
	case <-l.web.listener.closed:
		return nil, net.ErrClosed
	}
}

func (l webListener) Close() error   { return nil }
func (l webListener) Addr() net.Addr { return l.web.listener.Addr() }

// served notes that a connection has made a request.
func (w *webServer) served(next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		connOf(request).handshake.hasAsked.Store(true)
		next.ServeHTTP(response, request)
	})
}

// upgrade makes a WebSocket of a request.
func (w *webServer) upgrade(response http.ResponseWriter, request *http.Request) {
	l, settings := w.listener, w.listener.config.WebSocket
	conn := connOf(request)
	if err := checkOrigin(request, settings.Origins); err != nil {
		l.refuse(conn.RemoteAddr(), err)
		http.Error(response, "This origin may not connect.", http.StatusForbidden)
		return
	}
	c := newWebSocketConn(conn, settings)
	socket, err := websocket.Accept(upgrading{response, c}, request, &websocket.AcceptOptions{
		InsecureSkipVerify:   true, // it was checked
		CompressionMode:      compressionModes[settings.Compression],
		CompressionThreshold: compressionThreshold,
		OnPingReceived:       c.onPing,
	})
	if err != nil {
		l.refuse(conn.RemoteAddr(), fmt.Errorf("%w: %w", HandshakeFailed, err))
		return
	}
	if !conn.handshake.end() {
		_ = socket.CloseNow()
		return
	}
	c.begin(socket)
	l.deliver(c)
}

// upgrading lets a webSocketConn see all that the client sends: net/http may have read more than the request.
type upgrading struct {
	http.ResponseWriter
	socket *webSocketConn
}

// Hijack gives the library the connection with a reader that has nothing in it yet.
func (u upgrading) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, both, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := both.Peek(both.Reader.Buffered())
	u.socket.early = bytes.Clone(early)
	both.Reader.Reset(conn)
	return conn, both, nil
}

// checkOrigin says why a page may not connect. Only browsers send an origin, and they do so for every page.
func checkOrigin(request *http.Request, patterns []string) error {
	text := request.Header.Get("Origin")
	if text == "" || slices.Contains(patterns, AnyOrigin) {
		return nil
	}
	origin, err := url.Parse(text)
	if err != nil || origin.Host == "" {
		return fmt.Errorf("%w: %q", OtherOrigin, text)
	}
	host := strings.ToLower(origin.Host)
	if host == strings.ToLower(request.Host) {
		return nil
	}
	for _, pattern := range patterns {
		subject := host
		if strings.Contains(pattern, "://") {
			subject = strings.ToLower(origin.Scheme) + "://" + host
		}
		if matches, err := path.Match(strings.ToLower(pattern), subject); err == nil && matches {
			return nil
		}
	}
	return fmt.Errorf("%w: %q", OtherOrigin, text)
}

// webConn is a connection of the HTTP server, and what is below a WebSocket.
type webConn struct {
	Conn      // below: TCP or TLS
	local     net.Addr
	handshake *handshake
	listener  *Listener

	first    []byte      // of the first bytes, while they may be a PROXY header's
	isKnown  bool        // they are none
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
	n, err := c.Conn.Read(p)
	if !c.isKnown {
		if err := c.look(p[:n]); err != nil {
			return 0, err
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.timedOut.Store(true)
	case err != nil:
		c.hasLeft.Store(true)
	}
	c.hasSaid = c.hasSaid || n > 0
	return n, err
}

// look refuses at once what HTTP would not understand: it would call a PROXY header a bad request and not say why, and
// wait for the first line's end in a TLS handshake.
func (c *webConn) look(p []byte) error {
	c.first = append(c.first, p[:min(len(p), len(proxySignature2))]...)
	begins, mayBegin := BeginsWithProxyHeader(c.first)
	switch {
	case begins:
		return c.refuse(ProxyHeaderNotAllowed)
	case len(c.first) > 0 && c.first[0] == tlsHandshakeRecord:
		return c.refuse(errTLSWithout)
	}
	if !mayBegin {
		c.isKnown, c.first = true, nil
	}
	return nil
}

// tlsHandshakeRecord is what a TLS connection begins with: the type of a record (RFC 8446, 5.1).
const tlsHandshakeRecord = 22

var errTLSWithout = fmt.Errorf("%w: TLS on a port for plain HTTP", HandshakeFailed)

func (c *webConn) refuse(why error) error {
	c.listener.refuse(c.RemoteAddr(), why)
	c.end()
	return why
}

// Close is the HTTP server's.
func (c *webConn) Close() error {
	if !c.handshake.hasAsked.Load() && !c.hasLeft.Load() && c.handshake.end() {
		switch {
		case c.timedOut.Load():
			c.listener.refuse(c.RemoteAddr(), HandshakeTimeout)
		case c.hasSaid: // the server has answered that it is none
			c.listener.refuse(c.RemoteAddr(), fmt.Errorf("%w: no HTTP request", HandshakeFailed))
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
