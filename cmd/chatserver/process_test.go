package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
)

// patience bounds everything that a test waits for: far more than is needed, so that only a hang reaches it.
const patience = 30 * time.Second

// coreUnderTest is a network core: its name in tests, and what --core has for it.
type coreUnderTest struct{ name, option string }

// coresUnderTest are those of this build. IOCPNETLIB_CORE names another native one than the default.
func coresUnderTest() []coreUnderTest {
	pure := coreUnderTest{"go", "go"}
	if !nativeCore {
		return []coreUnderTest{pure}
	}
	return []coreUnderTest{{"native", cmp.Or(os.Getenv("IOCPNETLIB_CORE"), "auto")}, pure}
}

// onEveryCore runs a test once for each network core.
func onEveryCore(t *testing.T, test func(t *testing.T, core string)) {
	t.Helper()
	for _, core := range coresUnderTest() {
		t.Run(core.name, func(t *testing.T) { test(t, core.option) })
	}
}

// serverProcess is a chatserver that runs.
type serverProcess struct {
	t       *testing.T
	command *exec.Cmd
	port    int             // of its first door
	door    doorclient.Kind // that the clients use
	stdout  *bufio.Reader
	log     lockedBuffer // standard error
	exited  bool

	abandoned bool
}

// lockedBuffer collects what a process writes while the test reads it.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// serverCommand is the command that runs chatserver: this test binary, or the program that IOCPNETLIB_CHATSERVER
// names.
func serverCommand(t *testing.T, arguments ...string) *exec.Cmd {
	program := os.Getenv("IOCPNETLIB_CHATSERVER")
	if program == "" {
		self, err := os.Executable()
		require.NoError(t, err)
		program = self
	}
	command := exec.Command(program, arguments...)
	// A process under the race detector sleeps for a second before it ends, unless told otherwise.
	// No admin page unless a test wants one: servers that run at once would all want the same address.
	command.Env = append(os.Environ(), runMainVariable+"=1", "CHATSERVER_ADMIN=", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	prepareForStop(command)
	return command
}

// runToEnd runs a server that should end by itself, and kills it if it does not.
func runToEnd(t *testing.T, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := serverCommand(t, arguments...)
	var out, err bytes.Buffer
	command.Stdout, command.Stderr = &out, &err
	require.NoError(t, command.Start())
	timer := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	_ = command.Wait() // its error is the exit code's
	assert.True(t, timer.Stop(), "the server did not end within %v", patience)
	return out.String(), err.String(), command.ProcessState.ExitCode()
}

// startServer starts a server on a free port and waits until it listens. At the end of the test it is stopped, and
// must end with exit code 0: a crash, a hang or a data race fails every test.
func startServer(t *testing.T, core string, arguments ...string) *serverProcess {
	t.Helper()
	return startServerWithStderr(t, nil, core, arguments...)
}

// startServerWithStderr starts a server with another standard error than the log that tests read.
func startServerWithStderr(t *testing.T, stderr *os.File, core string, arguments ...string) *serverProcess {
	t.Helper()
	command := serverCommand(t, serverArguments(core, arguments...)...)
	if stderr != nil {
		command.Stderr = stderr
	}
	return launch(t, command)
}

// serverArguments are the arguments of a server for tests. They send as fast as they can: the limits that a server has
// against that have tests of their own.
func serverArguments(core string, more ...string) []string {
	return append([]string{"--core", core, "--port", "0", "--max-packet-rate", "0", "--max-byte-rate", "0"}, more...)
}

// launch starts a server with a command and waits until it listens.
func launch(t *testing.T, command *exec.Cmd) *serverProcess {
	t.Helper()
	s := &serverProcess{t: t, command: command}
	if command.Stderr == nil {
		command.Stderr = &s.log
	}
	stdout, err := s.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.command.Start())
	s.stdout = bufio.NewReader(stdout)

	timer := time.AfterFunc(patience, func() { _ = s.command.Process.Kill() })
	line, err := s.stdout.ReadString('\n')
	timer.Stop()
	if _, scanned := fmt.Sscanf(line, "listening on port %d\n", &s.port); err != nil || scanned != nil {
		_ = s.command.Process.Kill()
		_ = s.command.Wait()
		require.FailNow(t, "the server did not start", "standard output: %q (%v)\n%s", line, err, s.log.String())
	}
	t.Cleanup(func() {
		if t.Failed() && !s.abandoned {
			t.Logf("the server's log:\n%s", s.log.String())
		}
		if !s.exited {
			s.interrupt()
			s.wait(patience)
		}
	})
	return s
}

// wayToStop is one of the ways in which the system asks a server to stop.
type wayToStop struct {
	name string
	send func(*os.Process) error
}

// interrupt tells the server to stop.
func (s *serverProcess) interrupt() {
	s.t.Helper()
	require.NoError(s.t, waysToStop[0].send(s.command.Process))
}

// wait waits until the server has ended by itself with exit code 0.
func (s *serverProcess) wait(limit time.Duration) {
	s.t.Helper()
	assert.Equal(s.t, 0, s.exitCode(limit), "exit code; the server's log:\n%s", s.log.String())
}

// exitCode waits until the server has ended, kills it if that takes longer than limit, and returns its exit code.
func (s *serverProcess) exitCode(limit time.Duration) int {
	s.t.Helper()
	s.exited = true
	timer := time.AfterFunc(limit, func() { _ = s.command.Process.Kill() })
	rest, err := io.ReadAll(s.stdout)
	assert.NoError(s.t, err)
	assert.Empty(s.t, string(rest), "standard output has one line")
	_ = s.command.Wait() // its error is the exit code's
	if !timer.Stop() {
		assert.Fail(s.t, "the server did not end", "within %v; its log:\n%s", limit, s.log.String())
	}
	return s.command.ProcessState.ExitCode()
}

// abandon kills a server that has failed before and is no longer of interest.
func (s *serverProcess) abandon() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	s.exited, s.abandoned = true, true
}

// logLines are the lines of the log with a message.
func (s *serverProcess) logLines(message string) []map[string]any {
	var lines []map[string]any
	for line := range strings.Lines(s.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err == nil && fields["msg"] == message {
			lines = append(lines, fields)
		}
	}
	return lines
}

// awaitLine waits for a line with a message.
func (s *serverProcess) awaitLine(message string) map[string]any {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if lines := s.logLines(message); len(lines) > 0 {
			return lines[0]
		}
		require.True(s.t, time.Now().Before(deadline), "no line %q in the log:\n%s", message, s.log.String())
	}
}

// adminURL is where a server that was started with --admin has said its admin page to be.
func (s *serverProcess) adminURL() string {
	s.t.Helper()
	url, _ := s.awaitLine("ready")["admin"].(string)
	require.NotEmpty(s.t, url)
	return url
}

// summary is the last line of a server that has been stopped.
func (s *serverProcess) summary() map[string]any {
	s.t.Helper()
	lines := s.logLines("totals")
	require.Len(s.t, lines, 1, "the log:\n%s", s.log.String())
	return lines[0]
}

// address is where the clients of the test come in, see addressOf.
func (s *serverProcess) address() string {
	s.t.Helper()
	return s.addressOf(s.door)
}
