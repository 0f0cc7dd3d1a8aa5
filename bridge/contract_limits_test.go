package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// Limits that are set later hold for those who are connected, and silence counts from then on.
func TestSetLimitsEndsSilentConnections(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		silent, silentID := s.connected()
		talker, talkerID := s.connected()
		talker.write(packetOf(1, nil))
		s.expectPacket(talkerID, packetOf(1, nil))
		limits := testConfig().Limits
		limits.FirstPacketTimeout, limits.IdleTimeout = 200*time.Millisecond, time.Hour
		begin := time.Now()
		require.NoError(t, s.core.SetLimits(limits))
		s.expectClose(silentID, CloseFirstPacketTimeout)
		// A lower bound, so it does not depend on how fast the machine is.
		require.GreaterOrEqual(t, time.Since(begin), 200*time.Millisecond)
		limits.IdleTimeout = 200 * time.Millisecond
		require.NoError(t, s.core.SetLimits(limits))
		s.expectClose(talkerID, CloseIdleTimeout)
		s.expectNothing()
		silent.expectEOF()
		talker.expectEOF()

		limits.FirstPacketTimeout = 0
		require.NoError(t, s.core.SetLimits(limits))
		later, laterID := s.connected()
		later.write(packetOf(2, nil))
		s.expectPacket(laterID, packetOf(2, nil))
		s.expectClose(laterID, CloseIdleTimeout)
	})
}

// What waits for its share under the old limits does not wait under the new ones, and the other way round.
func TestSetLimitsFreesTheThrottled(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		s.start(almostNothing())
		c, id := s.connected()
		c.write(numbered(1, 0, 50), numbered(1, 1, 50), numbered(1, 2, 50))
		s.expectPacket(id, numbered(1, 0, 50))
		s.eventually("it is throttled", func(stats Stats) bool { return stats.ReceivesThrottled == 1 })
		require.NoError(t, s.core.SetLimits(testConfig().Limits))
		s.expectPacket(id, numbered(1, 1, 50))
		s.expectPacket(id, numbered(1, 2, 50))
		require.NoError(t, s.core.SetLimits(almostNothing().Limits))
		// Some may pass before the I/O side has seen the limits, and one always does; then they wait.
		number := 3
		s.eventually("it is throttled again", func(stats Stats) bool {
			c.write(numbered(1, number, 50))
			number++
			return stats.ReceivesThrottled > 1
		})
	})
}

// Limits that are set again as they are change nothing: neither does silence begin anew, nor does a share come back.
func TestTheSameLimitsAgain(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		config := almostNothing()
		config.FirstPacketTimeout = 300 * time.Millisecond
		s.start(config)
		silent, silentID := s.connected()
		c, id := s.connected()
		c.write(numbered(1, 0, 50), numbered(1, 1, 50))
		s.expectPacket(id, numbered(1, 0, 50))
		for s.core.Stats().Closed[CloseFirstPacketTimeout] == 0 {
			require.NoError(t, s.core.SetLimits(config.Limits))
			s.doIO()
			time.Sleep(time.Millisecond) // gently
		}
		s.expectClose(silentID, CloseFirstPacketTimeout)
		s.expectNothing() // the second packet would have to wait for 50 s
		silent.expectEOF()
	})
}

func TestSetLimitsErrors(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		limits := testConfig().Limits
		require.ErrorIs(t, s.core.SetLimits(limits), ErrNotStarted)
		require.ErrorIs(t, s.core.StopAccepting(), ErrNotStarted)
		s.start(testConfig())
		for field, set := range map[string]func(*Limits){
			"FirstPacketTimeout":    func(l *Limits) { l.FirstPacketTimeout = time.Hour + 1 },
			"IdleTimeout":           func(l *Limits) { l.IdleTimeout = -1 },
			"Rate.PacketsPerSecond": func(l *Limits) { l.Rate.PacketsPerSecond = maxPacketRate + 1 },
			"Rate.BytesPerSecond":   func(l *Limits) { l.Rate.BytesPerSecond = -1 },
			"Rate.Burst":            func(l *Limits) { l.Rate.Burst = minRateBurst - 1 },
		} {
			wrong := limits
			set(&wrong)
			err := s.core.SetLimits(wrong)
			require.ErrorIs(t, err, ResultInvalidArgument)
			require.ErrorContains(t, err, field+" is ")
		}
		require.NoError(t, s.core.SetLimits(limits))
		require.NoError(t, s.core.Stop(0))
		require.ErrorIs(t, s.core.SetLimits(limits), ErrNotStarted)
	})
}

// Nobody comes in any more, and those who are there talk on; when the last one has gone, logic still waits for the stop.
func TestStopAccepting(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		port := s.port()
		stays, id := s.connected()
		require.NoError(t, s.core.StopAccepting())
		require.NoError(t, s.core.StopAccepting())
		require.Equal(t, port, s.port())
		s.eventually("nobody gets in", func(Stats) bool {
			c, err := s.connect(t, "127.0.0.1", port)
			if err == nil {
				c.close() // it was on its way
			}
			return err != nil
		})
		// Others may have come before the I/O side had seen it, and gone; they are told of like any others.
		nextOf := func() got {
			for {
				if m := s.next(); m.id == id {
					return m
				}
			}
		}
		stays.write(packetOf(1, nil))
		require.Equal(t, packetOf(1, nil), nextOf().data)
		s.send(id, packetOf(2, nil))
		stays.expect(packetOf(2, nil))
		stays.close()
		require.Equal(t, ClosePeerClosed, nextOf().reason)
		// All have gone, and logic is not told that it is over: only a stop is that.
		s.eventually("their places are free", func(stats Stats) bool {
			for m, found := s.takeEarly(); found; m, found = s.takeEarly() {
				require.NotEqual(t, MessageRecv, m.kind)
			}
			var messages [8]Message
			n, err := s.core.Poll(messages[:], 0)
			require.NoError(t, err)
			for i := range messages[:n] {
				require.NotEqual(t, MessageRecv, s.take(&messages[i]).kind)
			}
			return stats.ConnectionsCurrent == 0
		})
		require.NoError(t, s.core.BeginStop())
		_, err := s.nextOrError()
		require.ErrorIs(t, err, ErrStopped)
		require.NoError(t, s.core.Stop(0))

		s.start(testConfig()) // which listens again
		c, again := s.connected()
		c.write(packetOf(3, nil))
		s.expectPacket(again, packetOf(3, nil))
	})
}

// A level that is turned on while the core runs has the lines of what happens from then on.
func TestLogLevelChanged(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		level := zap.NewAtomicLevelAt(zapcore.WarnLevel)
		lines, logs := observer.New(level)
		require.NoError(t, s.core.Close())
		s.core = s.kind.open(t, zap.New(lines))
		s.start(testConfig())
		_, _ = s.connected()
		require.Zero(t, logs.Len())
		level.SetLevel(zapcore.DebugLevel)
		s.core.LogLevelChanged()
		_, _ = s.connected()
		s.eventually("a line of level debug", func(Stats) bool { return logs.Len() > 0 })
	})
}
