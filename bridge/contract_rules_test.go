package bridge

import (
	"bytes"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// The rules that the original library broke, as far as a core can break them. Rules 11 and 12 are logic's: see chat.

func TestRule01PayloadStaysValid(t *testing.T) {
	onEachThreadedCore(t, func(t *testing.T, s *subject) {
		const size, count = 64, 2000
		config := testConfig()
		config.RecvBufferSize, config.MaxPacketSize = 1024, 256
		s.start(config)
		c, id := s.connected()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for number := range count {
				if _, err := c.socket.Write(numbered(1, number, size)); err != nil {
					t.Error(err)
					return
				}
			}
		}()

		// Hold some packets while the reader goes on as far as it can: until the whole receive buffer is in use.
		messages := make([]Message, 5)
		for number := 0; number < count; {
			n, err := s.core.Poll(messages, patience)
			require.NoError(t, err)
			require.NotZero(t, n)
			if number == 0 {
				s.eventually("reading pauses", func(stats Stats) bool { return stats.ReceivesPaused > 0 })
			}
			for i := range messages[:n] {
				require.Equal(t, id, messages[i].ID)
				require.Equal(t, numbered(1, number+i, size), messages[i].Data, "packet %d", number+i)
			}
			if number == 0 {
				stats := s.core.Stats()
				require.LessOrEqual(t, stats.BytesReceived, uint64(config.RecvBufferSize))
			}
			number += n
		}
		<-sent
	})
}

func TestRule02WhatIsSentArrives(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.SendBufferSize = 4096
		s.start(config)
		s.runLogic(echo)
		c := s.dial()
		require.NoError(t, c.pump(1, 1024-smallestNumbered+1, 3, func(n int) int { return smallestNumbered + n }))
		s.eventually("all is counted", func(stats Stats) bool {
			return stats.BytesSent == stats.BytesReceived && stats.PacketsSent == stats.PacketsReceived
		})
	})
}

// Rule 3 is about the arithmetic of ring buffers. From here it shows as packets that begin and end at every offset.
func TestRule03PacketsWrapAtEveryOffset(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const largest = 61 // no divisor of the buffers, so each round begins elsewhere
		for _, overlapped := range []int{0, 1, 7, 64} {
			config := testConfig()
			config.MaxPacketSize = 64
			config.RecvBufferSize, config.SendBufferSize = 128, 1024
			config.MaxRecvOverlapped, config.MaxSendOverlapped = overlapped, overlapped
			s.start(config)
			l := s.runLogic(echo)
			count := 1000
			if overlapped == 1 || overlapped == 7 {
				count = 150 // that many more system calls
			}
			alone := s.dial()
			require.NoError(t, alone.pump(1, 130, 1, always(largest)))
			mixed := s.dial()
			sizes := func(n int) int { return smallestNumbered + n*n%(largest-smallestNumbered) }
			require.NoError(t, mixed.pump(2, count, 16, sizes))
			alone.close()
			mixed.close()
			l.stop()
		}
	})
}

func TestRule04LateCallsNeverReachTheNextClient(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxConnections = 1
		s.start(config)
		first, firstID := s.connected()
		first.close()
		s.expectClose(firstID, ClosePeerClosed, ClosePeerReset)
		s.expectNothing() // gives the Close back
		second, secondID := s.dialUntilServed()
		require.Equal(t, firstID.Index(), secondID.Index())
		require.NotEqual(t, firstID.Generation(), secondID.Generation())

		dropped := s.core.Stats().SendsDropped[SendDropNotConnected]
		var batch SendBatch
		batch.Send(firstID, packetOf(1, []byte("late")))
		batch.Disconnect(firstID)
		batch.Broadcast([]ConnectionID{firstID, secondID, 0, ConnectionID(1) << 63, ^ConnectionID(0)}, packetOf(2, nil))
		batch.Send(secondID, packetOf(3, nil))
		require.NoError(t, s.core.Submit(&batch))
		second.expect(packetOf(2, nil), packetOf(3, nil))
		require.Equal(t, dropped+5, s.core.Stats().SendsDropped[SendDropNotConnected])
		second.closeWrite()
		s.expectClose(secondID, ClosePeerClosed)
		s.expectNothing()
		second.expectEOF()

		// Nor over a restart.
		require.NoError(t, s.core.Stop(0))
		s.start(config)
		third, thirdID := s.connected()
		require.NotContains(t, []ConnectionID{firstID, secondID}, thirdID)
		s.send(secondID, packetOf(4, nil))
		s.send(thirdID, packetOf(5, nil))
		third.expect(packetOf(5, nil))
	})
}

