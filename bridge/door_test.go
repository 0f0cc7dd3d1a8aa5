package bridge

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
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

// What a WebSocket may not carry ends it, after what was queued is sent, and the client is told why.
func TestDoorMessagesThatAreNone(t *testing.T) {
	onDoors(t, []testDoor{wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		const tooLong = 1<<20 + 1
		violations := []struct {
			name   string
			frames []byte
			reason CloseReason
			code   int
		}{
			{"text", append(doorclient.FrameHeader(doorclient.WholeText, 5), "hello"...), CloseTextMessage, 1003},
			{"a message over the limit", append(doorclient.FrameHeader(doorclient.WholeBinary, tooLong), make([]byte, tooLong)...),
				ClosePacketTooShort, 1008},
			{"packets over the limit", append(doorclient.FrameHeader(doorclient.WholeBinary, tooLong+9), manyPackets(tooLong+9)...),
				CloseMessageTooLong, 1009},
			{"half a packet", append(doorclient.FrameHeader(doorclient.WholeBinary, 7), packetOf(1, []byte("abc"))[:7]...), CloseMessageNotWhole, 1008},
			{"half a length", append(doorclient.FrameHeader(doorclient.WholeBinary, 1), 5), CloseMessageNotWhole, 1008},
			{"an empty message", doorclient.FrameHeader(doorclient.WholeBinary, 0), CloseMessageNotWhole, 1008},
			{"a packet in two messages", append(append(doorclient.FrameHeader(doorclient.WholeBinary, 4), packetOf(1, nil)[:4]...),
				append(doorclient.FrameHeader(doorclient.WholeBinary, 1), 0)...), CloseMessageNotWhole, 1008},
			{"a frame without a mask", append([]byte{doorclient.WholeBinary, 5}, packetOf(1, nil)...), CloseFrameInvalid, 1002},
			{"an opcode that there is not", doorclient.FrameHeader(0x83, 0), CloseFrameInvalid, 1002},
			{"a bit that nobody agreed on", append(doorclient.FrameHeader(0xC2, 5), packetOf(1, nil)...), CloseFrameInvalid, 1002},
			{"a continuation of nothing", append(doorclient.FrameHeader(0x80, 5), packetOf(1, nil)...), CloseFrameInvalid, 1002},
			{"a ping in fragments", doorclient.FrameHeader(9, 0), CloseFrameInvalid, 1002},
			{"a ping that is too long", append(doorclient.FrameHeader(doorclient.WholePing, 126), make([]byte, 126)...), CloseFrameInvalid, 1002},
			{"a short length", append(doorclient.FrameHeader(doorclient.WholeBinary, 4), 4, 0, 0, 0), ClosePacketTooShort, 1008},
			{"a long length", append(doorclient.FrameHeader(doorclient.WholeBinary, 4), 255, 255, 0, 0), ClosePacketTooLong, 1008},
		}
		for _, violation := range violations {
			before := s.core.Stats().Closed[violation.reason]
			c, id := s.connected()
			c.write(packetOf(7, nil))
			s.expectPacket(id, packetOf(7, nil))
			_, err := c.web().Below.Write(violation.frames)
			require.NoError(t, err)
			for m := s.next(); ; m = s.next() {
				if m.kind == MessageRecv { // the packets before the one that breaks the rule
					continue
				}
				require.Equal(t, violation.reason, m.reason, violation.name)
				break
			}
			if violation.reason != CloseFrameInvalid { // after that the library sends nothing more
				s.send(id, packetOf(8, nil))
			}
			s.expectNothing() // gives the Close back
			if violation.reason != CloseFrameInvalid {
				c.expect(packetOf(8, nil))
			}
			c.expectEOF()
			require.Equal(t, violation.code, c.web().CloseCode(), violation.name)
			require.Equal(t, before+1, s.core.Stats().Closed[violation.reason], violation.name)
			s.warned(c.address(), violation.reason.String())
		}
	})
}

// manyPackets are packets of size bytes in all.
func manyPackets(size int) []byte {
	var all []byte
	for len(all) < size-2*HeaderLength {
		all = append(all, packetOf(1, nil)...)
	}
	return append(all, packetOf(1, make([]byte, size-len(all)-HeaderLength))...)
}

// A length that no packet has is not waited for, nor does a whole packet wait for the rest of its message.
func TestDoorMessagesThatComeSlowly(t *testing.T) {
	onDoors(t, []testDoor{wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		_, err := c.web().Below.Write(append(doorclient.FrameHeader(doorclient.WholeBinary, 1000), packetOf(1, []byte("first"))...))
		require.NoError(t, err)
		s.expectPacket(id, packetOf(1, []byte("first")))
		_, err = c.web().Below.Write([]byte{0xFF, 0xFF})
		require.NoError(t, err)
		s.expectClose(id, ClosePacketTooLong)
		s.expectNothing()
		c.expectEOF()
	})
}

