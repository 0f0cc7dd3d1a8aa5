//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func needHangUp(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("SIGHUP is ignored here, as nohup does it")
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "never came true: %s", what)
	}
}

// SIGHUP changes what may change, in every layer: logic, the core and the log.
func TestReload(t *testing.T) {
	needHangUp(t)
	onEveryCore(t, func(t *testing.T, core string) {
		path := filepath.Join(t.TempDir(), "chatserver.toml")
		write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
		write("max-room-users = 2\nlogin-timeout = \"1m\"\n")
		server := startServer(t, core, "--config", path, "--max-rooms", "7")
		silent := dial(t, server.address())
		alice := login(t, server.address(), "Alice")
		alice.do(enterRequest(1), enterResponse(0, ""))
		reload := func() {
			lines := len(server.logLines("settings reloaded"))
			require.NoError(t, server.command.Process.Signal(syscall.SIGHUP))
			eventually(t, "a reload", func() bool { return len(server.logLines("settings reloaded")) > lines })
		}

		write("max-room-users = 1\nlogin-timeout = \"100ms\"\nmessage-of-the-day = \"공지\"\nlog-level = \"debug\"\n" +
			"max-rooms = 9\nport = 1\nsend-buffer = 100000\n")
		reload()
		line := server.logLines("settings reloaded")[0]
		assert.Equal(t, []any{"login-timeout", "log-level", "max-room-users", "message-of-the-day"}, line["changed"])
		line = server.awaitLine("some changed settings need a restart")
		assert.Equal(t, []any{"send-buffer"}, line["settings"], "the port and the rooms are the command line's")
		silent.expectEnd()
		bob := dial(t, server.address())
		bob.do(loginRequest("Bob"), loginResponse(0)+chatNotify("SERVER", "공지"))
		bob.do(enterRequest(1), enterResponse(54, ""))
		eventually(t, "a line of level debug", func() bool { return strings.Contains(server.log.String(), `"level":"debug"`) })

		// What is wrong changes nothing.
		write("max-room-users = 0\n")
		require.NoError(t, server.command.Process.Signal(syscall.SIGHUP))
		eventually(t, "a line that says what is wrong", func() bool {
			return strings.Contains(server.log.String(),
				fmt.Sprintf(`%s:1: max-room-users is \"0\", allowed is a whole number from 1 to 1000000`, path))
		})
		carol := dial(t, server.address())
		carol.do(loginRequest("Carol"), loginResponse(0)+chatNotify("SERVER", "공지"))
	})
}

// The end of the terminal that a server runs on is no wish for a reload.
func TestTheClosingOfItsTerminalStopsIt(t *testing.T) {
	needHangUp(t)
	onEveryCore(t, func(t *testing.T, core string) {
		person, terminal, err := pty.Open()
		require.NoError(t, err)
		command := serverCommand(t, serverArguments(core)...)
		command.Stdin = terminal
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		server := launch(t, command)
		require.NoError(t, terminal.Close())
		alice := login(t, server.address(), "Alice")

		require.NoError(t, server.command.Process.Signal(syscall.SIGHUP))
		eventually(t, "a reload", func() bool { return len(server.logLines("settings reloaded")) == 1 })
		alice.quiet()
		require.NoError(t, person.Close())
		alice.expectEnd()
		server.wait(patience)
	})
}

// However many wishes for a reload there are, one for a stop is not lost among them, and none cuts it off.
func TestManyHangUpsLoseNoStop(t *testing.T) {
	needHangUp(t)
	onEveryCore(t, func(t *testing.T, core string) {
		path := filepath.Join(t.TempDir(), "chatserver.toml")
		require.NoError(t, os.WriteFile(path, []byte("max-room-users = 2\n"), 0o600))
		server := startServer(t, core, "--config", path)
		process := server.command.Process
		for range 2000 {
			require.NoError(t, process.Signal(syscall.SIGHUP))
		}
		server.interrupt()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for process.Signal(syscall.SIGHUP) == nil { // until the process has been waited for
			}
		}()
		server.wait(patience)
		<-ended
	})
}

// A file that cannot be read again is refused; one that never ends does not hold the server up.
func TestAReloadFromAPipe(t *testing.T) {
	needHangUp(t)
	path := filepath.Join(t.TempDir(), "chatserver.toml")
	require.NoError(t, os.WriteFile(path, []byte("max-packet-rate = 5\n"), 0o600))
	server := startServer(t, "go", "--config", path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	require.NoError(t, server.command.Process.Signal(syscall.SIGHUP))
	eventually(t, "a line that says what is wrong", func() bool {
		return strings.Contains(server.log.String(), path+" is no regular file: it cannot be read again")
	})
	server.interrupt()
	server.wait(patience)
}

// A server that may have fewer descriptors than connections says so before it runs out of them.
func TestTooFewDescriptors(t *testing.T) {
	server := startServer(t, "go", "--max-connections", "1000000")
	server.awaitLine("ready")
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	warned := strings.Contains(server.log.String(), "max-connections is more than the system's limit of open files allows")
	assert.Equal(t, limit.Max < 1_000_080, warned, "Go raises the soft limit to the hard one, %d", limit.Max)
}
