// Package doorclient is the client's side of the server's doors, for tests and load: the bytes of packets go through TLS
// and WebSocket as they would through plain TCP. It shares no code with the server.
package doorclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// Kind is how a door is entered. The zero Kind is plain TCP.
type Kind struct{ TLS, WebSocket bool }

// kinds are the names that the server has for its doors.
var kinds = map[string]Kind{"tcp": {}, "tls": {TLS: true}, "ws": {WebSocket: true}, "wss": {TLS: true, WebSocket: true}}

// ParseKind is the kind with a name: tcp, tls, ws or wss.
func ParseKind(name string) (Kind, error) {
	kind, ok := kinds[name]
	if !ok {
		return kind, fmt.Errorf("a door is tcp, tls, ws or wss, not %q", name)
	}
	return kind, nil
}

// IsPlain reports that there is nothing around the packets.
func (k Kind) IsPlain() bool { return k == Kind{} }

// String is the name.
func (k Kind) String() string {
	for name, kind := range kinds {
		if kind == k {
			return name
		}
	}
	return "" // there is none left
}

// Socket is a TCP connection, and what is spoken on it. Read and Write go through the door; what else a TCP connection
// can do happens below it. As for net.Conn, one goroutine may read while another writes.
type Socket struct {
	*net.TCPConn
	layer io.ReadWriter
	tls   *tls.Conn
	web   *WebSocket
}

// Enter does the handshakes on socket, whose deadlines bound them and which the Socket owns from then on, also after an
// error. config, for the kinds with TLS, has to say which server is trusted. Packets over maxPacketSize are taken for
// what breaks the protocol, see WebSocket.Write.
func Enter(socket *net.TCPConn, kind Kind, config *tls.Config, maxPacketSize int) (*Socket, error) {
	c := &Socket{TCPConn: socket, layer: socket}
	if kind.TLS {
		c.tls = tls.Client(socket, config)
		if err := c.tls.HandshakeContext(context.Background()); err != nil { // the deadlines bound it
			return nil, errors.Join(err, socket.Close())
		}
		c.layer = c.tls
	}
	if kind.WebSocket {
		web, err := upgrade(c.layer, maxPacketSize)
		if err != nil {
			return nil, errors.Join(err, socket.Close())
		}
		c.layer, c.web = web, web
	}
	return c, nil
}

func (c *Socket) Read(p []byte) (int, error) {
	n, err := c.layer.Read(p)
	if c.tls != nil && errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF // the server said no goodbye in TLS
	}
	return n, err
}

func (c *Socket) Write(p []byte) (int, error) { return c.layer.Write(p) }

// WriteTo hides that of the TCP connection, which io.Copy would take and which reads below the door.
func (c *Socket) WriteTo(to io.Writer) (int64, error) { return io.Copy(to, struct{ io.Reader }{c}) }

// ReadFrom hides that of the TCP connection, as WriteTo does.
func (c *Socket) ReadFrom(from io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, from)
}

// CloseWrite ends the sending side below WebSocket: its own goodbye would end both.
func (c *Socket) CloseWrite() error {
	if c.tls != nil {
		if err := c.tls.CloseWrite(); err != nil {
			return err
		}
	}
	return c.TCPConn.CloseWrite()
}

// WebSocket is what speaks it, nil for other kinds.
func (c *Socket) WebSocket() *WebSocket { return c.web }
