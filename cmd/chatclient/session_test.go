package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
)

// startServer runs a chat server in this process and returns its address.
func startServer(t *testing.T) string {
	t.Helper()
	config := chat.DefaultConfig()
	config.MaxConnections, config.MaxUsers, config.MaxRoomUsers = 10, 10, 2
	server, err := chat.NewServer(config, nil)
	require.NoError(t, err)
	core := bridge.NewGoCore(nil)
	net := bridge.DefaultConfig()
	net.BindAddress, net.Port, net.MaxConnections = "127.0.0.1", 0, config.MaxConnections
	require.NoError(t, core.Start(net))
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(context.Background(), core, server) }()
	t.Cleanup(func() {
		assert.NoError(t, core.Stop(0))
		assert.NoError(t, <-ended)
		assert.NoError(t, core.Close())
	})
	return fmt.Sprintf("127.0.0.1:%d", core.Port())
}

// output collects what a session prints, and tells when a text has come.
type output struct {
	mutex   sync.Mutex
	changed *sync.Cond
	buffer  bytes.Buffer
}

func newOutput() *output {
	o := &output{}
	o.changed = sync.NewCond(&o.mutex)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.changed.Broadcast()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.buffer.String()
}

// await returns once text was printed; a text that never comes reaches the test's own time limit.
func (o *output) await(text string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for !strings.Contains(o.buffer.String(), text) {
		o.changed.Wait()
	}
}

// client is a session that runs.
type client struct {
	stdout, stderr *output
	code           chan int
}

// start runs a session with a server.
func start(t *testing.T, address string, input io.Reader) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	c := &client{newOutput(), newOutput(), make(chan int, 1)}
	s := newSession(conn, c.stdout, c.stderr)
	go func() { c.code <- s.runScript(context.Background(), input) }()
	return c
}

// script runs a whole script and returns all that came of it.
func script(t *testing.T, address string, lines ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := start(t, address, strings.NewReader(strings.Join(lines, "\n")))
	code = <-c.code
	return c.stdout.String(), c.stderr.String(), code
}

func TestAScriptOfOne(t *testing.T) {
	address := startServer(t)
	stdout, stderr, code := script(t, address,
		"hello?", "/enter 1", "/leave",
		"/login 앨리스 pw", "/login 앨리스", "/enter 100", "/enter 1", "/enter 1",
		"안녕하세요!", "", "//quit", "\x1b[2J", "/leave", "/leave")
	assert.Equal(t, strings.Join([]string{
		"* message refused: you are in no room (81 CHAT_ROOM_INVALID_ROOM_NUMBER)",
		"* enter refused: log in first (51 ENTER_ROOM_NOT_FINDE_USER)",
		"* leave refused: you are in no room (71 LEAVE_ROOM_INVALID_ROOM_INDEX)",
		"* logged in as 앨리스",
		"* login refused: somebody is logged in with this ID, or you are logged in already (31 LOGIN_USER_ALREADY)",
		"* enter refused: there is no such room (61 ROOM_INVALID_INDEX)",
		"* entered room 1, nobody is there yet",
		"* enter refused: you are in a room already, leave it first (52 ENTER_ROOM_INVALID_USER_STATUS)",
		"[앨리스] 안녕하세요!",
		"[앨리스] /quit",
		`[앨리스] \x1b[2J`,
		"* left the room",
		"* leave refused: you are in no room (71 LEAVE_ROOM_INVALID_ROOM_INDEX)",
		"",
	}, "\n"), stdout)
	assert.Empty(t, stderr)
	assert.Equal(t, exitRefused, code)
}

func TestEveryRefusalShowsInTheExitCode(t *testing.T) {
	address := startServer(t)
	for name, lines := range map[string][]string{
		"login":          {"/login a", "/login a", "/leave"},
		"enter":          {"/enter 1", "/quit"},
		"leave":          {"/leave"},
		"message":        {"hello"},
		"not understood": {"/dance"},
		"not sent":       {strings.Repeat("x", 257), "/quit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, code := script(t, address, lines...)
			assert.Equal(t, exitRefused, code)
		})
	}
}

func TestNothingIsReadAfterQuit(t *testing.T) {
	stdout, stderr, code := script(t, startServer(t), "/login a", "/quit", "/enter 1")
	assert.Equal(t, "* logged in as a\n", stdout)
	assert.Empty(t, stderr)
	assert.Equal(t, exitOK, code)
}

func TestLinesThatAreWrongDoNotEndAScript(t *testing.T) {
	stdout, stderr, code := script(t, startServer(t), "/login a", "/dance", "/enter 1", strings.Repeat("가", 86), "fin")
	assert.Equal(t, "* logged in as a\n* entered room 1, nobody is there yet\n[a] fin\n", stdout)
	assert.Equal(t, "/dance is no command, /help lists them; //text says /text\n"+
		"not sent: the message has 258 bytes, allowed are 256 (a Korean letter counts as 3)\n", stderr)
	assert.Equal(t, exitRefused, code)
}

func TestHelp(t *testing.T) {
	stdout, _, code := script(t, startServer(t), "/help")
	assert.Equal(t, helpText, stdout)
	assert.Equal(t, exitOK, code)
}