func TestRule05OneConnectionPacketsOneClose(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const workers, rounds = 6, 60
		config := testConfig()
		config.MaxConnections = 16
		s.start(config)
		var mu sync.Mutex
		next := map[ConnectionID]int{}
		s.runLogic(func(m *Message, batch *SendBatch) {
			if m.Type == MessageRecv {
				mu.Lock()
				defer mu.Unlock()
				_, number := senderOf(m.Data)
				assert.Equal(t, next[m.ID], number)
				next[m.ID]++
				if number == 20 {
					batch.Disconnect(m.ID)
				}
				batch.Send(m.ID, m.Data)
			}
		})
		var all sync.WaitGroup
		for worker := range workers {
			all.Go(func() {
				for round := range rounds {
					c, err := s.connect(t, "127.0.0.1", s.port())
					if !assert.NoError(t, err) {
						return
					}
					for number := range 1 + (worker+round)%30 {
						if _, err = c.socket.Write(numbered(worker, number, 32)); err != nil {
							break // refused, or disconnected
						}
					}
					switch round % 4 {
					case 0:
						c.reset()
					case 1:
						c.close()
					case 2:
						_ = c.socket.CloseWrite() // fails when the connection is reset already
						_, _ = io.Copy(io.Discard, c.reader)
						c.close()
					case 3:
						_, _ = c.read()
						c.close()
					}
				}
			})
		}
		all.Wait()
		stats := s.expectAllGone()
		_, _, reasons := s.life.counts()
		for reason, n := range reasons {
			require.Equal(t, uint64(n), stats.Closed[reason], CloseReason(reason).String())
		}
		require.Zero(t, stats.MessagesInUse)
	})
}

// Without a reserve there is no line about the reserve: the one about the pool has to come.
func TestRule06AnExhaustedPoolIsLogged(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MessagePool, config.ExtraMessagePool = 1, 0
		s.start(config)
		c, id := s.connected()
		const count = 5
		var packets [count][]byte
		for i := range packets {
			packets[i] = numbered(0, i, 100)
			c.write(packets[i])
		}
		s.warned("message pool exhausted")
		for _, packet := range packets {
			s.expectPacket(id, packet)
		}
	})
}

// What had come in whole when a stop began is delivered, also what waited for the pool.
func TestRule06AStopDeliversWhatWaitsForThePool(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		if s.kind.door.WebSocket {
			return // it reads packet by packet: what waits has not been received
		}
		config.MessagePool, config.ExtraMessagePool = 1, 0
		s.start(config)
		c, id := s.connected()
		const count, size = 5, 100
		var packets [count][]byte
		for i := range packets {
			packets[i] = numbered(0, i, size)
		}
		c.write(packets[:]...)
		s.eventually("all to be received, and to wait", func(stats Stats) bool {
			return stats.BytesReceived == count*size && stats.MessagePoolExhausted >= 1
		})
		require.NoError(t, s.core.BeginStop())
		for _, packet := range packets {
			s.expectPacket(id, packet)
		}
		s.expectClose(id, CloseServerStop)
		_, err := s.nextOrError()
		require.ErrorIs(t, err, ErrStopped)
	})
}

