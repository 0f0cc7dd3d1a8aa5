package load

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/internal/chatmodel"
)

// A load that accepts everything would pass every server: these servers do one thing wrong.

// tamper changes what a server sends on a connection; number counts what was sent on all of them. It returns nil for
// a connection that ends.
type tamper func(connection, number int, bytes string) []byte

// testServer is a server on the loopback interface, in this process.
type testServer struct {
	listener net.Listener
	answer   func(connection int, bytes string) map[int]string
	gone     func(connection int)
	tamper   tamper

	mutex       sync.Mutex // one event after the other
	connections map[int]net.Conn
	sent        int
	group       sync.WaitGroup
}

func startTestServer(t *testing.T, answer func(int, string) map[int]string, connected, gone func(int),
	tamper tamper) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &testServer{listener: listener, answer: answer, gone: gone, tamper: tamper, connections: map[int]net.Conn{}}
	s.group.Go(func() {
		for number := 0; ; number++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mutex.Lock()
			s.connections[number] = conn
			connected(number)
			s.mutex.Unlock()
			s.group.Go(func() { s.serve(number, conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		s.mutex.Lock()
		for _, conn := range s.connections {
			_ = conn.Close()
		}
		s.mutex.Unlock()
		s.group.Wait()
	})
	return listener.Addr().String()
}

func (s *testServer) serve(number int, conn net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		s.mutex.Lock()
		if err != nil {
			s.gone(number)
			_ = conn.Close()
			s.mutex.Unlock()
			return
		}
		for to, bytes := range s.answer(number, string(buffer[:n])) {
			s.send(to, bytes)
		}
		s.mutex.Unlock()
	}
}

func (s *testServer) send(to int, bytes string) {
	for len(bytes) > 0 { // packet by packet, so that tampering has one to look at
		packet := chatmodel.First(bytes)
		bytes = bytes[len(packet):]
		s.sent++
		changed := s.tamper(to, s.sent, packet)
		if changed == nil {
			_ = s.connections[to].Close()
			return
		}
		_, _ = s.connections[to].Write(changed)
	}
}

// startEchoModel starts a server that sends packets back.
func startEchoModel(t *testing.T, tamper tamper) string {
	unread := map[int]string{}
	return startTestServer(t, func(connection int, bytes string) map[int]string {
		unread[connection] += bytes
		answer := ""
		for len(unread[connection]) >= 5 {
			packet := unread[connection]
			size := int(packet[0]) | int(packet[1])<<8
			if len(packet) < size {
				break
			}
			answer += packet[:size]
			unread[connection] = packet[size:]
		}
		return map[int]string{connection: answer}
	}, func(int) {}, func(int) {}, tamper)
}

// startResettingEcho starts a server that sends back what it reads, and resets each connection when its client has
// ended its side, or after so many reads.
func startResettingEcho(t *testing.T, reads int) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	serve := func(conn *net.TCPConn) {
		buffer := make([]byte, 64<<10)
		for range reads {
			n, err := conn.Read(buffer)
			if err == nil {
				_, err = conn.Write(buffer[:n])
			}
			if err != nil {
				break
			}
		}
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { serve(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		group.Wait()
	})
	return listener.Addr().String()
}

// startChatModel starts a chat server.
func startChatModel(t *testing.T, tamper tamper) string {
	model := chatmodel.New(chatmodel.Limits{MaxPacketSize: 1024, MaxUsers: 100, MaxRooms: 10, MaxRoomUsers: 20})
	return startTestServer(t, func(connection int, bytes string) map[int]string {
		return model.Receive(connection, bytes)
	}, model.Connect, model.Close, tamper)
}

func honest(_, _ int, packet string) []byte { return []byte(packet) }

// runShort runs a scenario for a short time.
func runShort(t *testing.T, address, text string) *Measurement {
	t.Helper()
	s, err := scenario.Parse([]byte("name = \"test\"\nwarmup = \"20ms\"\nduration = \"200ms\"\n" + text))
	require.NoError(t, err)
	require.NoError(t, s.Check())
	m, err := Run(context.Background(), s, Options{Address: address, Patience: 300 * time.Millisecond})
	require.NoError(t, err)
	return m
}
