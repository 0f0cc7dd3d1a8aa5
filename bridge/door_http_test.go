package bridge

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/doorclient"
)

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
		// Somebody on the way may have changed a page without TLS.
		want := http.StatusSwitchingProtocols
		if s.kind.door.TLS {
			want = http.StatusForbidden
		}
		status, _ = s.ask("Origin: http://chat.example:8080")
		require.Equal(t, want, status)
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

// Everything may come in pieces; nothing is judged before it is clear what it is.
func TestDoorProxyHeaderInPieces(t *testing.T) {
	onDoors(t, []testDoor{wsDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for i, header := range []string{proxyHeaders[0].header, proxySignature} {
			c := s.dialBelow()
			for _, b := range []byte(header) {
				if _, err := c.socket.Write([]byte{b}); err != nil {
					break // it has been refused
				}
			}
			c.expectEnd()
			s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[CloseProxyHeaderNotAllowed] == uint64(i+1) })
		}
		require.Zero(t, s.core.Stats().Closed[CloseHandshakeFailed])
		c := s.dialBelow()
		for _, b := range []byte("GET /no-such-page HTTP/1.1\r\nHost: a\r\n\r\n") {
			c.write([]byte{b})
		}
		status, _ := responseOf(t, c.reader)
		require.Equal(t, http.StatusNotFound, status)
	})
}

// A connection whose request was refused ends, however many more it has sent.
func TestDoorRefusedRequestIsTheLast(t *testing.T) {
	onDoors(t, []testDoor{wsDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		const request = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
		for i, refused := range []string{
			request + "13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://evil.example\r\n\r\n",
			request + "12\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		} {
			c := s.dialBelow()
			_, _ = io.WriteString(c.socket, strings.Repeat(refused, 1000)) // it may end meanwhile
			_, _ = io.Copy(io.Discard, c.socket)
			s.eventually("one is counted", func(stats Stats) bool {
				return stats.Closed[CloseOtherOrigin]+stats.Closed[CloseHandshakeFailed] == uint64(i+1)
			})
		}
	})
}

// A connection may ask for all of a page's files, and not for ever.
func TestDoorManyRequests(t *testing.T) {
	onDoors(t, []testDoor{wsDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c := s.dialBelow()
		answers := 0
		for {
			if _, err := io.WriteString(c.socket, "GET /no-such-page HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
				break
			}
			response, err := http.ReadResponse(c.reader, nil)
			if err != nil {
				break
			}
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			answers++
		}
		require.Equal(t, 100, answers)
	})
}