func TestRule06ExhaustedPoolPausesAndResumes(t *testing.T) {
	onEachThreadedCore(t, func(t *testing.T, s *subject) {
		const count = 500
		config := testConfig()
		config.MessagePool, config.ExtraMessagePool = 4, 2
		config.RecvBufferSize = 2048
		s.start(config)
		clients := make([]*client, 3)
		ids := map[ConnectionID]int{}
		for i := range clients {
			c, id := s.connected()
			clients[i], ids[id] = c, i
		}
		var all sync.WaitGroup
		for i, c := range clients {
			all.Go(func() {
				for number := range count {
					if _, err := c.socket.Write(numbered(i, number, 100)); !assert.NoError(t, err) {
						return
					}
				}
			})
		}
		stats := s.eventually("all readers wait for the pool", func(stats Stats) bool {
			return stats.MessagePoolExhausted >= 2 && stats.MessagesInUse == 6
		})
		require.Equal(t, uint64(6), stats.PacketsReceived)
		require.Equal(t, uint64(1), stats.MessageReserveUsed)
		require.LessOrEqual(t, stats.BytesReceived, uint64(3*config.RecvBufferSize))
		s.warned("message", "pool")

		// The pool is for packets: a connection and its end are told all the same.
		extra := s.dial()
		s.eventually("the connection is accepted", func(stats Stats) bool { return stats.ConnectionsAccepted == 4 })
		extra.close()

		numbers := make([]int, len(clients))
		packets, connections, closes := 0, 0, 0
		for packets < len(clients)*count || closes == 0 {
			m := s.next()
			switch m.kind {
			case MessageConnection:
				connections++
			case MessageClose:
				closes++
			case MessageRecv:
				i := ids[m.id]
				require.Equal(t, numbered(i, numbers[i], 100), m.data)
				numbers[i]++
				packets++
			}
		}
		require.Equal(t, 1, connections)
		require.Equal(t, 1, closes)
		all.Wait()
		s.expectNothing()
		require.Zero(t, s.core.Stats().MessagesInUse)
	})
}

func TestRule07SlowReaderIsDisconnectedAlone(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize = 32 << 10
		config.RecvBufferSize = 64 << 10
		config.SendBufferSize = 128 << 10
		s.start(config)
		slow, slowID := s.connected()
		require.NoError(t, slow.socket.SetReadBuffer(4096))
		good, goodID := s.connected()
		closed := false
		number := 0
		for ; !closed; number++ {
			require.Less(t, number, 10000, "the slow reader is never disconnected")
			var batch SendBatch
			packet := numbered(9, number, config.MaxPacketSize)
			batch.Broadcast([]ConnectionID{slowID, goodID}, packet)
			require.NoError(t, s.core.Submit(&batch))
			good.expect(packet)
			good.write(numbered(1, number, 32))
			m := s.next()
			if m.kind == MessageClose {
				require.Equal(t, slowID, m.id)
				require.Equal(t, CloseSendBufferFull, m.reason)
				closed = true
				m = s.next()
			}
			require.Equal(t, numbered(1, number, 32), m.data)
		}
		s.warned(slow.address())
		require.NotZero(t, s.logs.FilterField(zap.Uint64("connection", uint64(slowID))).Len(), "the line says whom it is about")
		stats := s.core.Stats()
		require.Equal(t, uint64(1), stats.SendsDropped[SendDropBufferFull])
		require.Equal(t, uint64(1), stats.Closed[CloseSendBufferFull])
		require.Greater(t, stats.SendBufferHighWater, uint64(config.SendBufferSize-config.MaxPacketSize))
		s.eventually("its slot is free", func(stats Stats) bool { return stats.ConnectionsCurrent == 1 })
		slow.expectEnd()
		s.send(slowID, packetOf(1, nil))
		require.Equal(t, stats.SendsDropped[SendDropNotConnected]+1, s.core.Stats().SendsDropped[SendDropNotConnected])
		s.send(goodID, packetOf(2, nil))
		good.expect(packetOf(2, nil))
	})
}

