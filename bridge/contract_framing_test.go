package bridge

import (
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// How the bytes of a stream become packets, and how connections are made.

// Wherever the system cuts the stream, the packets are the same.
func TestPacketsSplitAtEveryByte(t *testing.T) {
	onEachByteStream(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		packets := [][]byte{packetOf(1, nil), numbered(1, 1, 13), packetOf(2, []byte{0}), numbered(1, 2, 30), packetOf(3, nil)}
		stream := bytes.Join(packets, nil)
		received := uint64(0)
		write := func(part []byte) {
			c.write(part)
			received += uint64(len(part))
			// The core has read this part before the next is sent: two parts are never one receive.
			s.eventually("it is received", func(stats Stats) bool { return stats.BytesReceived == received })
		}
		expectAll := func() {
			for _, packet := range packets {
				s.expectPacket(id, packet)
			}
			s.expectNothing()
		}
		for cut := 1; cut < len(stream); cut++ {
			write(stream[:cut])
			write(stream[cut:])
			expectAll()
		}
		for i := range stream {
			write(stream[i : i+1])
		}
		expectAll()
	})
}

func TestManyPacketsInOneSegment(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		var packets [][]byte
		for number := range 2000 {
			packets = append(packets, packetOf(uint16(number), nil))
		}
		for range 5 {
			c.write(packets...)
			for _, packet := range packets {
				s.expectPacket(id, packet)
			}
		}
	})
}

func TestLargestPackets(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize, config.RecvBufferSize, config.SendBufferSize = 65535, 65535, 4*65535
		s.start(config)
		l := s.runLogic(echo)
		require.NoError(t, s.dial().pump(1, 40, 3, always(65535)))
		require.NoError(t, s.dial().pump(2, 60, 3, func(n int) int { return 65535 - n*n*n%60000 }))
		l.stop()

		config.MaxPacketSize, config.RecvBufferSize, config.SendBufferSize = 5, 5, 5
		s.start(config)
		s.runLogic(echo)
		c := s.dial()
		for number := range 200 {
			c.write(packetOf(uint16(number), nil))
			c.expect(packetOf(uint16(number), nil))
		}
	})
}

func TestPeerAddressIsTold(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.BindAddress = "" // both families
		s.start(config)
		hosts := []string{"127.0.0.1"}
		if hasIPv6(t) {
			hosts = append(hosts, "::1")
		}
		for _, host := range hosts {
			c := s.dialTo(host)
			m := s.next()
			require.Equal(t, MessageConnection, m.kind)
			require.Equal(t, c.address(), string(m.data))
			c.write(packetOf(1, nil))
			s.expectPacket(m.id, packetOf(1, nil))
			s.send(m.id, packetOf(2, nil))
			c.expect(packetOf(2, nil))
		}
	})
}

func TestIPv6Loopback(t *testing.T) {
	if !hasIPv6(t) {
		t.Skip("this machine has no IPv6")
	}
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.BindAddress = "::1"
		s.start(config)
		s.runLogic(echo)
		require.NoError(t, s.dialTo("::1").pump(1, 100, 8, always(64)))
		if c, err := s.connect(t, "127.0.0.1", s.port()); err == nil {
			c.close()
			require.Fail(t, "it listens on more than it was told to")
		}
	})
}

func hasIPv6(t *testing.T) bool {
	t.Helper()
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	require.NoError(t, listener.Close())
	return true
}

// Both settings of Nagle serve; what it does to the timing is not for a test.
func TestNagle(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		for _, nagle := range []bool{false, true} {
			config := testConfig()
			config.Nagle = nagle
			s.start(config)
			l := s.runLogic(echo)
			require.NoError(t, s.dial().pump(1, 50, 8, always(64)))
			l.stop()
		}
	})
}
