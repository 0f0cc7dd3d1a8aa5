package bridge

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What crossing into a core costs, without any network: each operation names a connection that is not there, which
// the core finds out at once.

// startForBenchmark is a core that runs and that nobody is connected to.
func startForBenchmark(b *testing.B, c testCore) Core {
	core := c.open(b, nil)
	require.NoError(b, core.Start(c.adapt(testConfig())))
	b.Cleanup(func() { require.NoError(b, core.Close()) })
	return core
}

// BenchmarkSubmit hands over batches of sends. Time is per send.
func BenchmarkSubmit(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		for _, c := range coresUnderTest() {
			b.Run(fmt.Sprintf("batch=%d/core=%s", size, c.name), func(b *testing.B) {
				core := startForBenchmark(b, c)
				packet := packetOf(1, make([]byte, 59))
				var batch SendBatch
				b.ReportAllocs()
				for done := 0; done < b.N; done += size {
					batch.Reset()
					for range size {
						batch.Send(ConnectionID(1<<32), packet)
					}
					if err := core.Submit(&batch); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkBroadcast hands over one packet for 1,000 connections. Time is per broadcast.
func BenchmarkBroadcast(b *testing.B) {
	for _, c := range coresUnderTest() {
		b.Run("core="+c.name, func(b *testing.B) {
			core := startForBenchmark(b, c)
			receivers := make([]ConnectionID, 1000)
			for i := range receivers {
				receivers[i] = ConnectionID(1<<32 | i)
			}
			packet := packetOf(1, make([]byte, 278))
			var batch SendBatch
			b.ReportAllocs()
			for range b.N {
				batch.Reset()
				batch.Broadcast(receivers, packet)
				if err := core.Submit(&batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// answerer is logic that looks at a message and sends one packet back.
type answerer struct{ answer []byte }

func (a *answerer) HandleMessage(m *Message, batch *SendBatch) { batch.Send(m.ID, a.answer) }

// BenchmarkTurn polls full batches of the smallest packets, which have been received before, calls a handler that does
// nothing but answer with one, and submits the answers. Time is per message, on the logic thread: what the network
// costs is the I/O thread's.
func BenchmarkTurn(b *testing.B) {
	const atATime = 1 << 15
	for _, c := range coresUnderTest() {
		if c.isInline { // there the network is in it
			continue
		}
		b.Run("core="+c.name, func(b *testing.B) {
			config := testConfig()
			config.WorkThreads = 1
			config.MessagePool, config.RecvBufferSize, config.SendBufferSize = atATime, 1<<20, 1<<20
			core := c.open(b, nil)
			require.NoError(b, core.Start(c.adapt(config)))
			client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", core.Port()))
			require.NoError(b, err)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, client)
			}()
			b.Cleanup(func() {
				require.NoError(b, client.Close())
				<-ended
				require.NoError(b, core.Close())
			})
			messages := make([]Message, loopBatch)
			n, err := core.Poll(messages, WaitForever)
			require.NoError(b, err)
			require.Equal(b, 1, n)
			packet := packetOf(1, nil)
			packets := bytes.Repeat(packet, atATime)
			handler := Handler(&answerer{packet})
			var batch SendBatch
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; {
				b.StopTimer()
				count := min(b.N-done, atATime)
				_, err := client.Write(packets[:count*len(packet)])
				require.NoError(b, err)
				for core.Stats().MessagesInUse != uint64(count) {
					time.Sleep(100 * time.Microsecond)
				}
				b.StartTimer()
				for end := done + count; done < end; {
					n, err := core.Poll(messages, WaitForever)
					if err != nil {
						b.Fatal(err)
					}
					for i := range messages[:n] {
						handler.HandleMessage(&messages[i], &batch)
					}
					if err := core.Submit(&batch); err != nil {
						b.Fatal(err)
					}
					batch.Reset()
					done += n
				}
				b.StopTimer()
				_, err = core.Poll(messages, 0) // gives the last batch back
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkEmptyPoll asks for messages when there are none.
func BenchmarkEmptyPoll(b *testing.B) {
	for _, c := range coresUnderTest() {
		b.Run("core="+c.name, func(b *testing.B) {
			core := startForBenchmark(b, c)
			messages := make([]Message, 256)
			b.ReportAllocs()
			for range b.N {
				if _, err := core.Poll(messages, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