// A payload that does not fit is not queued in part: what arrives before the end are whole packets.
func TestRule07PacketsAreQueuedWhole(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.SendBufferSize = config.MaxPacketSize
		s.start(config)
		c, id := s.connected()
		var batch SendBatch
		for number := range 100 {
			batch.Send(id, numbered(1, number, config.MaxPacketSize-24))
		}
		require.NoError(t, s.core.Submit(&batch))
		s.expectClose(id, CloseSendBufferFull)
		for number := 0; ; number++ {
			packet, err := c.read()
			if err != nil {
				break // in order or by reset, and maybe within a packet: the connection was cut
			}
			require.Equal(t, numbered(1, number, config.MaxPacketSize-24), packet)
		}
		stats := s.core.Stats()
		require.Equal(t, uint64(100), stats.PacketsSent+stats.AllSendsDropped())
	})
}

// A client that has read all it was sent, and says so, is not slow, however little more than that fits.
func TestRule07FullBufferIsNoSlowReader(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.SendBufferSize = 2000
		s.start(config)
		c, id := s.connected()
		for number := range 300 {
			s.send(id, numbered(1, number, 1000), numbered(2, number, 1000))
			c.expect(numbered(1, number, 1000), numbered(2, number, 1000))
			c.write(packetOf(1, nil))
			s.expectPacket(id, packetOf(1, nil))
		}
	})
}

// Rule 8 is TestRule08... in contract_stop_test.go.

func TestRule09ZeroDoesNotWait(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		within(t, "Poll without waiting", func() {
			var messages [4]Message
			for range 100 {
				n, err := s.core.Poll(messages[:], 0)
				assert.NoError(t, err)
				assert.Zero(t, n)
			}
		})
		within(t, "Poll with a short wait", func() {
			var messages [4]Message
			for _, wait := range []time.Duration{1, time.Microsecond, 5 * time.Millisecond} {
				n, err := s.core.Poll(messages[:], wait)
				assert.NoError(t, err)
				assert.Zero(t, n)
			}
		})
		within(t, "Poll that waits for a message", func() {
			waiting := make(chan struct{})
			go func() {
				defer close(waiting)
				var messages [4]Message
				n, err := s.core.Poll(messages[:], WaitForever)
				assert.NoError(t, err)
				assert.Equal(t, 1, n)
			}()
			s.dial()
			<-waiting
		})
	})
}

