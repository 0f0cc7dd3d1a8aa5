package main

import (
	"image/color"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terminal is the program in a pseudo terminal, and an emulator that shows what it draws.
type terminal struct {
	t        *testing.T
	command  *exec.Cmd
	keyboard *os.File
	ended    chan struct{}

	mutex  sync.Mutex // for the emulator
	screen *vt.Emulator
}

// Write is what the program draws.
func (c *terminal) Write(drawn []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.screen.Write(drawn)
}

// startOnTerminal runs the program in a terminal of this size.
func startOnTerminal(t *testing.T, columns, rows int, variables []string, arguments ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(self, arguments...)
	// A process under the race detector sleeps for a second before it ends, unless told otherwise.
	command.Env = append(os.Environ(), runMainVariable+"=1", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"),
		"TERM=xterm-256color", "NO_COLOR=", "XDG_CONFIG_HOME="+t.TempDir())
	command.Env = append(command.Env, variables...)
	keyboard, err := pty.StartWithSize(command, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)})
	require.NoError(t, err)
	c := &terminal{t: t, command: command, keyboard: keyboard, ended: make(chan struct{}),
		screen: vt.NewEmulator(columns, rows)}
	drawn, answered := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		_, _ = io.Copy(c, keyboard) // ends with the program
	}()
	go func() {
		defer close(answered)
		_, _ = io.Copy(keyboard, c.screen) // what the program asks the terminal
	}()
	go func() {
		defer close(c.ended)
		_ = command.Wait()
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-c.ended
		<-drawn
		_ = c.screen.InputPipe().(io.Closer).Close()
		<-answered
		_ = keyboard.Close()
	})
	return c
}

// text is what is on the screen.
func (c *terminal) text() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.screen.String()
}

// fullScreen reports whether the program has a screen of its own.
func (c *terminal) fullScreen() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.screen.IsAltScreen()
}

func (c *terminal) resize(columns, rows int) {
	c.t.Helper()
	require.NoError(c.t, pty.Setsize(c.keyboard, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)}))
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.screen.Resize(columns, rows)
}

// toCursor is the text of the line that the cursor is on, up to the cursor.
func (c *terminal) toCursor() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	at := c.screen.CursorPosition()
	var text strings.Builder
	for x := range at.X {
		if cell := c.screen.CellAt(x, at.Y); cell != nil {
			text.WriteString(cell.Content)
		}
	}
	return text.String()
}

func (c *terminal) typeKeys(keys string) {
	c.t.Helper()
	_, err := io.WriteString(c.keyboard, keys)
	require.NoError(c.t, err)
}

func (c *terminal) await(text string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return strings.Contains(c.text(), text) }, patience, 10*time.Millisecond,
		"%q does not come", text)
}

func (c *terminal) awaitEnd(code int) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		require.Fail(c.t, "the program does not end", "%s", c.text())
	}
	assert.Equal(c.t, code, c.command.ProcessState.ExitCode())
}

// colourOf is the colour of the letter where a text begins on the screen.
func (c *terminal) colourOf(text string) color.Color {
	c.t.Helper()
	shown := c.text()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for y, line := range strings.Split(shown, "\n") {
		before, _, found := strings.Cut(line, text)
		if !found {
			continue
		}
		cell := c.screen.CellAt(byRune.columns(before), y)
		require.NotNil(c.t, cell)
		return cell.Style.Fg
	}
	require.Fail(c.t, "no such text", "%q in\n%s", text, shown)
	return nil
}

// TestAChatOverTheEndOfAServer is what a person does: talk in Korean, see the server go and come back, and talk on.
func TestAChatOverTheEndOfAServer(t *testing.T) {
	server := startServerOn(t, 0)
	c := startOnTerminal(t, 100, 30, nil, "--addr", server.address)
	c.await("✓ connected")
	c.typeKeys("/login 앨리스\r")
	c.await("logged in as 앨리스")
	c.typeKeys("/enter 1\r")
	c.await("entered room 1")
	c.typeKeys("안녕하세")
	c.await("> 안녕하세")
	require.Eventually(t, func() bool { return c.toCursor() == "> 안녕하세" }, patience, 10*time.Millisecond,
		"the cursor is behind the last letter, two columns for each")
	c.typeKeys("\x7f\x7f\x1b[D\x1b[D새 \x1b[F!\r") // two letters off, to the left, and to the end
	c.await("앨리스: 새 안녕!")
	assert.NotNil(t, c.colourOf("앨리스: 새"))

	server.stop()
	c.await("! reconnecting in")
	c.await("the server closed the connection")
	c.typeKeys("그동안 쓴 글\r")
	c.await("not connected: what you typed stays here")
	c.await("> 그동안 쓴 글")
	startServerOn(t, server.port)
	c.typeKeys("\x15/reconnect\r")
	c.await("✓ connected")
	require.Eventually(t, func() bool { return strings.Count(c.text(), "entered room 1") == 2 }, patience,
		10*time.Millisecond, "it logs in and enters the room by itself")
	c.typeKeys("다시 왔어요\r")
	c.await("앨리스: 다시 왔어요")

	c.resize(40, 15)
	require.Eventually(t, func() bool { return !strings.Contains(c.text(), "Rooms") }, patience, 10*time.Millisecond,
		"a narrow screen has no list of rooms")
	c.await("앨리스: 다시 왔어요")
	assert.True(t, c.fullScreen())
	c.typeKeys("/quit\r")
	c.awaitEnd(exitOK)
}

func TestTheServerComesBackByItself(t *testing.T) {
	server := startServerOn(t, 0)
	c := startOnTerminal(t, 80, 24, []string{"NO_COLOR=1"}, "--addr", server.address, "--user", "밥", "--room", "7")
	c.await("entered room 7")
	assert.Nil(t, c.colourOf("entered room 7"))
	server.stop()
	c.await("! reconnecting in")
	startServerOn(t, server.port)
	require.Eventually(t, func() bool { return strings.Count(c.text(), "entered room 7") == 2 }, patience,
		10*time.Millisecond)
	c.typeKeys("\x03")
	c.awaitEnd(exitInterrupted)
}

func TestASignalGivesTheTerminalBack(t *testing.T) {
	c := startOnTerminal(t, 80, 24, nil, "--addr", startServer(t))
	c.await("✓ connected")
	require.NoError(t, c.command.Process.Signal(syscall.SIGTERM))
	c.awaitEnd(exitInterrupted)
	require.Eventually(t, func() bool { return !c.fullScreen() }, patience, 10*time.Millisecond)
}

func TestPlainLinesOnATerminal(t *testing.T) {
	c := startOnTerminal(t, 80, 24, nil, "--addr", startServer(t), "--plain", "--user", "앨리스", "--room", "1")
	c.await("Connected to")
	c.await("* entered room 1, nobody is there yet")
	c.typeKeys("/enter 2\r")
	c.await("* enter refused: you are in a room already")
	c.typeKeys("안녕\r")
	c.await("[앨리스] 안녕")
	assert.False(t, c.fullScreen())
	c.typeKeys("/quit\r")
	c.awaitEnd(exitOK) // refusals are no error on a terminal
}
