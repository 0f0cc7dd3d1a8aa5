package bridge

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// threadCPUTime is the processor time of the calling thread.
func threadCPUTime(b *testing.B) time.Duration {
	var used unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used))
	return time.Duration(used.Nano())
}

// answerer is logic that looks at a message and sends one packet back.
type answerer struct{ answer []byte }

func (a *answerer) HandleMessage(m *Message, batch *SendBatch) { batch.Send(m.ID, a.answer) }

// BenchmarkTurn polls full batches of the smallest packets, which have been received before, calls a handler that does
// nothing but answer with one, and submits the answers. What the network costs is the I/O thread's: cpu-ns/message is
// the processor time of the logic thread alone, while ns/op also counts when it had to wait for a processor.
func BenchmarkTurn(b *testing.B) {
	const atATime = 16 * loopBatch
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
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var used time.Duration
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
				before := threadCPUTime(b)
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
				used += threadCPUTime(b) - before
				b.StopTimer()
				_, err = core.Poll(messages, 0) // gives the last batch back
				require.NoError(b, err)
			}
			b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/message")
		})
	}
}
