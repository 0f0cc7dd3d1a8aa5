package bridge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest/observer"
)

// A connection that never completes a packet is closed in the end, and one that has completed one is not.
func TestFirstPacketTimeout(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.FirstPacketTimeout = 200 * time.Millisecond
		s.start(config)
		talker, talkerID := s.connected()
		talker.write(packetOf(1, nil))
		s.expectPacket(talkerID, packetOf(1, nil))
		half, halfID := s.connected()
		half.write(packetOf(2, make([]byte, 50))[:54])
		s.expectClose(halfID, CloseFirstPacketTimeout)
		s.expectNothing()
		half.expectEOF()
		half.close()
		silent, silentID := s.connected()
		s.expectClose(silentID, CloseFirstPacketTimeout)
		s.expectNothing()
		silent.expectEOF()
		silent.close()
		s.send(talkerID, packetOf(3, nil))
		talker.expect(packetOf(3, nil))
		require.Equal(t, uint64(2), s.core.Stats().Closed[CloseFirstPacketTimeout])
		discarded := uint64(54)
		if s.kind.door.WebSocket {
			discarded = 2 // its length: of the rest of a frame that breaks off nothing has been received
		}
		s.eventually("half a packet is counted", func(stats Stats) bool {
			return stats.ConnectionsCurrent == 1 && stats.BytesReceivedDiscarded == discarded
		})
	})
}

// Once a packet was completed, the idle timeout holds instead.
func TestIdleTimeout(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.FirstPacketTimeout = time.Hour
		config.IdleTimeout = 200 * time.Millisecond
		s.start(config)
		c, id := s.connected()
		c.write(packetOf(1, nil))
		s.expectPacket(id, packetOf(1, nil))
		s.send(id, packetOf(2, nil))
		s.expectClose(id, CloseIdleTimeout)
		s.send(id, packetOf(3, nil)) // the answer to the Close still goes out
		s.expectNothing()
		c.expect(packetOf(2, nil), packetOf(3, nil))
		c.expectEOF()
		require.Equal(t, uint64(1), s.core.Stats().Closed[CloseIdleTimeout])
	})
}

// The time is counted from the last packet, also when that found everything asleep.
func TestIdleTimeoutCountsFromTheLastPacket(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.IdleTimeout = 2 * time.Second
		s.start(config)
		c, id := s.connected()
		c.write(packetOf(1, nil))
		s.expectPacket(id, packetOf(1, nil))
		time.Sleep(500 * time.Millisecond) // not for anything to happen: for nothing to happen
		begin := time.Now()
		c.write(packetOf(2, nil))
		s.expectPacket(id, packetOf(2, nil))
		s.expectClose(id, CloseIdleTimeout)
		require.GreaterOrEqual(t, time.Since(begin), config.IdleTimeout)
	})
}

// A client is not silent while logic keeps the core from reading it.
func TestAClientThatIsNotReadIsNotIdle(t *testing.T) {
	onEachThreadedCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize, config.RecvBufferSize = 256, 512
		config.IdleTimeout = 200 * time.Millisecond
		s.start(config)
		c, id := s.connected()
		for number := range 20 {
			c.write(numbered(1, number, 200))
		}
		s.eventually("reading pauses", func(stats Stats) bool { return stats.ReceivesPaused > 0 })
		other := s.dial()
		other.write(packetOf(1, nil))
		s.eventually("the other one is idle", func(stats Stats) bool { return stats.Closed[CloseIdleTimeout] == 1 })
		received := 0
		for closed := 0; closed < 2; {
			m := s.next()
			switch {
			case m.kind == MessageClose:
				require.Equal(t, CloseIdleTimeout, m.reason)
				closed++
			case m.kind == MessageRecv && m.id == id:
				require.Equal(t, numbered(1, received, 200), m.data)
				received++
			}
		}
		require.Equal(t, 20, received)
	})
}

// The pause that ends just before the time is over is not charged to the client either.
func TestIdleTimeoutCountsFromTheEndOfAPause(t *testing.T) {
	onEachThreadedCoreAtOnce(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize, config.RecvBufferSize = 256, 512
		config.IdleTimeout = 2 * time.Second
		s.start(config)
		c, id := s.connected()
		// The ring is full with two, and a part of a third cannot be read.
		c.write(numbered(1, 0, 256), numbered(1, 1, 256), numbered(1, 2, 256)[:100])
		s.eventually("reading pauses", func(stats Stats) bool { return stats.ReceivesPaused > 0 })
		time.Sleep(time.Second) // the pause
		s.expectPacket(id, numbered(1, 0, 256))
		s.expectPacket(id, numbered(1, 1, 256))
		begin := time.Now()
		s.expectClose(id, CloseIdleTimeout)
		require.GreaterOrEqual(t, time.Since(begin), config.IdleTimeout-10*time.Millisecond)
	})
}

