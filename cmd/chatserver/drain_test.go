package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drainLine is what the server logs when a drain begins.
const drainLine = "draining: nobody comes in any more, clients may leave by themselves"

// Who is there goes on, nobody comes in, and the server ends when the last one has left.
func TestDrain(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--drain", "5m", "--admin", "127.0.0.1:0")
		ready := func() int {
			response, err := http.Get(server.adminURL() + "readyz")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			return response.StatusCode
		}
		assert.Equal(t, http.StatusOK, ready())
		alice, bob := login(t, server.address(), "Alice"), login(t, server.address(), "Bob")
		alice.do(enterRequest(1), enterResponse(0, ""))
		server.interrupt()
		server.awaitLine(drainLine)
		assert.Equal(t, http.StatusServiceUnavailable, ready())
		for {
			late, err := enter(splitAddress(t, server.address()))
			if err != nil {
				break
			}
			_ = late.Close() // it was on its way
		}
		bob.do(enterRequest(1), enterResponse(0, "Alice"))
		alice.do(chatRequest("bye"), chatResponse(0)+chatNotify("Alice", "bye"))
		_ = alice.conn.Close()
		bob.expect(chatNotify("Alice", "bye"))
		bob.quiet()
		_ = bob.conn.Close()
		server.wait(patience)
		assert.NotEmpty(t, server.logLines("drained: all clients have left"))
		assert.EqualValues(t, 1, server.summary()["chats"])
		http.DefaultClient.CloseIdleConnections()
	})
}

func TestADrainThatTakesTooLong(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core, "--drain", "200ms")
		alice := login(t, server.address(), "Alice")
		begin := time.Now()
		server.interrupt()
		alice.expectEnd()
		// A lower bound, so it does not depend on how fast the machine is.
		assert.GreaterOrEqual(t, time.Since(begin), 200*time.Millisecond)
		server.wait(patience)
		assert.EqualValues(t, map[string]any{"server_stop": 1.0}, server.summary()["closed"])
	})
}

func TestASecondSignalEndsADrain(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core, "--drain", "5m")
		alice := login(t, server.address(), "Alice")
		server.interrupt()
		server.awaitLine(drainLine)
		// One that comes right after the first is taken for its echo.
		for len(server.logLines("told again to stop: clients are disconnected now")) == 0 {
			server.interrupt()
			time.Sleep(20 * time.Millisecond) // gently
		}
		alice.expectEnd()
		server.wait(patience)
	})
}
