package bridge

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/doorclient"
)

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
