package bridge

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/doorclient"
)

// What doors refuse, each with its reason and its counter. What they have in common with every core is the contract.

// onDoors runs a test on some of the doors.
func onDoors(t *testing.T, doors []testDoor, test func(t *testing.T, s *subject)) {
	t.Helper()
	var cores []testCore
	for _, door := range doors {
		cores = append(cores, testCore{name: door.name(), path: CoreAuto, door: door})
	}
	onCores(t, cores, test)
}

var (
	tlsDoor = testDoor{Kind: doorclient.Kind{TLS: true}}
	wsDoor  = testDoor{Kind: doorclient.Kind{WebSocket: true}}
	wssDoor = testDoor{Kind: doorclient.Kind{TLS: true, WebSocket: true}}
)

// dialBelow connects to the door's port and speaks nothing yet.
func (s *subject) dialBelow() *client {
	s.t.Helper()
	c, err := connect(s.t, "127.0.0.1", s.port())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.socket.Close() })
	if s.kind.isInline {
		c.reader = bufio.NewReader(&servedSocket{c.socket, s})
	}
	return c
}

// web is the WebSocket of a client.
func (c *client) web() *doorclient.WebSocket { return c.socket.WebSocket() }

// responseOf reads an HTTP response.
func responseOf(t *testing.T, reader *bufio.Reader) (status int, body string) {
	t.Helper()
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err, "it ends in order")
	return response.StatusCode, string(text)
}

// expectRefused requires that logic heard of nobody, and that the reason was counted and logged once.
func (s *subject) expectRefused(reason CloseReason, peer string) {
	s.t.Helper()
	s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[reason] == 1 })
	s.warned(peer, reason.String())
	s.expectNothing()
	require.Zero(s.t, s.core.Stats().ConnectionsAccepted)
}

func TestDoorPlainHTTPOnTheTLSPort(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c := s.dialBelow()
		c.write([]byte("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
		status, text := responseOf(t, c.reader)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, "TLS")
		s.expectRefused(ClosePlainHTTP, c.address())
	})
}

func TestDoorWhatIsNoTLS(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c := s.dialBelow()
		c.write(packetOf(201, make([]byte, 42)))
		c.expectEnd()
		s.expectRefused(CloseHandshakeFailed, c.address())
	})
}

func TestDoorHandshakeThatNeverFinishes(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		config := testConfig()
		config.HandshakeTimeout = 50 * time.Millisecond
		s.start(config)
		beginnings := []string{"", "\x16\x03\x01\x02\x00\x01"}
		if s.kind.door == wsDoor {
			beginnings = []string{"", "GET /ws HTTP/1.1\r\nHost: "}
		}
		for i, begin := range beginnings {
			c := s.dialBelow()
			c.write([]byte(begin))
			c.expectEnd()
			s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[CloseHandshakeTimeout] == uint64(i+1) })
			s.warned(c.address(), CloseHandshakeTimeout.String())
		}
		s.expectNothing()
	})
}

// Whoever holds a place without using it makes room for the next client: they keep nobody out.
func TestDoorTooManyHandshakes(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		const places = 4
		config := testConfig()
		config.MaxHandshakes = places
		config.HandshakeTimeout = maxTimeout
		s.start(config)
		var silent []*client
		for range places {
			silent = append(silent, s.dialBelow())
		}
		for i := range places {
			c, id := s.connected()
			c.write(packetOf(1, nil))
			s.expectPacket(id, packetOf(1, nil))
			silent[i].expectEnd()
			s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[CloseHandshakesFull] == uint64(i+1) })
			s.warned(silent[i].address(), CloseHandshakesFull.String())
			silent = append(silent, s.dialBelow()) // takes the place that the client has left
		}
	})
}

// A client that leaves in the middle of its handshake is nobody's business.
func TestDoorClientThatLeavesInItsHandshake(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for _, begin := range []string{"", "G"} {
			c := s.dialBelow()
			c.write([]byte(begin))
			c.close()
			c = s.dialBelow()
			c.write([]byte(begin))
			c.reset()
		}
		c, _ := s.connected()
		c.close()
		require.Zero(t, s.core.Stats().Closed[CloseHandshakeTimeout])
	})
}

// ask sends a request for a WebSocket and returns the answer's status.
func (s *subject) ask(headers ...string) (status int, peer string) {
	s.t.Helper()
	c := s.dialBelow()
	socket, err := testDoor{Kind: doorclient.Kind{TLS: s.kind.door.TLS}}.enter(c.socket.TCPConn, 0)
	require.NoError(s.t, err)
	request := "GET /ws HTTP/1.1\r\nHost: chat.example:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + strings.Join(append(headers, ""), "\r\n")
	_, err = io.WriteString(socket, request+"\r\n")
	require.NoError(s.t, err)
	status, _ = responseOf(s.t, bufio.NewReader(socket))
	return status, c.address()
}

func TestDoorOtherOrigin(t *testing.T) {
	onDoors(t, []testDoor{wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		status, peer := s.ask("Origin: https://evil.example")
		require.Equal(t, http.StatusForbidden, status)
		s.expectRefused(CloseOtherOrigin, peer)
		for _, origin := range []string{"null", "https://chat.example", "https://chat.example:8081", "http://evil.chat.example:8080",
			"https://chat.example:8080.evil.example", "%zz"} {
			status, _ := s.ask("Origin: " + origin)
			require.Equal(t, http.StatusForbidden, status, origin)
		}
		s.expectNothing()
		status, _ = s.ask("Origin: https://CHAT.example:8080")
		require.Equal(t, http.StatusSwitchingProtocols, status)
		s.expectConnection()
	})
}

func TestDoorOriginsThatMayConnect(t *testing.T) {
	core := NewDoor(Door{Name: "ws", WebSocket: &stream.WebSocket{MaxMessage: 4096,
		Origins: []string{"game.example", "*.play.example:8443", "https://only-safe.example"}}}, nil)
	s := &subject{t: t, kind: testCore{door: wsDoor}, core: core}
	s.start(testConfig())
	t.Cleanup(func() { assert.NoError(t, core.Close()) })
	for origin, want := range map[string]int{
		"https://game.example":            101,
		"http://Game.example":             101,
		"https://eu.play.example:8443":    101,
		"https://only-safe.example":       101,
		"http://only-safe.example":        403,
		"https://play.example:8443":       403,
		"https://eu.play.example":         403,
		"https://game.example.evil.tld":   403,
		"https://evil.tld/?.game.example": 403,
	} {
		status, _ := s.ask("Origin: " + origin)
		require.Equal(t, want, status, origin)
	}
}

func TestDoorRequestsThatAreNone(t *testing.T) {
	onDoors(t, []testDoor{wsDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for i, request := range []string{
			"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n",
			"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n" +
				"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
			"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
			"POST /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
				"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nContent-Length: 0\r\n\r\n",
			"SSH-2.0-OpenSSH_9.2\r\n\r\n",
		} {
			c := s.dialBelow()
			c.write([]byte(request))
			status, _ := responseOf(t, c.reader)
			require.GreaterOrEqual(t, status, 400)
			s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[CloseHandshakeFailed] == uint64(i+1) })
		}
		// What is no request for a WebSocket is nothing to refuse.
		c := s.dialBelow()
		c.write([]byte("GET /no-such-page HTTP/1.1\r\nHost: a\r\n\r\n"))
		status, _ := responseOf(t, c.reader)
		require.Equal(t, http.StatusNotFound, status)
		s.expectNothing()
	})
}
