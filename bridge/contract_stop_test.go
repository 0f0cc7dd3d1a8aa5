package bridge

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 8: stop works from any state, gives everything back, and start works again after it.

func TestRule08StopFromAnyState(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		states := []struct {
			name string
			get  func(t *testing.T, config *Config) func() // changes the settings, returns what leads to the state
		}{
			{"nothing happened", func(*testing.T, *Config) func() { return func() {} }},
			{"connections that logic never heard of", func(*testing.T, *Config) func() {
				return func() {
					for range 10 {
						s.dial().write(packetOf(1, nil), []byte{7})
					}
					s.eventually("they are accepted", func(stats Stats) bool { return stats.ConnectionsAccepted == 10 })
				}
			}},
			{"the pool is exhausted", func(_ *testing.T, config *Config) func() {
				config.MessagePool, config.ExtraMessagePool = 1, 0
				return func() {
					for range 5 {
						s.dial().write(packetOf(1, nil), packetOf(2, nil))
					}
					s.eventually("readers wait", func(stats Stats) bool { return stats.MessagePoolExhausted >= 5 })
				}
			}},
			{"a receive buffer is full", func(_ *testing.T, config *Config) func() {
				config.RecvBufferSize, config.MaxPacketSize = 20, 20
				return func() {
					s.dial().write(numbered(1, 1, 20), numbered(1, 2, 20))
					s.eventually("the reader waits", func(stats Stats) bool {
						// Whoever does the I/O has given the first packet back, and may have read on.
						return stats.ReceivesPaused >= 1 || s.kind.isInline && stats.PacketsReceived >= 1
					})
				}
			}},
			{"logic holds messages", func(t *testing.T, _ *Config) func() {
				return func() {
					c, id := s.connected()
					c.write(packetOf(1, nil))
					s.expectPacket(id, packetOf(1, nil))
				}
			}},
			{"a client waits for its share of the rate", func(_ *testing.T, config *Config) func() {
				config.Rate = RateLimit{BytesPerSecond: 1, Burst: minRateBurst}
				return func() {
					s.dial().write(numbered(1, 1, 20), numbered(1, 2, 20))
					s.eventually("it waits", func(stats Stats) bool { return stats.ReceivesThrottled >= 1 })
				}
			}},
			{"clients may be silent for a while yet", func(_ *testing.T, config *Config) func() {
				config.FirstPacketTimeout, config.IdleTimeout = time.Hour, time.Hour
				return func() {
					c, id := s.connected()
					c.write(numbered(1, 1, 20), numbered(1, 2, 20)[:19])
					s.expectPacket(id, numbered(1, 1, 20))
					s.connected()
				}
			}},
			{"a client was silent for too long and holds on", func(_ *testing.T, config *Config) func() {
				config.FirstPacketTimeout = 10 * time.Millisecond
				return func() {
					c, id := s.connected()
					s.expectClose(id, CloseFirstPacketTimeout)
					s.expectNothing()
					c.expectEOF()
				}
			}},
			{"a close waits for logic", func(*testing.T, *Config) func() {
				return func() {
					for range 5 {
						s.dial().close()
					}
					s.eventually("they are closed", func(stats Stats) bool {
						return stats.Closed[ClosePeerClosed]+stats.Closed[ClosePeerReset] == 5
					})
				}
			}},
			{"a client does not read", func(t *testing.T, config *Config) func() {
				config.SendBufferSize = 64 << 20
				return func() {
					_, id := s.connected()
					var batch SendBatch
					packet := numbered(1, 1, config.MaxPacketSize)
					for range 20000 {
						batch.Send(id, packet)
					}
					require.NoError(t, s.core.Submit(&batch))
				}
			}},
			{"a connection drains for ten minutes", func(t *testing.T, config *Config) func() {
				config.SendBufferSize = 64 << 20
				config.CloseTimeout = 10 * time.Minute
				return func() {
					_, id := s.connected()
					var batch SendBatch
					packet := numbered(1, 1, config.MaxPacketSize)
					for range 20000 {
						batch.Send(id, packet)
					}
					batch.Disconnect(id)
					require.NoError(t, s.core.Submit(&batch))
					s.expectClose(id, CloseLogic)
					s.expectNothing()
				}
			}},
			{"a connection lingers for ten minutes", func(t *testing.T, config *Config) func() {
				config.CloseTimeout = 10 * time.Minute
				return func() {
					c, id := s.connected()
					s.disconnect(id)
					s.expectClose(id, CloseLogic)
					s.expectNothing()
					c.expectEOF()
				}
			}},
			{"the stop has begun", func(t *testing.T, _ *Config) func() {
				return func() {
					s.dial().write(packetOf(1, nil))
					require.NoError(t, s.core.BeginStop())
				}
			}},
			{"the stop has been told", func(t *testing.T, _ *Config) func() {
				return func() {
					s.connected()
					require.NoError(t, s.core.BeginStop())
					for {
						if _, err := s.nextOrError(); err != nil {
							require.ErrorIs(t, err, ErrStopped)
							return
						}
					}
				}
			}},
		}
		for _, drain := range []time.Duration{0, 5 * time.Millisecond} {
			for _, state := range states {
				name := fmt.Sprintf("%s, drain %v", state.name, drain)
				config := testConfig()
				lead := state.get(t, &config)
				s.start(config)
				lead()
				within(t, "Stop: "+name, func() { assert.NoError(t, s.core.Stop(drain), name) })
				require.Zero(t, s.port(), name)
				require.ErrorIs(t, s.core.Stop(0), ErrNotStarted, name)
				require.ErrorIs(t, s.core.BeginStop(), ErrNotStarted, name)
				require.ErrorIs(t, s.core.Submit(new(SendBatch)), ErrNotStarted, name)
				_, err := s.core.Poll(make([]Message, 1), WaitForever)
				require.ErrorIs(t, err, ErrNotStarted, name)
				stats := s.core.Stats() // keeps the last figures
				require.Zero(t, stats.ConnectionsCurrent, name)
				require.Zero(t, stats.MessagesInUse, name)
			}
		}
		for _, drain := range []time.Duration{-1, 10*time.Minute + 1} {
			s.start(testConfig())
			require.ErrorIs(t, s.core.Stop(drain), ResultInvalidArgument)
			require.NotZero(t, s.port())
			require.NoError(t, s.core.Stop(0))
		}
	})
}