// A message may come in fragments, with a ping in between, and be cut by TCP wherever it likes.
func TestDoorMessagesInFragments(t *testing.T) {
	onDoors(t, []testDoor{wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		first, second := packetOf(1, []byte("ab")), packetOf(2, nil)
		both := append(append([]byte{}, first...), second...)
		for cut := range len(both) + 1 {
			frames := append(doorclient.FrameHeader(doorclient.WholeBinary&^0x80, cut), both[:cut]...)
			if cut%2 == 0 {
				frames = append(frames, doorclient.FrameHeader(doorclient.WholePing, 0)...)
			}
			frames = append(append(frames, doorclient.FrameHeader(0x80, len(both)-cut)...), both[cut:]...)
			for _, b := range frames {
				_, err := c.web().Below.Write([]byte{b})
				require.NoError(t, err)
			}
			s.expectPacket(id, first)
			s.expectPacket(id, second)
		}
	})
}

func TestDoorTooManyPings(t *testing.T) {
	onDoors(t, []testDoor{wsDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		var pings []byte
		for range 1000 {
			pings = append(pings, doorclient.FrameHeader(doorclient.WholePing, 0)...)
		}
		_, err := c.web().Below.Write(pings)
		require.NoError(t, err)
		s.expectClose(id, CloseFrameInvalid)
	})
}

// Frames without packets cost time that no limit of packets bounds.
func TestDoorFramesWithoutPackets(t *testing.T) {
	floods := map[string][]byte{
		"pongs":        bytes.Repeat(doorclient.FrameHeader(doorclient.WholePong, 0), 30_000),
		"empty frames": append(doorclient.FrameHeader(2, 0), bytes.Repeat(doorclient.FrameHeader(0, 0), 30_000)...),
	}
	onDoors(t, []testDoor{wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for name, flood := range floods {
			c, id := s.connected()
			go func() {
				for { // until the door ends it
					if _, err := c.web().Below.Write(flood[:len(flood)/2]); err != nil {
						return
					}
					if _, err := c.web().Below.Write(flood[len(flood)/2:]); err != nil || name != "pongs" {
						return
					}
				}
			}()
			s.expectClose(id, CloseFrameInvalid)
			s.warned(c.address(), "too many frames without packets")
			s.expectNothing()
			c.close()
		}
		// Small packets in frames of their own are packets.
		c, id := s.connected()
		frame := append(doorclient.FrameHeader(doorclient.WholeBinary, HeaderLength), packetOf(1, nil)...)
		go func() { _, _ = c.web().Below.Write(bytes.Repeat(frame, 20_000)) }()
		for range 20_000 {
			s.expectPacket(id, packetOf(1, nil))
		}
	})
}

// corked sends what is written when it is told to, in one piece.
type corked struct {
	net.Conn
	buffer *bytes.Buffer
}

func (c corked) Write(p []byte) (int, error) { return c.buffer.Write(p) }

func (c corked) flush(t *testing.T) {
	t.Helper()
	require.NoError(t, c.Conn.SetDeadline(time.Now().Add(patience))) // the goodbye ends that for writes
	_, err := c.Conn.Write(c.buffer.Bytes())
	require.NoError(t, err)
	c.buffer.Reset()
}

// A message and the goodbye of TLS in one piece: with TLS 1.2 both come from one read.
func TestDoorMessageAndGoodbyeAtOnce(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		onDoors(t, []testDoor{wssDoor}, func(t *testing.T, s *subject) {
			s.start(testConfig())
			_, config := testCertificate()
			config = config.Clone()
			config.MaxVersion = version
			below := corked{s.dialBelow().socket.TCPConn, &bytes.Buffer{}}
			conn := tls.Client(flushing{below, t}, config)
			_, err := io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
			require.NoError(t, err)
			below.flush(t)
			id := s.expectConnection()
			_, err = conn.Write(append(doorclient.FrameHeader(doorclient.WholeBinary, HeaderLength), packetOf(7, nil)...))
			require.NoError(t, err)
			require.NoError(t, conn.CloseWrite())
			below.flush(t)
			s.expectPacket(id, packetOf(7, nil))
			s.expectClose(id, ClosePeerClosed)
		})
	}
}

// flushing sends what is held before it waits for an answer.
type flushing struct {
	corked
	t *testing.T
}

func (c flushing) Read(p []byte) (int, error) {
	c.flush(c.t)
	return c.Conn.Read(p)
}

// A client that answers pings stays, one that does not goes.
func TestDoorPings(t *testing.T) {
	core := NewDoor(Door{Name: "ws", WebSocket: &stream.WebSocket{MaxMessage: 4096, PingInterval: 20 * time.Millisecond}}, nil)
	s := &subject{t: t, kind: testCore{door: wsDoor}, core: core}
	s.start(testConfig())
	t.Cleanup(func() { assert.NoError(t, core.Close()) })
	answers, _ := s.connected()
	end := make(chan error, 1)
	go func() {
		_, err := answers.reader.ReadByte() // answers the pings
		end <- err
	}()
	silent, id := s.connected() // reads nothing
	s.expectClose(id, ClosePeerTimeout)
	s.expectNothing()
	silent.expectEnd()
	require.Zero(t, silent.web().CloseCode(), "a client that comes to itself is to try again, and not to think it was sent away")
	select {
	case err := <-end:
		require.Fail(t, "the one that answers has ended", "%v", err)
	default:
	}
	answers.close()
	require.Error(t, <-end)
}

