package main

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/chatmodel"
	"iocpnetlib/internal/doorclient"
)

// The packets of the protocol, put together by hand: these tests look at bytes, so they share no code with the server.
var (
	wire          = chatmodel.Packet
	text          = chatmodel.Text
	loginRequest  = chatmodel.LoginRequest
	loginResponse = chatmodel.LoginResponse
	enterRequest  = chatmodel.EnterRequest
	enterResponse = chatmodel.EnterResponse
	leaveRequest  = chatmodel.LeaveRequest
	leaveResponse = chatmodel.LeaveResponse
	chatRequest   = chatmodel.ChatRequest
	chatResponse  = chatmodel.ChatResponse
	chatNotify    = chatmodel.ChatNotify
)

// tester is what a client needs of a *testing.T, or of the *rapid.T of a property.
type tester interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// client is a connection whose every byte is looked at.
type client struct {
	t    tester
	conn *doorclient.Socket
}

// dial comes in at one of a server's doors, see serverProcess.addressOf. Every later wait on the connection is bounded.
func dial(t tester, address string) *client {
	t.Helper()
	conn, err := enter(splitAddress(t, address))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn}
}

// send sends packets in one piece.
func (c *client) send(packets ...string) {
	c.t.Helper()
	_, err := io.WriteString(c.conn, strings.Join(packets, ""))
	require.NoError(c.t, err)
}

// expect reads what the server sends next, which must be these packets to the byte.
func (c *client) expect(packets ...string) {
	c.t.Helper()
	want := []byte(strings.Join(packets, ""))
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.conn, got)
	require.Equal(c.t, want[:n], got[:n])
	require.NoError(c.t, err, "after %d of %d bytes", n, len(want))
}

// receive reads size bytes.
func (c *client) receive(size int) string {
	c.t.Helper()
	got := make([]byte, size)
	_, err := io.ReadFull(c.conn, got)
	require.NoError(c.t, err)
	return string(got)
}

// do sends a request and expects its answer.
func (c *client) do(request string, answers ...string) {
	c.t.Helper()
	c.send(request)
	c.expect(answers...)
}

// quiet proves that the server has sent nothing more to a client that is logged in: the next bytes are the answer to
// a request that changes nothing.
func (c *client) quiet() {
	c.t.Helper()
	c.do(loginRequest("again"), loginResponse(31))
}

// expectEnd expects that the server closes the connection in order, without a byte more, and closes it too, which the
// server waits for.
func (c *client) expectEnd() {
	c.t.Helper()
	rest, err := io.ReadAll(c.conn)
	require.NoError(c.t, err)
	assert.Empty(c.t, rest)
	require.NoError(c.t, c.conn.Close())
}

// expectRefused expects that the server closes the connection without a byte; whether in order or with a reset is the
// system's business.
func (c *client) expectRefused() {
	c.t.Helper()
	n, err := c.conn.Read(make([]byte, 1))
	require.Zero(c.t, n)
	var timeout net.Error
	require.False(c.t, errors.As(err, &timeout) && timeout.Timeout(), "the connection stays open")
}

// login connects and logs in.
func login(t tester, address, user string) *client {
	t.Helper()
	c := dial(t, address)
	c.do(loginRequest(user), loginResponse(0))
	return c
}
