package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Clients that say nothing give their places back, each for its own reason.
func TestSilentClients(t *testing.T) {
	onEveryDoor(t, atOnce(func(t *testing.T, d door) {
		server := d.start(t, "--login-timeout", "1s", "--idle-timeout", "1s")
		silent := dial(t, server.address())
		half := dial(t, server.address())
		half.send(loginRequest("half")[:46])
		idle := login(t, server.address(), "idle")
		idle.do(enterRequest(1), enterResponse(0, ""))
		silent.expectEnd()
		half.expectEnd()
		idle.expectEnd()
		next := login(t, server.address(), "idle") // the id and the place in the room are free
		next.do(enterRequest(1), enterResponse(0, ""))

		server.interrupt()
		next.expectEnd()
		server.wait(patience)
		assert.Equal(t, map[string]any{"first_packet_timeout": 2.0, "idle_timeout": 1.0, "server_stop": 1.0},
			server.summary()["closed"])
		discarded := 46.0
		if d.kind.WebSocket {
			discarded = 2 // the length: what came of the rest of a frame that breaks off is no part of a message yet
		}
		assert.Equal(t, discarded, server.summary()["bytes_received_discarded"])
	}))
}

// The limits that a server has unless it is told otherwise: a flooder is slowed, loses nothing, and is named in the log.
func TestAFlooderIsSlowed(t *testing.T) {
	onEveryDoor(t, atOnce(func(t *testing.T, d door) {
		server := d.start(t, "--max-packet-rate", "100", "--max-byte-rate", "65536")
		flooder := login(t, server.address(), "flooder")
		flooder.do(enterRequest(1), enterResponse(0, ""))
		const count = 60 // 25 at once
		var flood, answers []string
		for i := range count {
			message := fmt.Sprintf("말 %d", i)
			flood = append(flood, chatRequest(message))
			answers = append(answers, chatResponse(0), chatNotify("flooder", message))
		}
		flooder.send(flood...)
		other := login(t, server.address(), "other")
		other.do(enterRequest(2), enterResponse(0, ""))
		flooder.expect(answers...)

		server.interrupt()
		flooder.expectEnd()
		other.expectEnd()
		server.wait(patience)
		assert.NotZero(t, server.summary()["receives_throttled"])
		assert.Equal(t, float64(count), server.summary()["chats"])
		assert.Contains(t, server.log.String(), "more slowly")
		assert.Contains(t, server.log.String(), flooder.conn.LocalAddr().String())
	}))
}
