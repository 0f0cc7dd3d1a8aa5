// Package steptest is what the tests of the examples share: a core, and a client that speaks packets.
package steptest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// patience bounds everything that a test waits for: far more than is needed, so that only a hang reaches it.
const patience = 30 * time.Second

// Core is the native core where it has been built, otherwise the one in pure Go.
func Core(t *testing.T) bridge.Core {
	t.Helper()
	core, err := bridge.Open(bridge.CoreAuto, nil)
	if missing, ok := errors.AsType[*bridge.LibraryError](err); ok {
		t.Log("the pure-Go core instead: ", missing)
		core, err = bridge.Open(bridge.CoreGo, nil)
	}
	require.NoError(t, err)
	return core
}

// Serve runs an example's serve until the test ends, and then stops its core.
func Serve(t *testing.T, serve func(core bridge.Core) error) bridge.Core {
	t.Helper()
	core := Core(t)
	ended := make(chan error, 1)
	go func() { ended <- serve(core) }()
	t.Cleanup(func() {
		_ = core.BeginStop() // a core that did not start has told so by serve
		require.NoError(t, Wait(t, ended))
		require.NoError(t, core.Close())
	})
	WaitForPort(t, core)
	return core
}

// WaitForPort waits until a core listens.
func WaitForPort(t *testing.T, core bridge.Core) {
	t.Helper()
	require.Eventually(t, func() bool { return core.Port() != 0 }, patience, time.Millisecond)
}

// Wait waits for the end of something.
func Wait(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Fatal("it does not end")
		return nil
	}
}

// Client is the other side of a connection.
type Client struct {
	t    *testing.T
	conn net.Conn
}

// Dial connects to a core that listens.
func Dial(t *testing.T, core bridge.Core) *Client {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(core.Port())))
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { conn.Close() })
	return &Client{t, conn}
}

// Send sends a packet.
func (c *Client) Send(id uint16, body string) {
	c.t.Helper()
	packet := binary.LittleEndian.AppendUint16(nil, uint16(bridge.HeaderLength+len(body)))
	packet = binary.LittleEndian.AppendUint16(packet, id)
	_, err := c.conn.Write(append(append(packet, 0), body...))
	require.NoError(c.t, err)
}

// Receive waits for the next packet.
func (c *Client) Receive() (id uint16, body string) {
	c.t.Helper()
	header := make([]byte, bridge.HeaderLength)
	_, err := io.ReadFull(c.conn, header)
	require.NoError(c.t, err)
	rest := make([]byte, binary.LittleEndian.Uint16(header)-bridge.HeaderLength)
	_, err = io.ReadFull(c.conn, rest)
	require.NoError(c.t, err)
	return binary.LittleEndian.Uint16(header[2:]), string(rest)
}

// Expect waits for the next packet, which is to be this one.
func (c *Client) Expect(id uint16, body string) {
	c.t.Helper()
	gotID, gotBody := c.Receive()
	require.Equal(c.t, id, gotID)
	require.Equal(c.t, body, gotBody)
}

// ExpectEnd waits until the server has ended the connection.
func (c *Client) ExpectEnd() {
	c.t.Helper()
	_, err := c.conn.Read(make([]byte, 1))
	require.ErrorIs(c.t, err, io.EOF)
}

// Close ends the connection.
func (c *Client) Close() { c.conn.Close() }
