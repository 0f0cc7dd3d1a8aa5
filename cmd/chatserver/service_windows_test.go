package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// The system starts a service with an environment of its own, without runMainVariable: what it does pass on is the
// command line.
func init() {
	if len(os.Args) > 2 && os.Args[1] == "service" && os.Args[2] == "run" {
		_ = os.Setenv(runMainVariable, "1") // TestMain looks at it next
	}
}

// needServices skips the test where services may not be touched: without an administrator's rights, and where a
// chatserver is installed that is not the test's.
func needServices(t *testing.T) {
	t.Helper()
	manager, err := mgr.Connect()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) && os.Getenv("CI") != "true" {
		t.Skip("only an administrator may install services")
	}
	require.NoError(t, err)
	defer manager.Disconnect() //nolint:errcheck // it is only a handle
	if service, err := manager.OpenService(program.Name); err == nil {
		service.Close()
		t.Skip("there is a service with this name")
	}
}

// freePort is a port that nobody listens on: a service has no standard output that would name the one it has got.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// manage runs "chatserver service ...", which must succeed.
func manage(t *testing.T, arguments ...string) {
	t.Helper()
	stdout, stderr, code := runToEnd(t, append([]string{"service"}, arguments...)...)
	require.Equal(t, 0, code, "%s%s", stdout, stderr)
	assert.Equal(t, fmt.Sprintf("service %s: done\n", arguments[0]), stdout)
}

// A service is installed and serves; a stop gives its clients the time to leave; it is removed.
func TestService(t *testing.T) {
	needServices(t)
	data, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	require.NoError(t, err)
	folder := filepath.Join(data, program.Name)
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		t.Cleanup(func() { os.RemoveAll(folder) })
	}
	onEveryCore(t, func(t *testing.T, core string) {
		port := freePort(t)
		manage(t, append([]string{"install"}, serverArguments(core, "--port", fmt.Sprint(port), "--admin", "",
			"--drain", "1m")...)...)
		installed := true
		t.Cleanup(func() {
			if installed {
				_, _, _ = runToEnd(t, "service", "stop")
				_, _, _ = runToEnd(t, "service", "remove")
			}
		})
		manage(t, "start")
		alice := login(t, fmt.Sprintf("127.0.0.1:%d", port), "Alice")
		alice.do(enterRequest(1), enterResponse(0, ""))

		stop := serverCommand(t, "service", "stop")
		require.NoError(t, stop.Start())
		stopped := make(chan error, 1)
		go func() { stopped <- stop.Wait() }()
		require.Eventually(t, func() bool {
			log, err := os.ReadFile(filepath.Join(folder, program.Name+".log"))
			return err == nil && bytes.Contains(log, []byte(`"msg":"draining`))
		}, patience, 50*time.Millisecond)
		alice.do(chatRequest("bye"), chatResponse(0), chatNotify("Alice", "bye"))
		assert.Empty(t, stopped, "it waits for its clients")
		alice.conn.Close()
		assert.NoError(t, <-stopped)

		manage(t, "remove")
		installed = false
		log, err := os.ReadFile(filepath.Join(folder, program.Name+".log"))
		require.NoError(t, err)
		assert.Contains(t, string(log), `"closed":{"peer_closed":1}`)
		_, stderr, code := runToEnd(t, "service", "start")
		assert.Equal(t, 1, code)
		assert.NotEmpty(t, stderr)
	})
}

// What goes wrong at the start is told to who starts it.
func TestServiceThatCannotStart(t *testing.T) {
	needServices(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	manage(t, "install", "--core", "go", "--port", "0", "--admin", taken.Addr().String())
	defer manage(t, "remove")
	_, stderr, code := runToEnd(t, "service", "start")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "exit code 1")
}
