package bridge

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
)

// What doors refuse, each with its reason and its counter. What they have in common with every core is the contract.

// onDoors runs a test on some of the doors: where the others are not tested (see doorsUnderTest), on the last of them.
func onDoors(t *testing.T, doors []testDoor, test func(t *testing.T, s *subject)) {
	t.Helper()
	if !nativeSupported || runtime.GOOS != "linux" {
		doors = doors[len(doors)-1:]
	}
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

// Who takes many places takes them from himself, not from a client that is slower.
func TestDoorHandshakesOfOneAddress(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wssDoor}, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxHandshakes = 4
		config.HandshakeTimeout = maxTimeout
		s.start(config)
		honest := s.dialBelow()
		greedy := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 66)}}
		const connections = 20
		for range connections {
			socket, err := greedy.DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", s.port()))
			require.NoError(t, err)
			t.Cleanup(func() { _ = socket.Close() })
		}
		s.eventually("they have ended each other", func(stats Stats) bool {
			return stats.Closed[CloseHandshakesFull] == connections-3
		})
		_, err := s.kind.door.enter(honest.socket.TCPConn, 0)
		require.NoError(t, err)
		s.expectConnection()
		s.eventually("nothing more is counted", func(stats Stats) bool {
			return stats.Closed[CloseHandshakesFull] == connections-3
		})
	})
}

// A client that was refused and has not left yet may have to make room, and is not counted again.
func TestDoorRefusedClientMakesRoom(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wssDoor}, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxHandshakes = 1
		s.start(config)
		refused := s.dialBelow()
		refused.write([]byte("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
		s.eventually("it is refused", func(stats Stats) bool { return stats.Closed[ClosePlainHTTP] == 1 })
		s.connected()
		require.Zero(t, s.core.Stats().Closed[CloseHandshakesFull])
	})
}

// Balancers' clients may make room for each other while it becomes known who they are.
func TestDoorHandshakesBehindABalancer(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor, wsDoor}, func(t *testing.T, s *subject) {
		config := fromLoopback(testConfig())
		config.MaxHandshakes = 1
		s.start(config)
		for range 50 {
			c := s.dialBelow()
			_, _ = io.WriteString(c.socket, proxyHeaders[0].header) // it may have made room already
		}
		s.proxyHeader = proxyHeaders[0].header
		s.connected()
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
