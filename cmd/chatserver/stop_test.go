package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slowMessages is how much a slow client says: its answers are some 11 MB, more than the system takes from the server
// for a client that does not read, so that a good part waits in the server.
const slowMessages = 40_000

// talkToSlowClient logs a client in that does not read, lets it say messages, and returns once the server has
// handled them all, as a second member of the room, the witness, has heard. Everything that the slow client is owed is
// returned.
func talkToSlowClient(t *testing.T, server *serverProcess, messages int) (slow, witness *client, owed string) {
	t.Helper()
	slow = login(t, server.address(), "slow")
	slow.do(enterRequest(1), enterResponse(0, ""))
	witness = login(t, server.address(), "witness")
	witness.do(enterRequest(1), enterResponse(0, "slow"))

	var requests, answers, notifies strings.Builder
	for i := range messages {
		text := fmt.Sprintf("말 %d", i)
		requests.WriteString(chatRequest(text))
		answers.WriteString(chatResponse(0) + chatNotify("slow", text))
		notifies.WriteString(chatNotify("slow", text))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = slow.conn.Write([]byte(requests.String())) // the witness finds out
	}()
	witness.expect(notifies.String())
	<-done
	return slow, witness, answers.String()
}

func TestStopSendsWhatIsQueued(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--send-buffer", fmt.Sprint(32<<20))
		slow, witness, owed := talkToSlowClient(t, server, slowMessages)

		server.interrupt()
		slow.expect(owed)
		slow.expectEnd()
		witness.expectEnd()
		server.wait(patience)

		summary := server.summary()
		assert.EqualValues(t, slowMessages, summary["chats"])
		assert.EqualValues(t, 2*slowMessages, summary["notifications"])
		assert.EqualValues(t, 2, summary["logins"])
		assert.EqualValues(t, 0, summary["bytes_discarded"])
		assert.EqualValues(t, map[string]any{"server_stop": 2.0}, summary["closed"])
	})
}

func TestEveryWayToStop(t *testing.T) {
	for _, way := range waysToStop {
		t.Run(way.name, func(t *testing.T) {
			onEveryCore(t, func(t *testing.T, core string) {
				server := startServer(t, core)
				c := login(t, server.address(), "Alice")
				c.do(enterRequest(1), enterResponse(0, ""))
				require.NoError(t, way.send(server.command.Process))
				c.expectEnd()
				server.wait(patience)
				assert.EqualValues(t, map[string]any{"server_stop": 1.0}, server.summary()["closed"])
			})
		})
	}
}

// Packets that are on their way when the stop comes are handled and answered up to some point, and never by half.
func TestStopInTheMiddleOfTraffic(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		c := login(t, server.address(), "Alice")
		c.do(enterRequest(1), enterResponse(0, ""))
		// Always some requests on their way, but never so many that the answers overflow the send buffer.
		const window = 200
		tokens := make(chan struct{}, window)
		request := []byte(chatRequest("와글와글"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range tokens {
				if _, err := c.conn.Write(request); err != nil {
					return // the server has closed
				}
			}
		}()
		for range window {
			tokens <- struct{}{}
		}
		answer := chatResponse(0) + chatNotify("Alice", "와글와글")
		for range 1000 {
			c.expect(answer)
			tokens <- struct{}{}
		}
		server.interrupt()

		// The client goes on sending, so the end may be a reset that destroys what has not been read: what was
		// received up to there must be what was expected.
		buffer := make([]byte, len(answer))
		for {
			n, err := io.ReadFull(c.conn, buffer)
			require.Equal(t, answer[:n], string(buffer[:n]))
			if err != nil {
				break
			}
			select {
			case tokens <- struct{}{}:
			case <-done:
			}
		}
		_ = c.conn.Close()
		close(tokens)
		<-done
		server.wait(patience)
	})
}

func TestAStopIsBoundedWhenAClientDoesNotRead(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--stop-timeout", "500ms", "--send-buffer", fmt.Sprint(32<<20))
		talkToSlowClient(t, server, slowMessages)

		server.interrupt()
		server.wait(patience)
		assert.NotZero(t, server.summary()["bytes_discarded"], "there was nothing to wait for, so nothing was tested")
	})
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core, "--stop-timeout", "5m", "--send-buffer", fmt.Sprint(32<<20))
		talkToSlowClient(t, server, slowMessages)

		// One that comes at once is the same, so it is repeated until the server has had enough.
		server.interrupt()
		ended := make(chan struct{})
		repeated := make(chan struct{})
		go func() {
			defer close(repeated)
			for {
				select {
				case <-ended:
					return
				case <-time.After(100 * time.Millisecond):
					_ = waysToStop[0].send(server.command.Process)
				}
			}
		}()
		code := server.exitCode(patience)
		close(ended)
		<-repeated
		assert.Equal(t, 1, code)
	})
}

func TestStopWithNobodyThere(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		server.interrupt()
		server.wait(patience)
		assert.EqualValues(t, 0, server.summary()["connections_accepted"])
	})
}