// With -count=50 it is a thousand cycles in one process.
func TestRule08RestartUnderTraffic(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		handles := -1
		defer func() { require.Equal(t, handles, openHandles()) }()
		for cycle := range 20 {
			s.start(config)
			if cycle == 0 {
				config.Port = s.port() // the same one every time
			}
			l := s.runLogic(echo)
			var clients sync.WaitGroup
			for sender := range 8 {
				c := s.dial()
				clients.Go(func() {
					_ = c.pump(sender, 1<<30, 8, always(64)) // until it is cut off
					c.socket.Close()
				})
			}
			s.eventually("there is traffic", func(stats Stats) bool { return stats.PacketsReceived > 200 })
			if cycle%2 == 0 {
				require.NoError(t, s.core.BeginStop())
			}
			within(t, "Stop under traffic", func() { assert.NoError(t, s.core.Stop(time.Duration(cycle)*time.Millisecond)) })
			clients.Wait()
			l.wait()
			if cycle == 0 {
				handles = openHandles() // the first cycle may have made some that stay: the runtime's own
			}
		}
	})
}

// Concurrent calls of everything while the core stops: no call hangs, and each says what it must.
func TestRule08CallsDuringStop(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		for range 10 {
			s.start(testConfig())
			_, id := s.connected()
			var callers sync.WaitGroup
			ready := make(chan struct{}, 4)
			run := func(call func() error, allowed ...error) {
				callers.Go(func() {
					ready <- struct{}{}
					for {
						err := call()
						if errors.Is(err, ErrNotStarted) {
							return
						}
						if err != nil {
							ok := false
							for _, a := range allowed {
								ok = ok || errors.Is(err, a)
							}
							if !assert.True(t, ok, "%v", err) {
								return
							}
						}
					}
				})
			}
			run(func() error {
				_, err := s.core.Poll(make([]Message, 4), 0)
				return err
			}, ErrStopped)
			run(func() error {
				var batch SendBatch
				batch.Send(id, packetOf(1, nil))
				return s.core.Submit(&batch)
			}, ErrStopped)
			run(func() error {
				s.core.WakePoll()
				s.core.Stats()
				return s.core.BeginStop()
			}, ErrStopped)
			for range cap(ready) - 1 {
				<-ready
			}
			within(t, "Stop", func() { assert.NoError(t, s.core.Stop(0)) })
			within(t, "the callers", callers.Wait)
		}
	})
}

