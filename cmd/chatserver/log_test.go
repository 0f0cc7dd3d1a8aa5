package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// violation is a header whose length is 0. It costs the connection, and a line of the log.
const violation = "\x00\x00\x00\x00\x00"

// stderrPipe is a pipe for the standard error of a server. The writer is to be closed once the server has it.
func stderrPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = reader.Close() })
	return reader, writer
}

// What was set and does nothing is told at the start.
func TestIneffectiveSettings(t *testing.T) {
	command := serverCommand(t, serverArguments("go", "--ws-port", "0", "--tls-cert", "pair.pem", "--ws-compression", "message")...)
	command.Env = append(command.Env, "CHATSERVER_MAXROOMS=5", "CHATSERVER_TLS_MIN_VERSION=1.3", "CHATSERVER_SERVICE_HOST=10.0.0.1")
	server := launch(t, command)
	server.awaitLine("ready")
	assert.Equal(t, []any{"CHATSERVER_MAXROOMS"},
		server.logLines("environment variables are named like settings, and are none")[0]["variables"])
	sources := map[any]bool{}
	for _, setting := range []string{"tls-cert", "tls-min-version"} {
		for _, line := range server.logLines(setting + " has no effect: neither tls-port nor wss-port is open") {
			sources[line["source"]] = true
		}
	}
	assert.Equal(t, map[any]bool{"--tls-cert": true, "CHATSERVER_TLS_MIN_VERSION": true}, sources)
	assert.NotContains(t, server.log.String(), "ws-compression has no effect")
}

// A server goes on, and stops in order, when whoever read its log has ended, as tee does on Ctrl+C.
func TestTheReaderOfTheLogEnds(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		reader, writer := stderrPipe(t)
		server := startServerWithStderr(t, writer, core)
		require.NoError(t, writer.Close())
		require.NoError(t, reader.Close())
		for range 3 {
			c := dial(t, server.address())
			c.send(violation)
			c.expectEnd()
		}
		login(t, server.address(), "Alice").quiet()
		server.interrupt()
		server.wait(patience)
	})
}

// A server serves its clients, and stops in order, when nobody takes what it logs.
func TestTheReaderOfTheLogStandsStill(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		reader, writer := stderrPipe(t)
		server := startServerWithStderr(t, writer, core, "--log-level", "debug", "--log-sampling", "off")
		require.NoError(t, writer.Close())
		witness := login(t, server.address(), "witness")
		// With at least two lines each this is more than the pipe and the server's queue hold.
		for range 1500 {
			c := dial(t, server.address())
			c.send(violation)
			c.expectEnd()
		}
		witness.quiet()
		login(t, server.address(), "Alice").quiet()
		server.interrupt()
		server.wait(patience)

		log, err := io.ReadAll(reader)
		require.NoError(t, err)
		assert.Contains(t, string(log), `"ready"`)
		assert.NotContains(t, string(log), `"totals"`, "the log had room for everything, so nothing was tested")
	})
}

// At the level info there is no line for a packet, nor for who comes, logs in, talks and goes.
func TestTrafficIsNotLogged(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core)
		for _, name := range []string{"Alice", "Bob", "Carol"} {
			c := login(t, server.address(), name)
			c.do(enterRequest(1), enterResponse(0, ""))
			for range 100 {
				c.do(chatRequest("hello"), chatResponse(0)+chatNotify(name, "hello"))
			}
			c.do(leaveRequest(), leaveResponse(0))
			c.do(leaveRequest(), leaveResponse(71))
			_ = c.conn.Close()
		}
		server.interrupt()
		server.wait(patience)
		var messages []string
		for line := range strings.Lines(server.log.String()) {
			var fields map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &fields))
			messages = append(messages, fields["msg"].(string))
		}
		assert.Equal(t, []string{"ready", "stopping", "totals"}, messages)
	})
}
