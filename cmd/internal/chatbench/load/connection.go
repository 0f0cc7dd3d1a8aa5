package load

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"time"

	"iocpnetlib/cmd/internal/tcpdial"
	"iocpnetlib/internal/doorclient"
)

// Door is how the clients come in. The zero Door is plain TCP.
type Door struct {
	Kind doorclient.Kind
	TLS  *tls.Config // says whom clients trust; for kinds with TLS
}

// connection is a TCP connection, and what is spoken on it. What is measured without a door is the server and the
// system: there is nothing between a client and its socket then.
type connection struct {
	*net.TCPConn
	door *doorclient.Socket // nil: plain TCP
}

// dial connects client number index, and does the handshakes of the door.
func (r *run) dial(ctx context.Context, index int) (*connection, error) {
	conn, err := tcpdial.Dial(ctx, r.options.Address, sourceAddress(r.options.Address, index), nil, patience)
	if err != nil {
		return nil, err
	}
	door := &r.options.Door
	if door.Kind.IsPlain() {
		return &connection{TCPConn: conn}, nil
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	socket, err := doorclient.Enter(conn, door.Kind, door.TLS, math.MaxUint16)
	if !release() && err == nil {
		err = errors.Join(ctx.Err(), socket.Close())
	}
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &connection{conn, socket}, nil
}

func (c *connection) Read(p []byte) (int, error) {
	if c.door != nil {
		return c.door.Read(p)
	}
	return c.TCPConn.Read(p)
}

func (c *connection) Write(p []byte) (int, error) {
	if c.door != nil {
		return c.door.Write(p)
	}
	return c.TCPConn.Write(p)
}

func (c *connection) CloseWrite() error {
	if c.door != nil {
		return c.door.CloseWrite()
	}
	return c.TCPConn.CloseWrite()
}