func TestRule08WaitingPollEndsWithStop(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		for range 20 {
			s.start(testConfig())
			l := s.runLogic(echo) // ends when Poll says that the core is stopped
			within(t, "Stop", func() { assert.NoError(t, s.core.Stop(0)) })
			l.wait()
		}
	})
}

// Stop sends what is queued, to a client that reads, and ends the connection in order.
func TestRule08StopDrains(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		for _, begin := range []bool{false, true} {
			config := testConfig()
			config.MaxPacketSize, config.RecvBufferSize, config.SendBufferSize = 32<<10, 32<<10, 8<<20
			s.start(config)
			c, id := s.connected()
			c.write([]byte{9}) // the beginning of a packet: unread bytes do not make the end a reset
			const count = 200
			var batch SendBatch
			for number := range count {
				batch.Send(id, numbered(1, number, config.MaxPacketSize))
			}
			require.NoError(t, s.core.Submit(&batch))
			if begin {
				require.NoError(t, s.core.BeginStop())
			}
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				assert.NoError(t, s.core.Stop(patience))
			}()
			for number := range count {
				c.expect(numbered(1, number, config.MaxPacketSize))
			}
			c.expectEOF()
			c.close()
			within(t, "Stop", func() { <-stopped })
			stats := s.core.Stats()
			require.Zero(t, stats.BytesDiscardedOnClose)
			require.Equal(t, uint64(1), stats.Closed[CloseServerStop])
		}
	})
}

// BeginStop loses no packet that was accepted, and what logic answers is sent.
func TestBeginStopDeliversWhatWasAccepted(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const clients, count = 5, 50
		config := testConfig()
		s.start(config)
		var all []*client
		senders := map[ConnectionID]int{}
		for sender := range clients {
			c, id := s.connected()
			all = append(all, c)
			senders[id] = sender
		}
		for sender, c := range all {
			for number := range count {
				c.write(numbered(sender, number, 40))
			}
		}
		s.eventually("all is received", func(stats Stats) bool { return stats.PacketsReceived == clients*count })
		require.NoError(t, s.core.BeginStop())
		require.NoError(t, s.core.BeginStop())
		numbers := map[ConnectionID]int{}
		closes := 0
		for {
			m, err := s.nextOrError()
			if err != nil {
				require.ErrorIs(t, err, ErrStopped)
				break
			}
			if m.kind == MessageClose {
				require.Equal(t, CloseServerStop, m.reason)
				require.Equal(t, count, numbers[m.id])
				closes++
				continue
			}
			require.Equal(t, numbered(senders[m.id], numbers[m.id], 40), m.data)
			numbers[m.id]++
			s.send(m.id, m.data)
		}
		require.Equal(t, clients, closes)
		_, err := s.nextOrError()
		require.ErrorIs(t, err, ErrStopped)
		for sender, c := range all {
			for number := range count {
				c.expect(numbered(sender, number, 40))
			}
			c.expectEOF()
			c.close()
		}
		require.NoError(t, s.core.Stop(patience))
		_, err = s.nextOrError()
		require.ErrorIs(t, err, ErrNotStarted)
		require.Zero(t, s.core.Stats().BytesDiscardedOnClose)
	})
}

// After BeginStop nobody is let in.
func TestBeginStopEndsListening(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		port := s.port()
		require.NoError(t, s.core.BeginStop())
		_, err := s.nextOrError()
		require.ErrorIs(t, err, ErrStopped)
		if c, err := s.connect(t, "127.0.0.1", port); err == nil {
			c.expectEnd() // the system may have let it in
			c.close()
		}
		require.Zero(t, s.core.Stats().ConnectionsAccepted)
		require.NoError(t, s.core.Stop(0))
	})
}
