package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
)

// What clients do wrong before there is a packet, and around packets: the server ends them, names each in one line of
// the log, and counts them by reason. Nobody else notices anything.

// attack is what a client does that is alone with the server's port for a door.
type attack struct {
	name   string
	at     doorclient.Kind
	do     func(c *client, at doorclient.Kind)
	reason string
}

// expectCutOff reads up to the end, whatever comes and whether it is a reset.
func (c *client) expectCutOff() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.conn)
	require.NotErrorIs(c.t, err, os.ErrDeadlineExceeded, "the connection stays open")
}

// enterDoor does the handshakes of a kind of door on a connection that has said nothing.
func (c *client) enterDoor(kind doorclient.Kind) {
	c.t.Helper()
	var err error
	c.conn, err = doorclient.Enter(c.conn.TCPConn, kind, testCertificate().Trust, maxPacketSize)
	require.NoError(c.t, err)
}

// sends is an attack that is nothing but bytes.
func sends(bytes string) func(c *client, at doorclient.Kind) {
	return func(c *client, _ doorclient.Kind) {
		c.send(bytes)
		c.expectCutOff()
	}
}

func pretendAnotherOrigin(c *client, at doorclient.Kind) {
	c.enterDoor(doorclient.Kind{TLS: at.TLS})
	c.send("GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	require.NoError(c.t, err)
	require.NoError(c.t, answer.Body.Close())
	assert.Equal(c.t, http.StatusForbidden, answer.StatusCode)
}

// sendsFrame is an attack with a frame behind the handshakes, which the server ends with a code of WebSocket.
func sendsFrame(opcode byte, payload string, code int) func(c *client, at doorclient.Kind) {
	return func(c *client, at doorclient.Kind) {
		c.enterDoor(at)
		require.NoError(c.t, c.conn.WebSocket().Send(opcode, []byte(payload)))
		c.expectCutOff()
		assert.Equal(c.t, code, c.conn.WebSocket().CloseCode())
	}
}

func TestHostileClientsOfDoors(t *testing.T) {
	const plainHTTP = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	attacks := []attack{
		{"plain HTTP", tlsDoor, sends(plainHTTP), "plain_http"},
		{"plain HTTP", wssDoor, sends(plainHTTP), "plain_http"},
		{"packets without TLS", tlsDoor, sends(loginRequest("mallory")), "handshake_failed"},
		{"packets without TLS", wssDoor, sends(loginRequest("mallory")), "handshake_failed"},
		{"TLS", wsDoor, sends("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "handshake_failed"},
	}
	for _, kind := range []doorclient.Kind{wsDoor, wssDoor} {
		tooMany := strings.Repeat(enterRequest(1), 2048/len(enterRequest(1))+1) // right packets, but for their number
		attacks = append(attacks,
			attack{"another origin", kind, pretendAnotherOrigin, "other_origin"},
			attack{"a text message", kind, sendsFrame(doorclient.WholeText, loginRequest("mallory"), 1003), "text_message"},
			attack{"a long message", kind, sendsFrame(doorclient.WholeBinary, tooMany, 1009), "message_too_long"},
			attack{"half a packet", kind, sendsFrame(doorclient.WholeBinary, loginRequest("mallory")[:46], 1008),
				"message_not_whole"})
	}
	for _, kind := range allDoors {
		attacks = append(attacks,
			attack{"PROXY header", kind, sends("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), "proxy_header_not_allowed"},
			attack{"PROXY header", kind, sends("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"),
				"proxy_header_not_allowed"})
	}
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core, append(doorOptions(t, otherDoors...), "--ws-max-message", "2048")...)
		room := newWitnesses(server)
		closed := map[string]any{"server_stop": float64(len(room.members))}
		var peers []string
		for _, a := range attacks {
			peers = append(peers, a.carryOut(t, server))
			room.chat(a.at, a.name)
			count, _ := closed[a.reason].(float64)
			closed[a.reason] = count + 1
		}
		server.interrupt()
		room.expectEnd()
		server.wait(patience)
		assert.Equal(t, closed, server.summary()["closed"])
		for i, a := range attacks {
			server.expectWarning(a.at, peers[i], a.reason, a.name)
		}
	})
}

// carryOut does it with a connection of its own, and returns its address.
func (a *attack) carryOut(t *testing.T, server *serverProcess) (peer string) {
	t.Helper()
	c := dial(t, server.hostPort(a.at))
	peer = c.conn.LocalAddr().String()
	a.do(c, a.at)
	_ = c.conn.Close()
	return peer
}

// Who does not get ready in time is ended, however far the handshakes have come.
func TestHandshakesThatNeverFinish(t *testing.T) {
	const helloRecord = "\x16\x03\x01\x02\x00\x01" // the beginning of one
	afterTLS := func(c *client, _ doorclient.Kind) {
		if socket, err := doorclient.Enter(c.conn.TCPConn, tlsDoor, testCertificate().Trust, 0); err == nil { // it is in time
			c.conn = socket
			_, _ = io.WriteString(socket, "GET /ws HTTP/1.1\r\nHost: ")
			c.expectCutOff()
		}
	}
	attacks := []attack{
		{name: "silence", at: tlsDoor, do: sends("")},
		{name: "half of TLS", at: tlsDoor, do: sends(helloRecord)},
		{name: "silence", at: wsDoor, do: sends("")},
		{name: "half a request", at: wsDoor, do: sends("GET /ws HTTP/1.1\r\nHost: ")},
		{name: "half a PROXY header", at: wsDoor, do: sends("PROX")},
		{name: "silence", at: wssDoor, do: sends("")},
		{name: "half of TLS", at: wssDoor, do: sends(helloRecord)},
		{name: "half a request", at: wssDoor, do: afterTLS},
	}
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core, append(doorOptions(t, otherDoors...), "--handshake-timeout", "100ms")...)
		witness := login(t, server.address(), "witness") // on plain TCP, which has no handshake that could be late
		witness.do(enterRequest(1), enterResponse(0, ""))
		var peers []string
		for i, a := range attacks {
			peers = append(peers, a.carryOut(t, server))
			witness.do(chatRequest(fmt.Sprint(i)), chatResponse(0), chatNotify("witness", fmt.Sprint(i)))
		}
		server.interrupt()
		witness.expectEnd()
		server.wait(patience)
		assert.Equal(t, map[string]any{"handshake_timeout": float64(len(attacks)), "server_stop": 1.0},
			server.summary()["closed"])
		for i, a := range attacks {
			server.expectWarning(a.at, peers[i], "handshake_timeout", "")
		}
	})
}

