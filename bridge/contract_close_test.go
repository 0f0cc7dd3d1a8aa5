package bridge

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How connections end.

// A client that sends its requests and ends its side at once gets its answers.
func TestHalfClosedClientGetsItsAnswers(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		s.runLogic(echo)
		for round := range 20 {
			c := s.dial()
			var packets [][]byte
			for number := range 100 {
				packets = append(packets, numbered(round, number, 64))
			}
			c.write(packets...)
			c.closeWrite()
			c.expect(packets...)
			c.expectEOF()
			c.close()
		}
		s.eventually("every slot is free", func(stats Stats) bool {
			return stats.ConnectionsCurrent == 0 && stats.Closed[ClosePeerClosed] == 20
		})
	})
}

// What is sent after logic was told of the end, and before it has given that back, is sent; later payloads are not.
func TestSendsAreTakenUntilTheCloseIsGivenBack(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		c.closeWrite()
		s.expectClose(id, ClosePeerClosed)
		s.send(id, packetOf(1, []byte("in time")))
		s.expectNothing()
		dropped := s.core.Stats().SendsDropped[SendDropNotConnected]
		s.send(id, packetOf(2, []byte("late")))
		require.Equal(t, dropped+1, s.core.Stats().SendsDropped[SendDropNotConnected])
		c.expect(packetOf(1, []byte("in time")))
		c.expectEOF()
	})
}

// Disconnect sends what was queued, drops what comes later, and the client that still sends is not reset before it has
// read the last answer.
func TestDisconnectSendsWhatIsQueued(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize = 4096
		s.start(config)
		for range 20 {
			before := s.core.Stats()
			c, id := s.connected()
			c.write(numbered(1, 0, 4096))
			s.expectPacket(id, numbered(1, 0, 4096))
			c.write(numbered(1, 1, 4096), make([]byte, 3000)) // nobody is going to read all of that
			var batch SendBatch
			for number := range 30 {
				batch.Send(id, numbered(2, number, 4096))
			}
			batch.Disconnect(id)
			batch.Send(id, packetOf(1, []byte("late")))
			batch.Disconnect(id)
			require.NoError(t, s.core.Submit(&batch))
			reason := CloseNone
			for reason == CloseNone {
				reason = s.next().reason // a packet that was accepted before may come first
			}
			require.Contains(t, []CloseReason{CloseLogic, ClosePacketTooShort}, reason) // the zeros may be seen first
			s.expectNothing()
			for number := range 30 {
				c.expect(numbered(2, number, 4096))
			}
			c.expectEOF()
			c.close()
			require.Equal(t, before.SendsDropped[SendDropNotConnected]+1, s.core.Stats().SendsDropped[SendDropNotConnected])
		}
		s.eventually("every slot is free", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
		require.Zero(t, s.core.Stats().BytesDiscardedOnClose)
		require.Zero(t, s.core.Stats().CloseTimeouts)
	})
}

// A client that reads nothing is cut off while what is queued for it is sent.
func TestCloseTimeoutCutsOff(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		for _, timeout := range []time.Duration{0, 20 * time.Millisecond} {
			config := testConfig()
			config.MaxPacketSize = 60000
			config.RecvBufferSize = 60000
			config.SendBufferSize = 64 << 20
			config.CloseTimeout = timeout
			s.start(config)
			c, id := s.connected()
			require.NoError(t, c.socket.SetReadBuffer(4096))
			var batch SendBatch
			packet := numbered(1, 1, 60000)
			for range 500 { // 30 MB, more than the system takes
				batch.Send(id, packet)
			}
			batch.Disconnect(id)
			require.NoError(t, s.core.Submit(&batch))
			s.expectClose(id, CloseLogic)
			s.expectNothing()
			stats := s.eventually("it is cut off", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
			require.Equal(t, uint64(1), stats.CloseTimeouts)
			require.Equal(t, uint64(1), stats.Closed[CloseLogic])
			require.Equal(t, uint64(500*60000), stats.BytesSent+stats.BytesDiscardedOnClose)
			require.NotZero(t, stats.BytesDiscardedOnClose)
			c.expectEnd()
			require.NoError(t, s.core.Stop(0))
		}
	})
}

// A client that neither reads nor ends does not keep its slot for ever.
func TestSilentClientIsGivenUp(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.CloseTimeout = 20 * time.Millisecond
		s.start(config)
		c, id := s.connected()
		s.disconnect(id)
		s.expectClose(id, CloseLogic)
		s.expectNothing()
		s.eventually("its slot is free", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
		require.Zero(t, s.core.Stats().CloseTimeouts) // nothing was queued
		c.expectEOF()
	})
}

// A reset is told once, and what is sent to the connection that broke is dropped in the end.
func TestResetIsTold(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		c.write(packetOf(1, nil))
		s.expectPacket(id, packetOf(1, nil))
		c.reset()
		reasons := []CloseReason{ClosePeerReset}
		if runtime.GOOS == "windows" {
			reasons = append(reasons, ClosePeerClosed) // Wine 8 sometimes tells a reset as an orderly end
		}
		s.expectClose(id, reasons...)
		s.send(id, packetOf(2, nil))
		s.expectNothing()
		s.eventually("its slot is free", func(stats Stats) bool {
			return stats.ConnectionsCurrent == 0 && stats.Closed[ClosePeerReset]+stats.Closed[ClosePeerClosed] == 1
		})
	})
}

// A packet that has begun and never ends is no packet.
func TestEndWithinAPacket(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for cut := 1; cut < 20; cut++ {
			c, id := s.connected()
			c.write(numbered(1, 1, 20)[:cut])
			c.closeWrite()
			s.expectClose(id, ClosePeerClosed)
			s.expectNothing()
			c.expectEOF()
			c.close()
		}
		require.Zero(t, s.core.Stats().PacketsReceived)
	})
}

// Logic disconnects a client whose packets wait for the pool: it is not kept until there is room.
func TestDisconnectWhileReadingIsPaused(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MessagePool, config.ExtraMessagePool = 2, 0
		s.start(config)
		c, id := s.connected()
		other, otherID := s.connected()
		for range 10 {
			c.write(numbered(1, 1, 32))
		}
		s.eventually("reading pauses", func(stats Stats) bool { return stats.MessagePoolExhausted == 1 })
		s.disconnect(id)
		// Whatever was accepted comes first.
		for {
			m := s.next()
			require.Equal(t, id, m.id)
			if m.kind == MessageClose {
				require.Equal(t, CloseLogic, m.reason)
				break
			}
		}
		s.expectNothing()
		c.expectEOF()
		other.write(packetOf(1, nil), packetOf(2, nil), packetOf(3, nil))
		s.expectPacket(otherID, packetOf(1, nil))
		s.expectPacket(otherID, packetOf(2, nil))
		s.expectPacket(otherID, packetOf(3, nil))
		s.expectNothing()
		require.Zero(t, s.core.Stats().MessagesInUse)
	})
}