func TestTwoScriptsTalk(t *testing.T) {
	address := startServer(t)
	alice := start(t, address, strings.NewReader("/login Alice\n/enter 1\n/wait 1\nHi Bob\n/wait 3\n"))
	alice.stdout.await("entered room 1")
	bob, bobErr, bobCode := script(t, address, "/login Bob", "/enter 1", "Hi all", "/wait 2", "bye")

	assert.Equal(t, exitOK, <-alice.code)
	assert.Equal(t, "* logged in as Alice\n* entered room 1, nobody is there yet\n[Bob] Hi all\n[Alice] Hi Bob\n[Bob] bye\n",
		alice.stdout.String())
	assert.Equal(t, "* logged in as Bob\n* entered room 1, Alice is there\n[Bob] Hi all\n[Alice] Hi Bob\n[Bob] bye\n", bob)
	assert.Empty(t, bobErr)
	assert.Equal(t, exitOK, bobCode)
	assert.Empty(t, alice.stderr.String())
}

func TestWaitInVain(t *testing.T) {
	stdout, stderr, code := script(t, startServer(t), "/login a", "/enter 1", "one", "/wait 1", "/wait 2 0.05", "two")
	assert.Equal(t, "* logged in as a\n* entered room 1, nobody is there yet\n[a] one\n", stdout)
	assert.Equal(t, "chatclient: 1 of 2 chat messages came in time\n", stderr)
	assert.Equal(t, exitError, code)
}

func TestCtrlC(t *testing.T) {
	conn, err := net.Dial("tcp", startServer(t))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	input, keyboard := io.Pipe()
	assert.Equal(t, exitInterrupted, newSession(conn, io.Discard, io.Discard).runScript(ctx, input))
	require.NoError(t, keyboard.Close()) // lets the reader of the input go
}

// fakeServer answers every request of its one client with the next of the answers, and closes after the last.
func fakeServer(t *testing.T, answers ...string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		request := make([]byte, 1024)
		for _, answer := range answers {
			if _, err := conn.Read(request); err != nil {
				return
			}
			_, _ = io.WriteString(conn, answer)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

func TestServersThatDoNotKeepTheProtocol(t *testing.T) {
	login := string((&chat.LoginResponse{}).Append(nil))
	leave := string((&chat.RoomLeaveResponse{}).Append(nil))
	notify := (&chat.RoomChatNotify{}).Append(nil)
	copy(notify[5:], strings.Repeat("x", 21))
	copy(notify[26:], "\x9b31m\x00")
	unknown := "\x06\x00\x2c\x01\x00?"

	tests := map[string]struct {
		answers        []string
		stdout, stderr string
	}{
		"closes": {[]string{login}, "* logged in as a\n", "chatclient: the server closed the connection\n"},
		"closes in a packet": {[]string{login[:6]}, "",
			"chatclient: the connection was lost: unexpected EOF\n"},
		"another answer": {[]string{leave}, "",
			"chatclient: the server answered what was not asked: it does not speak this protocol\n"},
		"a length of 4": {[]string{"\x04\x00\xca\x00\x00"}, "",
			"chatclient: the connection was lost: the server sent a packet of 4 bytes\n"},
		"a wrong size": {[]string{"\x06\x00\xca\x00\x00\x00"}, "", "chatclient: the connection was lost: " +
			"LOGIN_RESPONSE has 6 bytes (and says 6) instead of 7: not a packet of this kind\n"},
		"an unknown packet, and a bad text": {[]string{unknown + string(notify) + login},
			"[(unreadable: text has no terminator in its field)] (unreadable: text is not valid UTF-8)\n* logged in as a\n",
			"chatclient: the server closed the connection\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := script(t, fakeServer(t, test.answers...), "/login a", "/wait 9", "/leave")
			assert.Equal(t, test.stdout, stdout)
			assert.Equal(t, test.stderr, stderr)
			assert.Equal(t, exitError, code)
		})
	}
}

func TestOptions(t *testing.T) {
	nowhere, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := nowhere.Addr().String()
	require.NoError(t, nowhere.Close())

	tests := map[string]struct {
		arguments []string
		code      int
		stderr    string
	}{
		"help":         {[]string{"--help"}, exitOK, "Usage: chatclient [--addr host:port]"},
		"unknown":      {[]string{"--port", "1"}, exitUsage, "flag provided but not defined"},
		"argument":     {[]string{"localhost"}, exitUsage, `unexpected argument "localhost"`},
		"no port":      {[]string{"--addr", "localhost"}, exitUsage, `option --addr is "localhost", allowed is host:port`},
		"nobody there": {[]string{"--addr", closed}, exitError, "chatclient: no connection to " + closed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, test.code, run(test.arguments, os.Stdin, &stdout, &stderr))
			assert.Contains(t, stderr.String(), test.stderr)
			assert.Empty(t, stdout.String())
		})
	}
}

func TestRunWithAPipeAsInput(t *testing.T) {
	address := startServer(t)
	input, writer, err := os.Pipe()
	require.NoError(t, err)
	defer input.Close()
	_, err = io.WriteString(writer, "/login 밥\n/enter 3\n/quit\n")
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitOK, run([]string{"-addr", address}, input, &stdout, &stderr))
	assert.Equal(t, "* logged in as 밥\n* entered room 3, nobody is there yet\n", stdout.String())
	assert.Empty(t, stderr.String())
}
