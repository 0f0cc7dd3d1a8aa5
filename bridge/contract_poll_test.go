package bridge

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Poll, WakePoll, Submit and the counters.

func TestWakePoll(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		var messages [4]Message
		poll := func() {
			n, err := s.core.Poll(messages[:], WaitForever)
			assert.NoError(t, err)
			assert.Zero(t, n)
		}
		// Before the Poll: the next one returns.
		for range 10 {
			s.core.WakePoll()
			s.core.WakePoll()
			within(t, "Poll after WakePoll", poll)
			s.expectNothing()
		}
		// While it waits, or about to: either way it returns.
		for range 200 {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				poll()
			}()
			s.core.WakePoll()
			within(t, "Poll that is woken", func() { <-ended })
		}
	})
}

func TestOneGoroutinePolls(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			var messages [4]Message
			for {
				_, err := s.core.Poll(messages[:], WaitForever)
				if err == nil {
					return
				}
				if !assert.ErrorIs(t, err, ErrBusy) { // the other one was in there
					return
				}
			}
		}()
		s.eventually("the second Poll is refused", func(Stats) bool {
			var messages [4]Message
			_, err := s.core.Poll(messages[:], 0)
			return errors.Is(err, ErrBusy)
		})
		s.core.WakePoll()
		within(t, "the Poll that waits", func() { <-ended })
		s.expectNothing()
	})
}

func TestWrongArguments(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.SendBufferSize = 2000
		s.start(config)
		_, err := s.core.Poll(nil, 0)
		require.ErrorIs(t, err, ResultInvalidArgument)
		require.NoError(t, s.core.Submit(new(SendBatch)))

		// A payload that no send buffer can hold is a mistake of logic: nothing of the batch is carried out.
		c, id := s.connected()
		var batch SendBatch
		batch.Send(id, packetOf(1, nil))
		batch.Send(id, make([]byte, 2001))
		batch.Disconnect(id)
		require.ErrorIs(t, s.core.Submit(&batch), ResultInvalidArgument)
		require.Zero(t, s.core.Stats().PacketsSent)
		s.send(id, packetOf(2, nil), nil)
		c.expect(packetOf(2, nil))
		c, id = s.connected()
		s.send(id, numbered(1, 1, 2000)) // the whole buffer
		c.expect(numbered(1, 1, 2000))
	})
}

func TestSmallPollsTakeEverything(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c, id := s.connected()
		for capacity := 1; capacity < 10; capacity++ {
			var packets [][]byte
			for number := range 25 {
				packets = append(packets, numbered(capacity, number, 20+number))
			}
			c.write(packets...)
			messages := make([]Message, capacity)
			for taken := 0; taken < len(packets); {
				n, err := s.core.Poll(messages, patience)
				require.NoError(t, err)
				require.NotZero(t, n)
				for i := range messages[:n] {
					require.Equal(t, id, messages[i].ID)
					require.Equal(t, packets[taken], messages[i].Data)
					taken++
				}
			}
		}
		s.expectNothing()
		stats := s.core.Stats()
		require.Zero(t, stats.MessagesInUse)
		require.Equal(t, uint64(9*25), stats.PacketsReceived)
	})
}

// Packets that several goroutines submit at once arrive whole, and those of one goroutine in order.
func TestSubmitFromManyGoroutines(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const senders, count = 8, 300
		config := testConfig()
		config.SendBufferSize = 1 << 20
		s.start(config)
		c, id := s.connected()
		var all sync.WaitGroup
		for sender := range senders {
			all.Go(func() {
				var batch SendBatch
				for number := 0; number < count; {
					for range 1 + number%4 {
						if number < count {
							batch.Send(id, numbered(sender, number, 30+sender))
							number++
						}
					}
					assert.NoError(t, s.core.Submit(&batch))
					batch.Reset()
				}
			})
		}
		numbers := make([]int, senders)
		for range senders * count {
			packet, err := c.read()
			require.NoError(t, err)
			sender, number := senderOf(packet)
			require.Equal(t, numbered(sender, numbers[sender], 30+sender), packet)
			require.Equal(t, numbers[sender], number)
			numbers[sender]++
		}
		all.Wait()
		require.Equal(t, uint64(senders*count), s.core.Stats().PacketsSent)
	})
}

func TestBroadcastReachesAll(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const clients, count = 40, 50
		s.start(testConfig())
		gone, goneID := s.connected()
		gone.close()
		s.expectClose(goneID, ClosePeerClosed, ClosePeerReset)
		s.expectNothing()
		all := make([]*client, clients)
		ids := []ConnectionID{goneID, 0, 1 << 40}
		for i := range all {
			c, id := s.connected()
			all[i] = c
			ids = append(ids, id)
		}
		var batch SendBatch
		for number := range count {
			batch.Broadcast(ids, numbered(1, number, 100))
			batch.Send(ids[3+number%clients], numbered(2, number, 20))
		}
		require.NoError(t, s.core.Submit(&batch))
		for i, c := range all {
			for number := range count {
				c.expect(numbered(1, number, 100))
				if number%clients == i {
					c.expect(numbered(2, number, 20))
				}
			}
		}
		stats := s.core.Stats()
		require.Equal(t, uint64(clients*count+count), stats.PacketsSent)
		require.Equal(t, uint64(3*count), stats.SendsDropped[SendDropNotConnected])
		s.eventually("the bytes are counted", func(stats Stats) bool {
			return stats.BytesSent == clients*count*100+count*20
		})
	})
}

// Broadcasts that find some receivers idle and others with much to be sent, among packets for one receiver, in batches
// large and small: each receiver gets its own in order.
func TestBroadcastsKeepTheOrder(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		const clients, count = 12, 600
		config := testConfig()
		// More than the system takes while nobody reads, for those that get every broadcast.
		config.MaxPacketSize = 8 << 10
		config.SendBufferSize = 4 << 20
		s.start(config)
		all := make([]*client, clients)
		ids := make([]ConnectionID, clients)
		for i := range all {
			all[i], ids[i] = s.connected()
		}
		s.runLogic(func(*Message, *SendBatch) {}) // which also does the I/O, or makes it wait, while this submits
		random := rand.New(rand.NewPCG(1, 2))
		expected := make([][][]byte, clients)
		var batch SendBatch
		var readers sync.WaitGroup
		for number := range count {
			packet := numbered(1, number, smallestNumbered+random.IntN(config.MaxPacketSize-smallestNumbered))
			if random.IntN(4) == 0 {
				receiver := random.IntN(clients)
				batch.Send(ids[receiver], packet)
				expected[receiver] = append(expected[receiver], packet)
			} else {
				first := random.IntN(clients)
				receivers := ids[first:]
				if random.IntN(10) == 0 { // one of them twice
					receivers = append(slices.Clone(receivers), ids[first])
					expected[first] = append(expected[first], packet)
				}
				batch.Broadcast(receivers, packet)
				for i := first; i < clients; i++ {
					expected[i] = append(expected[i], packet)
				}
			}
			if random.IntN(3) == 0 {
				require.NoError(t, s.core.Submit(&batch))
				batch.Reset()
			}
		}
		require.NoError(t, s.core.Submit(&batch))
		for i, c := range all {
			readers.Go(func() {
				for number, packet := range expected[i] {
					received, err := c.read()
					if !assert.NoError(t, err) || !assert.Equal(t, packet, received, "client %d, packet %d", i, number) {
						return
					}
				}
			})
		}
		readers.Wait()
		require.Zero(t, s.core.Stats().SendsDropped)
	})
}