func TestRule10StartSaysWhatIsWrong(t *testing.T) {
	onEachTCPCore(t, func(t *testing.T, s *subject) {
		const wide = math.MaxInt/2 + 2 // in 32 bits: 1
		cases := []struct {
			field  string
			result NetResult
			set    func(c *Config)
		}{
			{"WorkThreads", ResultWorkThreads, func(c *Config) { c.WorkThreads = -1 }},
			{"WorkThreads", ResultWorkThreads, func(c *Config) { c.WorkThreads = 65 }},
			{"Port", ResultPort, func(c *Config) { c.Port = -1 }},
			{"Port", ResultPort, func(c *Config) { c.Port = 65536 }},
			{"MaxRecvOverlapped", ResultMaxRecvOverlapped, func(c *Config) { c.MaxRecvOverlapped = -1 }},
			{"MaxRecvOverlapped", ResultMaxRecvOverlapped, func(c *Config) { c.MaxRecvOverlapped = c.RecvBufferSize + 1 }},
			{"MaxSendOverlapped", ResultMaxSendOverlapped, func(c *Config) { c.MaxSendOverlapped = -1 }},
			{"MaxSendOverlapped", ResultMaxSendOverlapped, func(c *Config) { c.MaxSendOverlapped = c.SendBufferSize + 1 }},
			{"RecvBufferSize", ResultRecvBufferSize, func(c *Config) { c.RecvBufferSize = c.MaxPacketSize - 1 }},
			{"RecvBufferSize", ResultRecvBufferSize, func(c *Config) { c.RecvBufferSize = 16<<20 + 1 }},
			{"SendBufferSize", ResultSendBufferSize, func(c *Config) { c.SendBufferSize = c.MaxPacketSize - 1 }},
			{"SendBufferSize", ResultSendBufferSize, func(c *Config) { c.SendBufferSize = 64<<20 + 1 }},
			{"MaxPacketSize", ResultMaxPacketSize, func(c *Config) { c.MaxPacketSize = 4 }},
			{"MaxPacketSize", ResultMaxPacketSize, func(c *Config) { c.MaxPacketSize = 65536 }},
			{"MaxConnections", ResultMaxConnections, func(c *Config) { c.MaxConnections = 0 }},
			{"MaxConnections", ResultMaxConnections, func(c *Config) { c.MaxConnections = 1_000_001 }},
			{"MessagePool", ResultMessagePool, func(c *Config) { c.MessagePool = 0 }},
			{"MessagePool", ResultMessagePool, func(c *Config) { c.MessagePool = 1<<24 + 1 }},
			{"ExtraMessagePool", ResultExtraMessagePool, func(c *Config) { c.ExtraMessagePool = -1 }},
			{"ExtraMessagePool", ResultExtraMessagePool, func(c *Config) { c.ExtraMessagePool = 1<<24 + 1 }},
			{"PerformancePeriod", ResultPerformancePeriod, func(c *Config) { c.PerformancePeriod = -1 }},
			{"PerformancePeriod", ResultPerformancePeriod, func(c *Config) { c.PerformancePeriod = 99 * time.Millisecond }},
			{"PerformancePeriod", ResultPerformancePeriod, func(c *Config) { c.PerformancePeriod = 25 * time.Hour }},
			{"CloseTimeout", ResultInvalidArgument, func(c *Config) { c.CloseTimeout = -1 }},
			{"CloseTimeout", ResultInvalidArgument, func(c *Config) { c.CloseTimeout = 11 * time.Minute }},
			{"FirstPacketTimeout", ResultInvalidArgument, func(c *Config) { c.FirstPacketTimeout = -1 }},
			{"FirstPacketTimeout", ResultInvalidArgument, func(c *Config) { c.FirstPacketTimeout = time.Hour + 1 }},
			{"IdleTimeout", ResultInvalidArgument, func(c *Config) { c.IdleTimeout = -1 }},
			{"IdleTimeout", ResultInvalidArgument, func(c *Config) { c.IdleTimeout = 24*time.Hour + 1 }},
			{"KeepAlive.Idle", ResultInvalidArgument, func(c *Config) { c.KeepAlive.Idle = -1 }},
			{"KeepAlive.Idle", ResultInvalidArgument, func(c *Config) { c.KeepAlive.Idle = 32768 * time.Second }},
			{"KeepAlive.Interval", ResultInvalidArgument, func(c *Config) { c.KeepAlive.Interval = 0 }},
			{"KeepAlive.Count", ResultInvalidArgument, func(c *Config) { c.KeepAlive.Count = 0 }},
			{"KeepAlive.Count", ResultInvalidArgument, func(c *Config) { c.KeepAlive.Count = 128 }},
			{"Rate.PacketsPerSecond", ResultInvalidArgument, func(c *Config) { c.Rate.PacketsPerSecond = -1 }},
			{"Rate.PacketsPerSecond", ResultInvalidArgument, func(c *Config) { c.Rate.PacketsPerSecond = 1_000_001 }},
			{"Rate.BytesPerSecond", ResultInvalidArgument, func(c *Config) { c.Rate.BytesPerSecond = -1 }},
			{"Rate.BytesPerSecond", ResultInvalidArgument, func(c *Config) { c.Rate.BytesPerSecond = 1<<30 + 1 }},
			{"Rate.Burst", ResultInvalidArgument, func(c *Config) { c.Rate.Burst = 19 * time.Millisecond }},
			{"Rate.Burst", ResultInvalidArgument, func(c *Config) { c.Rate.Burst = time.Minute + 1 }},
			{"IOBackend", ResultInvalidArgument, func(c *Config) { c.IOBackend = -1 }},
			{"IOBackend", ResultInvalidArgument, func(c *Config) { c.IOBackend = IOUring + 1 }},
			{"BindAddress", ResultBadBindAddress, func(c *Config) { c.BindAddress = "localhost" }},
			{"BindAddress", ResultBadBindAddress, func(c *Config) { c.BindAddress = "127.0.0.1:11021" }},
			{"BindAddress", ResultBadBindAddress, func(c *Config) { c.BindAddress = string(bytes.Repeat([]byte("1"), 64)) }},
			{"MaxConnections", ResultMaxConnections, func(c *Config) { c.MaxConnections = wide }},
			{"Port", ResultPort, func(c *Config) { c.Port = wide }},
			// An address that is none of this machine's (RFC 5737).
			{"192.0.2.1", ResultListenBind, func(c *Config) { c.BindAddress = "192.0.2.1" }},
		}
		good := s.kind.adapt(testConfig())
		s.start(good)
		good.Port = s.port()
		require.NoError(t, s.core.Stop(0))
		for _, wrong := range cases {
			config := good
			wrong.set(&config)
			err := s.core.Start(config)
			var startError *StartError
			require.ErrorAs(t, err, &startError, wrong.field)
			require.Equal(t, wrong.result, startError.Result, "%v", err)
			require.Contains(t, err.Error(), wrong.field)
			require.Zero(t, s.port())
			require.ErrorIs(t, s.core.Stop(0), ErrNotStarted)
		}

		// Nothing was left half-started: the same core starts with the same port, and a second one says that it is in use.
		s.start(good)
		require.ErrorIs(t, s.core.Start(good), ErrAlreadyStarted)
		for _, second := range coresUnderTest() {
			other := second.open(t, nil)
			err := other.Start(second.adapt(good))
			require.ErrorIs(t, err, ResultListenBind)
			require.Contains(t, err.Error(), "127.0.0.1")
			require.NoError(t, other.Close())
		}
		s.runLogic(echo)
		require.NoError(t, s.dial().pump(1, 10, 1, always(32)))
	})
}

