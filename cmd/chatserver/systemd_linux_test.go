package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notifySocket is systemd's side of a service: what the service tells it.
type notifySocket struct {
	t    *testing.T
	conn *net.UnixConn
}

func listenForNotices(t *testing.T) *notifySocket {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &notifySocket{t, conn}
}

// environment is what systemd adds for a service with Type=notify and, if watchdog is not 0, WatchdogSec. WATCHDOG_PID,
// which systemd sets, too, would be the number of a process that has yet to be started.
func (n *notifySocket) environment(watchdog time.Duration) []string {
	added := []string{"NOTIFY_SOCKET=" + n.conn.LocalAddr().String()}
	if watchdog != 0 {
		added = append(added, fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds()))
	}
	return added
}

// next is the assignments of the next message.
func (n *notifySocket) next() []string {
	n.t.Helper()
	require.NoError(n.t, n.conn.SetReadDeadline(time.Now().Add(patience)))
	buffer := make([]byte, 4096)
	size, err := n.conn.Read(buffer)
	require.NoError(n.t, err)
	return strings.Split(strings.TrimSuffix(string(buffer[:size]), "\n"), "\n")
}

// expect waits for a message that has all of these, and for none before it but the watchdog's.
func (n *notifySocket) expect(assignments ...string) {
	n.t.Helper()
	for {
		message := n.next()
		if slices.Equal(message, []string{"WATCHDOG=1"}) {
			continue
		}
		assert.Subset(n.t, message, assignments)
		return
	}
}

// startForSystemd starts a server as systemd does.
func startForSystemd(t *testing.T, core string, environment []string, arguments ...string) *serverProcess {
	t.Helper()
	command := serverCommand(t, serverArguments(core, arguments...)...)
	// Of the system's own service manager the tests may be a service, too.
	command.Env = slices.DeleteFunc(command.Env, func(variable string) bool {
		return strings.HasPrefix(variable, "WATCHDOG_") || strings.HasPrefix(variable, "NOTIFY_SOCKET=")
	})
	command.Env = append(command.Env, environment...)
	return launch(t, command)
}

func TestSystemdIsToldOfTheStates(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		systemd := listenForNotices(t)
		server := startForSystemd(t, core, systemd.environment(0), "--drain", "1m")
		systemd.expect("STATUS=starting")
		systemd.expect("STATUS=ready", "READY=1")
		alice := login(t, server.address(), "Alice")

		require.NoError(t, server.command.Process.Signal(syscall.SIGTERM))
		systemd.expect("STATUS=draining", "STOPPING=1")
		alice.do(enterRequest(1), enterResponse(0, ""))
		alice.do(chatRequest("bye"), chatResponse(0), chatNotify("Alice", "bye"))
		alice.conn.Close()
		systemd.expect("STATUS=stopping", "STOPPING=1")
		server.wait(patience)
		require.NoError(t, systemd.conn.SetReadDeadline(time.Now()))
		_, err := systemd.conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded, "nothing more was said")
	})
}

// The loop's turns are what the watchdog is told of, also while clients are given time to leave.
func TestSystemdWatchdog(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		systemd := listenForNotices(t)
		const limit = 200 * time.Millisecond
		server := startForSystemd(t, core, systemd.environment(limit), "--drain", "1m")
		alice := login(t, server.address(), "Alice")
		beats := func(n int) {
			t.Helper()
			for n > 0 {
				if slices.Contains(systemd.next(), "WATCHDOG=1") {
					n--
				}
			}
		}
		beats(4)
		require.NoError(t, server.command.Process.Signal(syscall.SIGTERM))
		systemd.expect("STATUS=draining", "STOPPING=1")
		beats(2)
		alice.conn.Close()
		server.wait(patience)
	})
}

// A watchdog that is meant for another process is not this server's.
func TestSystemdWatchdogOfAnotherProcess(t *testing.T) {
	systemd := listenForNotices(t)
	server := startForSystemd(t, "go", append(systemd.environment(50*time.Millisecond),
		fmt.Sprintf("WATCHDOG_PID=%d", os.Getpid())))
	time.Sleep(200 * time.Millisecond)
	server.interrupt()
	server.wait(patience)
	for _, status := range []string{"starting", "ready", "stopping"} {
		message := systemd.next()
		assert.Contains(t, message, "STATUS="+status)
		assert.NotContains(t, message, "WATCHDOG=1")
	}
}

// systemd knows all that the unit says. It looks for the program, too, so that is another one here.
func TestSystemdAcceptsTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is missing; a container that builds has no use for it")
	}
	text := readDeployFile(t, "chatserver.service")
	installed := strings.Fields(unitLine(t, text, "ExecStart"))[0]
	self, err := os.Executable()
	require.NoError(t, err)
	unit := filepath.Join(t.TempDir(), "chatserver.service")
	require.NoError(t, os.WriteFile(unit, []byte(strings.ReplaceAll(text, installed, self)), 0o600))
	runTool(t, "", analyze, "verify", "--man=no", unit)
}

// A stop is killed unless it may take as long as the example configuration says.
func TestUnitLeavesTimeForTheStop(t *testing.T) {
	stdout, _, code := runToEnd(t, "config", "--config", deployFile("chatserver.toml"))
	require.Equal(t, 0, code)
	unit := readDeployFile(t, "chatserver.service")
	seconds := func(text string) time.Duration {
		t.Helper()
		d, err := time.ParseDuration(strings.Trim(strings.TrimSpace(text), "'"))
		require.NoError(t, err)
		return d
	}
	setting := func(name string) time.Duration {
		t.Helper()
		for line := range strings.Lines(stdout) {
			if value, found := strings.CutPrefix(line, name+" = "); found {
				value, _, _ = strings.Cut(value, "#")
				return seconds(value)
			}
		}
		t.Fatalf("no %s in\n%s", name, stdout)
		return 0
	}
	stop := setting("drain") + setting("stop-timeout")
	assert.Greater(t, seconds(unitLine(t, unit, "TimeoutStopSec")), stop+10*time.Second)
	assert.Greater(t, seconds(unitLine(t, unit, "WatchdogSec")), setting("stop-timeout")+5*time.Second,
		"the watchdog may go on while the server stops, and its loop has ended")
}
