package bridge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
)

// What crossing into a core costs, without any network: each operation names a connection that is not there, which
// the core finds out at once.

// coresForBenchmark are the cores, and one with a door beside it that nobody comes in by.
func coresForBenchmark() []testCore {
	cores := coresUnderTest()
	if !nativeSupported {
		return cores
	}
	last := cores[len(cores)-1] // does its I/O in Poll
	return append(cores, testCore{name: last.name + "-door", path: last.path, io: last.io, isInline: true,
		door: testDoor{Kind: doorclient.Kind{TLS: true, WebSocket: true}, beside: true}})
}

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
		for _, c := range coresForBenchmark() {
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
	for _, c := range coresForBenchmark() {
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

// BenchmarkEmptyPoll asks for messages when there are none.
func BenchmarkEmptyPoll(b *testing.B) {
	for _, c := range coresForBenchmark() {
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