// expectAllGone waits until every connection that clients made and ended has been accepted, told and forgotten. Logic
// echoes in a loop of its own.
func (s *subject) expectAllGone() Stats {
	s.t.Helper()
	// How many connections the system hands over is its own affair: one that is reset before it is accepted may never
	// show. But one that is served comes after all the others.
	for deadline := time.Now().Add(patience); ; {
		c, err := s.connect(s.t, "127.0.0.1", s.port())
		require.NoError(s.t, err)
		err = c.pump(1, 10, 2, always(32))
		c.socket.Close()
		if err == nil {
			break
		}
		require.True(s.t, time.Now().Before(deadline), "no connection is served any more: %v", err)
	}
	return s.eventually("every connection is gone, and logic was told", func(stats Stats) bool {
		connections, closes, _ := s.life.counts()
		return stats.ConnectionsCurrent == 0 && connections == int(stats.ConnectionsAccepted) && closes == connections
	})
}

// dialUntilServed connects until a connection is not refused: a slot is free again a little after its Close was given
// back. No other message may come meanwhile.
func (s *subject) dialUntilServed() (*client, ConnectionID) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		before := s.core.Stats()
		c := s.dial()
		stats := s.eventually("accepted or refused", func(stats Stats) bool {
			return stats.ConnectionsAccepted+stats.ConnectionsRefused > before.ConnectionsAccepted+before.ConnectionsRefused
		})
		if stats.ConnectionsAccepted > before.ConnectionsAccepted {
			return c, s.expectConnection()
		}
		c.expectEnd()
	}
	require.Fail(s.t, "no connection is served")
	return nil, 0
}
