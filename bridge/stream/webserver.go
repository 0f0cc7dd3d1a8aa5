package stream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
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
	maxWebRequests  = 100 // on one connection
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

// served notes that a connection has made a request, and ends one that has made many: nobody needs to, and nothing else
// bounds what each costs.
func (w *webServer) served(next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		conn := connOf(request)
		conn.handshake.hasAsked.Store(true)
		if conn.requests++; conn.requests >= maxWebRequests || conn.isOver.Load() {
			conn.isOver.Store(true)
			response.Header().Set("Connection", "close")
		}
		next.ServeHTTP(response, request)
	})
}

// upgrade makes a WebSocket of a request. A connection whose request is refused ends.
func (w *webServer) upgrade(response http.ResponseWriter, request *http.Request) {
	l, settings := w.listener, w.listener.config.WebSocket
	conn := connOf(request)
	if err := checkOrigin(request, settings.Origins); err != nil {
		l.refuse(conn.handshake, err)
		conn.isOver.Store(true)
		response.Header().Set("Connection", "close")
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
		l.refuse(conn.handshake, fmt.Errorf("%w: %w", HandshakeFailed, err))
		conn.isOver.Store(true)
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
	// A page without TLS, which anybody on the way may have changed, is not of the same origin as a server with it.
	isSecure := connOf(request).listener.config.TLS == nil || origin.Scheme == "https"
	if host == strings.ToLower(request.Host) && isSecure {
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