// witnesses are members of one room, one at each door.
type witnesses struct {
	members []*client // in the order of allDoors
}

func newWitnesses(server *serverProcess) *witnesses {
	server.t.Helper()
	w := &witnesses{}
	rival := ""
	for _, kind := range allDoors {
		c := login(server.t, server.addressOf(kind), kind.String())
		c.do(enterRequest(1), enterResponse(0, rival))
		w.members = append(w.members, c)
		rival = allDoors[0].String()
	}
	return w
}

// chat lets those say something who are not at a door, and all hear it.
func (w *witnesses) chat(notAt doorclient.Kind, text string) {
	for i, talker := range w.members {
		if allDoors[i] == notAt {
			continue
		}
		talker.do(chatRequest(text), chatResponse(0))
		for _, c := range w.members {
			c.expect(chatNotify(allDoors[i].String(), text))
		}
	}
}

func (w *witnesses) expectEnd() {
	for _, c := range w.members {
		c.expectEnd()
	}
}

// expectWarning requires that one warning of the log names a peer and why it was ended. The native core says why in
// words. A client of another door may have had the same port.
func (s *serverProcess) expectWarning(at doorclient.Kind, peer, reason, words string) {
	s.t.Helper()
	door := any(at.String())
	if at.IsPlain() {
		door = nil
	}
	var warnings []map[string]any
	for line := range strings.Lines(s.log.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["level"] == "warn" && fields["door"] == door &&
			strings.Contains(line, peer) {
			warnings = append(warnings, fields)
		}
	}
	require.Len(s.t, warnings, 1, "%s, %s", peer, reason)
	if told, ok := warnings[0]["reason"]; ok {
		assert.Equal(s.t, peer, warnings[0]["peer"])
		assert.Equal(s.t, reason, told)
	} else {
		assert.Contains(s.t, warnings[0]["msg"], words)
	}
}
