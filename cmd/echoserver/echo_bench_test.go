package main

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// runMainEnv makes the test program run as the server: a process of its own, whose processor time is the server's
// alone.
const runMainEnv = "IOCPNETLIB_TEST_RUN_ECHOSERVER"

// BenchmarkEcho measures a server process over loopback on each core: time a message, and the server's own processor
// time a message (server-cpu-ns/op), which is the figure to compare, since the clients take their share of the time.
// Every reply is checked. Compare two cores with benchstat over several interleaved rounds (-count).
func BenchmarkEcho(b *testing.B) {
	const size = 64
	native := cmp.Or(os.Getenv(bridge.LibraryEnv), bridge.CoreAuto)
	for _, load := range []struct{ connections, inFlight int }{{1, 1}, {64, 1}, {64, 16}, {1000, 1}} {
		for _, core := range []struct{ kind, name string }{{"native", native}, {"go", bridge.CoreGo}} {
			name := fmt.Sprintf("connections=%d/inflight=%d/core=%s", load.connections, load.inFlight, core.kind)
			b.Run(name, func(b *testing.B) {
				server, port := startServer(b, core.name)
				conns := make([]net.Conn, load.connections)
				for i := range conns {
					conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
					require.NoError(b, err)
					defer conn.Close()
					conns[i] = conn
				}
				b.ResetTimer()
				var clients sync.WaitGroup
				failures := make(chan error, len(conns))
				for i, conn := range conns {
					// The messages that do not divide evenly go to the first connections.
					messages := b.N / len(conns)
					if i < b.N%len(conns) {
						messages++
					}
					clients.Go(func() { failures <- pingPong(conn, messages, load.inFlight, size) })
				}
				clients.Wait()
				b.StopTimer()
				for range conns {
					require.NoError(b, <-failures)
				}
				require.NoError(b, server.Process.Signal(os.Interrupt))
				require.NoError(b, server.Wait())
				cpu := server.ProcessState.UserTime() + server.ProcessState.SystemTime()
				b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "server-cpu-ns/op")
			})
		}
	}
}

func startServer(b *testing.B, core string) (server *exec.Cmd, port int) {
	server = exec.Command(os.Args[0], "--core", core, "--port", "0", "--bind", "127.0.0.1", "--log-level", "error")
	server.Env = append(os.Environ(), runMainEnv+"=1")
	server.Stderr = os.Stderr
	stdout, err := server.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, server.Start())
	b.Cleanup(func() { _ = server.Process.Kill() })
	_, err = fmt.Fscanf(bufio.NewReader(stdout), "listening on port %d\n", &port)
	require.NoError(b, err)
	return server, port
}

// pingPong sends messages, at most inFlight at a time, and checks that each comes back in order.
func pingPong(conn net.Conn, messages, inFlight, size int) error {
	if err := conn.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		return err
	}
	packet := func(buffer []byte, number int) {
		binary.LittleEndian.PutUint16(buffer, uint16(size))
		binary.LittleEndian.PutUint64(buffer[bridge.HeaderLength:], uint64(number))
	}
	burst := make([]byte, inFlight*size)
	reply := make([]byte, inFlight*size)
	want := make([]byte, size)
	for sent := 0; sent < messages; {
		count := min(inFlight, messages-sent)
		for i := range count {
			packet(burst[i*size:], sent+i)
		}
		if _, err := conn.Write(burst[:count*size]); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, reply[:count*size]); err != nil {
			return err
		}
		for i := range count {
			packet(want, sent+i)
			if string(reply[i*size:(i+1)*size]) != string(want) {
				return fmt.Errorf("message %d came back changed", sent+i)
			}
		}
		sent += count
	}
	return nil
}