// Without I/O threads nobody looks at clients while logic rests: that is not their silence.
func TestTheRestOfLogicIsNotAClientsSilence(t *testing.T) {
	inline := slices.DeleteFunc(coresUnderTest(), func(c testCore) bool { return !c.isInline })
	onCores(t, inline, func(t *testing.T, s *subject) {
		config := testConfig()
		config.IdleTimeout = time.Second
		s.start(config)
		c, id := s.connected()
		c.write(packetOf(1, nil))
		s.expectPacket(id, packetOf(1, nil))
		time.Sleep(1500 * time.Millisecond) // the rest
		begin := time.Now()
		s.expectClose(id, CloseIdleTimeout)
		require.GreaterOrEqual(t, time.Since(begin), config.IdleTimeout-10*time.Millisecond)
	})
}

// A client that sends more than its share is read more slowly. Nothing of it is lost, its end waits for its packets, and
// another client is not held up.
func TestRateLimit(t *testing.T) {
	for name, rate := range map[string]RateLimit{
		"packets": {PacketsPerSecond: 200, Burst: 100 * time.Millisecond},
		"bytes":   {BytesPerSecond: 200 * 50, Burst: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
				const count = 120 // 21 at once, the others at 200 a second
				config := testConfig()
				config.Rate = rate
				s.start(config)
				flooder, flooderID := s.connected()
				other, otherID := s.connected()
				begin := time.Now()
				var all [][]byte
				for number := range count {
					all = append(all, numbered(1, number, 50))
				}
				flooder.write(all...)
				flooder.closeWrite()
				other.write(packetOf(1, nil))
				otherAfter := -1
				for number := 0; number < count; {
					m := s.next()
					require.Equal(t, MessageRecv, m.kind, "reason %v", m.reason)
					if m.id == otherID {
						otherAfter = number
						continue
					}
					require.Equal(t, numbered(1, number, 50), m.data)
					number++
				}
				// A lower bound, so it does not depend on how fast the machine is.
				require.GreaterOrEqual(t, time.Since(begin), (count-1-20)*5*time.Millisecond-5*time.Millisecond)
				require.NotEqual(t, -1, otherAfter, "the other client came after the whole flood")
				s.expectClose(flooderID, ClosePeerClosed)
				require.NotZero(t, s.core.Stats().ReceivesThrottled)
				require.Equal(t, 1, s.logs.Filter(func(e observer.LoggedEntry) bool {
					return strings.Contains(e.Message, "more slowly")
				}).Len(), "it is logged once")
			})
		})
	}
}

// almostNothing lets one byte a second pass: what is delivered beyond the first packet is delivered for another reason.
func almostNothing() Config {
	config := testConfig()
	config.Rate = RateLimit{BytesPerSecond: 1, Burst: minRateBurst}
	return config
}

func TestAStopDeliversWhatWaitsForItsShare(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		if s.kind.door.WebSocket {
			return // the half packet at the end would be no message
		}
		s.start(almostNothing())
		c, id := s.connected()
		var all [][]byte
		for number := range 10 {
			all = append(all, numbered(1, number, 50))
		}
		c.write(append(all, []byte{50})...)
		s.eventually("all is received", func(stats Stats) bool { return stats.BytesReceived == 501 })
		require.NoError(t, s.core.BeginStop())
		for number := range 10 {
			s.expectPacket(id, numbered(1, number, 50))
		}
		s.expectClose(id, CloseServerStop)
		require.NoError(t, s.core.Stop(0))
		require.Equal(t, uint64(1), s.core.Stats().BytesReceivedDiscarded)
	})
}

// A client that breaks its connection does not take back what the core has received and held up by the limit.
func TestAThrottledClientThatResetsLosesNothing(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		if s.kind.door.WebSocket {
			return // it reads packet by packet: what waits has not been received
		}
		s.start(almostNothing())
		c, id := s.connected()
		var all [][]byte
		for number := range 10 {
			all = append(all, numbered(1, number, 50))
		}
		c.write(all...)
		s.expectPacket(id, all[0])
		s.eventually("all is received and waits", func(stats Stats) bool {
			return stats.BytesReceived == 500 && stats.ReceivesThrottled > 0
		})
		c.reset()
		s.sendUntil(id, func(stats Stats) bool { return stats.Closed[ClosePeerReset] == 1 }) // finds out about the reset
		for number := range 9 {
			s.expectPacket(id, all[1+number])
		}
		s.expectClose(id, ClosePeerReset)
	})
}

func TestAThrottledClientCanBeDisconnected(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		s.start(almostNothing())
		c, id := s.connected()
		c.write(numbered(1, 0, 50), numbered(1, 1, 50))
		s.expectPacket(id, numbered(1, 0, 50))
		s.eventually("it is throttled", func(stats Stats) bool { return stats.ReceivesThrottled > 0 })
		var batch SendBatch
		batch.Disconnect(id)
		require.NoError(t, s.core.Submit(&batch))
		s.expectClose(id, CloseLogic)
		s.expectNothing()
		c.expectEOF()
		c.close()
		s.eventually("its slot is free", func(stats Stats) bool {
			return stats.ConnectionsCurrent == 0 && stats.BytesReceived == stats.BytesReceivedDiscarded+50
		})
	})
}

// sendUntil sends to a connection until the counters say that something has happened.
func (s *subject) sendUntil(id ConnectionID, condition func(Stats) bool) {
	s.t.Helper()
	s.eventually("what sending finds out", func(stats Stats) bool {
		s.send(id, packetOf(9, nil))
		return condition(stats)
	})
}
