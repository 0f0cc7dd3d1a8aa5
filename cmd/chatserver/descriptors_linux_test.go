package main

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// More clients than the process may have descriptors: those who are in notice nothing, the log says what is wrong, and
// the others are served as soon as there are descriptors again, with what they had sent meanwhile.
func TestOutOfDescriptors(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		plain := serverCommand(t, serverArguments(core)...)
		limited := exec.Command("sh", append([]string{"-c", `ulimit -n 40; exec "$@"`, "sh", plain.Path},
			plain.Args[1:]...)...)
		limited.Env = plain.Env
		server := launch(t, limited)
		witness := login(t, server.address(), "witness")
		witness.do(enterRequest(1), enterResponse(0, ""))

		const count = 60
		var clients []*client
		for i := range count {
			c := dial(t, server.address())
			c.send(loginRequest(fmt.Sprintf("client-%d", i)))
			clients = append(clients, c)
		}
		deadline := time.Now().Add(patience)
		for !strings.Contains(server.log.String(), "accepting") {
			require.True(t, time.Now().Before(deadline), "no line about it in the log")
			time.Sleep(10 * time.Millisecond)
		}
		witness.do(chatRequest("아직 있다"), chatResponse(0), chatNotify("witness", "아직 있다"))

		var served sync.WaitGroup
		for _, c := range clients {
			served.Go(func() {
				answer := make([]byte, len(loginResponse(0)))
				_, err := c.conn.Read(answer)
				assert.NoError(t, err)
				assert.Equal(t, loginResponse(0), string(answer))
				_ = c.conn.Close() // makes room for the next one
			})
		}
		served.Wait()
		witness.quiet()

		server.interrupt()
		witness.expectEnd()
		server.wait(patience)
		assert.NotZero(t, server.summary()["accept_errors"])
		assert.Equal(t, float64(count+1), server.summary()["logins"])
	})
}