func TestDoorEndingsAreTold(t *testing.T) {
	onDoors(t, []testDoor{wsDoor, wssDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		s.send(id, packetOf(1, nil))
		s.disconnect(id)
		s.expectClose(id, CloseLogic)
		s.expectNothing()
		c.expect(packetOf(1, nil))
		c.expectEOF()
		require.Equal(t, 1000, c.web().CloseCode())

		// The client's own goodbye is an end in order.
		c, id = s.connected()
		require.NoError(t, c.web().Send(doorclient.WholeClose, []byte{0x03, 0xE8}))
		s.expectClose(id, ClosePeerClosed)
		c.expectEOF()

		c, id = s.connected()
		require.NoError(t, s.core.BeginStop())
		s.expectClose(id, CloseServerStop)
		_, err := s.nextOrError()
		require.ErrorIs(t, err, ErrStopped)
		c.expectEOF()
		require.Equal(t, 1001, c.web().CloseCode())
	})
}

// Old versions of TLS, and suites that are broken or let recordings be read later, are refused.
func TestDoorRefusesWeakTLS(t *testing.T) {
	certificate := writeCertificate(t)
	files := stream.TLSFiles{Certificate: certificate.certificate, Key: certificate.key, MinVersion: tls.VersionTLS12,
		Protocols: []string{"packets"}}
	certificates, err := stream.LoadCertificates(files, nil)
	require.NoError(t, err)
	core := NewDoor(Door{Name: "tls", TLS: certificates.Config()}, nil)
	s := &subject{t: t, kind: testCore{door: tlsDoor}, core: core}
	s.start(testConfig())
	t.Cleanup(func() { assert.NoError(t, core.Close()) })
	try := func(config *tls.Config) (tls.ConnectionState, error) {
		config.RootCAs, config.ServerName = certificate.roots, "127.0.0.1"
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port())),
			config)
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer conn.Close()
		return conn.ConnectionState(), nil
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		state, err := try(&tls.Config{MinVersion: version, MaxVersion: version, NextProtos: []string{"other", "packets"}})
		require.NoError(t, err)
		require.Equal(t, version, state.Version)
		require.Equal(t, "packets", state.NegotiatedProtocol)
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		_, err := try(&tls.Config{MinVersion: version, MaxVersion: version})
		require.ErrorContains(t, err, "version", "%x", version)
	}
	// Every suite that Go's client knows.
	taken := 0
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		_, err := try(&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{suite.ID}}) //nolint:gosec // weak ones are what is tried
		isStrong := strings.Contains(suite.Name, "ECDHE_ECDSA") &&
			(strings.Contains(suite.Name, "GCM") || strings.Contains(suite.Name, "CHACHA20"))
		require.Equal(t, isStrong, err == nil, "%s: %v", suite.Name, err) // the certificate is ECDSA
		if err == nil {
			taken++
		}
	}
	require.Equal(t, 3, taken)
	_, err = try(&tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}})
	require.ErrorContains(t, err, "no application protocol")
}

func TestDoorClientCertificates(t *testing.T) {
	server, client := writeCertificate(t), writeCertificate(t)
	for _, optional := range []bool{false, true} {
		t.Run(fmt.Sprintf("optional=%v", optional), func(t *testing.T) {
			certificates, err := stream.LoadCertificates(stream.TLSFiles{Certificate: server.certificate, Key: server.key,
				ClientCA: client.certificate, ClientsMayHaveNone: optional, MinVersion: tls.VersionTLS13}, nil)
			require.NoError(t, err)
			core := NewDoor(Door{Name: "tls", TLS: certificates.Config()}, nil)
			s := &subject{t: t, kind: testCore{door: tlsDoor}, core: core}
			s.start(testConfig())
			t.Cleanup(func() { assert.NoError(t, core.Close()) })
			s.runLogic(echo)
			for _, try := range []struct {
				files *certificateFiles
				works bool
			}{{nil, optional}, {&client, true}, {&server, false}} {
				config := &tls.Config{RootCAs: server.roots, ServerName: "127.0.0.1"}
				if try.files != nil {
					pair, err := tls.LoadX509KeyPair(try.files.certificate, try.files.key)
					require.NoError(t, err)
					// Also one that the server does not ask for.
					config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
				}
				conn := tls.Client(s.dialBelow().socket.TCPConn, config)
				_, err := conn.Write(packetOf(1, nil))
				if err == nil {
					_, err = io.ReadFull(conn, make([]byte, HeaderLength))
				}
				require.Equal(t, try.works, err == nil, "%v", err)
			}
		})
	}
}
