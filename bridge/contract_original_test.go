package bridge

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the original library was seen to get wrong, as far as a core is concerned.

// 50 connections with 16 packets of 64 bytes in flight, buffers of 1 KB: most echoes were another, later packet.
func TestOriginalEchoIsOverwritten(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.RecvBufferSize, config.SendBufferSize, config.MaxPacketSize = 1024, 1024, 1024
		config.WorkThreads = 4
		s.start(config)
		s.runLogic(echo)
		s.pumpAll(50, 200, 16, always(64))
	})
}

// A message pool smaller than what is in flight: connections stalled until their client sent again.
func TestOriginalSmallPoolStalls(t *testing.T) {
	for _, pool := range []struct{ pool, reserve int }{{1, 0}, {1, 1}, {7, 5}} {
		t.Run(fmt.Sprintf("%d+%d", pool.pool, pool.reserve), func(t *testing.T) {
			onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
				config := testConfig()
				config.MessagePool, config.ExtraMessagePool = pool.pool, pool.reserve
				s.start(config)
				s.runLogic(echo)
				s.pumpAll(50, 60, 16, func(number int) int { return 16 + number%100 })
				stats := s.eventually("all is given back", func(stats Stats) bool { return stats.MessagesInUse == 0 })
				require.Equal(t, uint64(50*60), stats.PacketsReceived)
			})
		})
	}
}

func (s *subject) pumpAll(clients, count, window int, size func(int) int) {
	s.t.Helper()
	var all sync.WaitGroup
	for sender := range clients {
		c := s.dial()
		all.Go(func() { assert.NoError(s.t, c.pump(sender, count, window, size)) })
	}
	all.Wait()
}

// A burst, then a close, then a new client in the same slot: it got the old one's packets.
func TestOriginalNewClientGetsOldPackets(t *testing.T) {
	onEachThreadedCore(t, func(t *testing.T, s *subject) {
		const burst = 200
		config := testConfig()
		config.MaxConnections = 1
		config.RecvBufferSize = 16 << 10
		s.start(config)
		for round := range 5 {
			c, id := s.dialUntilServed()
			var packets [][]byte
			for number := range burst {
				packets = append(packets, numbered(round, number, 48))
			}
			c.write(packets...)
			c.closeWrite()
			// The answer to the last packet is still sent when the next client knocks.
			for _, packet := range packets {
				s.expectPacket(id, packet)
			}
			s.send(id, packets...)
			s.expectClose(id, ClosePeerClosed)
			refused, err := s.connect(t, "127.0.0.1", s.port())
			require.NoError(t, err)
			refused.expectEnd()
			refused.close()
			s.expectNothing()
			c.expect(packets...)
			c.expectEOF()
			c.close()
		}
	})
}

// A connect followed at once by a reset crashed it.
func TestOriginalConnectAndReset(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const clients = 300
		s.start(testConfig())
		s.runLogic(echo)
		for range clients {
			c, err := s.connect(t, "127.0.0.1", s.port())
			require.NoError(t, err)
			c.reset()
		}
		stats := s.expectAllGone()
		require.LessOrEqual(t, stats.ConnectionsAccepted+stats.ConnectionsRefused, uint64(clients+1))
	})
}

// Lengths that are none were accepted, and framing was lost or memory overwritten. Here: what was queued before is
// sent, then the connection is closed in order, with a reason, a log line and a counter.
func TestOriginalWrongLengths(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize = 1000
		s.start(config)
		for _, wrong := range []struct {
			length uint16
			reason CloseReason
		}{
			{0, ClosePacketTooShort}, {1, ClosePacketTooShort}, {2, ClosePacketTooShort}, {3, ClosePacketTooShort},
			{4, ClosePacketTooShort}, {1001, ClosePacketTooLong}, {1024, ClosePacketTooLong}, {65535, ClosePacketTooLong},
		} {
			before := s.core.Stats().Closed[wrong.reason]
			c, id := s.connected()
			first, second := numbered(1, 1, 32), numbered(1, 2, 1000)
			// More than the two bytes of the length is not waited for.
			c.write(first, second, []byte{byte(wrong.length), byte(wrong.length >> 8)})
			s.expectPacket(id, first)
			s.expectPacket(id, second)
			s.send(id, second)
			s.expectClose(id, wrong.reason)
			s.send(id, first)
			s.expectNothing()
			c.expect(second, first)
			c.expectEOF()
			require.Equal(t, before+1, s.core.Stats().Closed[wrong.reason], "length %d", wrong.length)
			s.warned(c.address())
			c.close()
		}
	})
}

// The client of a violation goes on sending, and still gets the answers that were queued before.
func TestViolationAnswersSurviveWhatFollows(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for range 20 {
			c, id := s.connected()
			packet := numbered(1, 1, 500)
			c.write(packet, make([]byte, 20000)) // the zeros are a violation, and more than one receive takes
			s.expectPacket(id, packet)
			for range 20 {
				s.send(id, packet)
			}
			s.expectClose(id, ClosePacketTooShort)
			s.expectNothing()
			for range 20 {
				c.expect(packet)
			}
			c.expectEOF()
			c.close()
		}
	})
}

// Connections beyond the maximum heard nothing. Here they are refused and counted, and served when there is room.
func TestOriginalConnectionsBeyondTheMaximum(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxConnections = 3
		s.start(config)
		var clients []*client
		for range config.MaxConnections {
			c, _ := s.connected()
			clients = append(clients, c)
		}
		for i := range 5 {
			refused := s.dial()
			refused.expectEnd()
			s.eventually("it is counted", func(stats Stats) bool { return stats.ConnectionsRefused == uint64(i+1) })
		}
		s.expectNothing()
		clients[1].close()
		closed := s.next()
		require.Equal(t, MessageClose, closed.kind)
		s.expectNothing()
		c, id := s.dialUntilServed()
		require.Equal(t, closed.id.Index(), id.Index())
		c.write(packetOf(1, nil))
		s.expectPacket(id, packetOf(1, nil))
		require.Equal(t, uint64(4), s.core.Stats().ConnectionsAccepted)
	})
}

// It told logic of 6,894 ends of 32 connections.
func TestOriginalTooManyCloses(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		random := rand.New(rand.NewPCG(1, 2))
		s.runLogic(func(m *Message, batch *SendBatch) {
			echo(m, batch)
			if m.Type == MessageRecv && m.Data[4] == 1 {
				batch.Disconnect(m.ID)
				batch.Disconnect(m.ID)
			}
		})
		var clients []*client
		for range 32 {
			clients = append(clients, s.dial())
		}
		s.eventually("all are accepted", func(stats Stats) bool { return stats.ConnectionsAccepted == 32 })
		ending := packetOf(1, nil)
		ending[4] = 1
		for _, c := range clients {
			switch random.IntN(4) {
			case 0:
				c.reset()
			case 1:
				c.write(ending, ending)
			case 2:
				c.write([]byte{0, 0, 0})
				c.closeWrite()
			case 3:
				c.close()
			}
		}
		s.eventually("every connection is gone", func(stats Stats) bool {
			return stats.ConnectionsAccepted == 32 && stats.Closed[ClosePeerClosed]+stats.Closed[ClosePeerReset]+
				stats.Closed[CloseLogic]+stats.Closed[ClosePacketTooShort] == 32
		})
		for _, c := range clients {
			c.socket.Close()
		}
		s.eventually("every slot is free", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
		s.eventually("logic has seen every Close", func(Stats) bool {
			connections, closes, _ := s.life.counts()
			return connections == 32 && closes == 32
		})
	})
}
