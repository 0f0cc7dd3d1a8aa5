package bridge

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TCP's urgent data, which no honest client sends: the byte itself is not part of the stream, and what comes behind it
// is received without anything more having to come.
func TestUrgentDataHoldsNothingUp(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		for i := range 50 {
			c, id := s.connected()
			packet := numbered(0, i, 100)
			c.write(packet[:10])
			c.writeUrgent()
			c.write(packet[10:])
			s.expectPacket(id, packet)
			require.NoError(t, c.socket.Close())
			s.expectClose(id, ClosePeerClosed, ClosePeerReset)
		}
	})
}

// writeUrgent sends a byte of urgent data.
func (c *client) writeUrgent() {
	c.t.Helper()
	raw, err := c.socket.SyscallConn()
	require.NoError(c.t, err)
	var sendError error
	require.NoError(c.t, raw.Write(func(descriptor uintptr) bool {
		_, sendError = syscall.SendmsgN(int(descriptor), []byte{0xFF}, nil, nil, syscall.MSG_OOB)
		return true
	}))
	require.NoError(c.t, sendError)
}

// Many clients that send nothing else, so that the system finds each of them ready all the time and nothing to receive:
// no thread of the system waits for them, and nobody else gets less, or others' bytes, then or when they have gone.
func TestUrgentDataOfMany(t *testing.T) {
	onEachTCPCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		echoes := func(count int) {
			for i := range count {
				c, id := s.connected()
				for size := range 3 {
					packet := numbered(i, size, 20+500*size)
					c.write(packet)
					s.expectPacket(id, packet)
				}
				c.close()
				s.expectClose(id, ClosePeerClosed)
			}
		}
		echoes(10)
		var urgent []*client
		for range 40 {
			c, _ := s.connected()
			c.write(packetOf(1, make([]byte, 1000))[:10]) // some bytes count as ordinary ones, when another follows
			urgent = append(urgent, c)
		}
		for range 200 {
			for _, c := range urgent {
				c.writeUrgent()
			}
			s.doIO()
		}
		echoes(10)
		require.Zero(t, threadsOfTheSystem(t))
		for _, c := range urgent {
			c.reset()
		}
		for range urgent {
			require.Equal(t, MessageClose, s.next().kind)
		}
		s.expectNothing()
		echoes(20)
	})
}

// The same for what is sent to clients that do not read, and have an urgent byte waiting.
func TestUrgentDataWhileSending(t *testing.T) {
	onEachTCPCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.SendBufferSize = 16 << 20
		config.Rate = RateLimit{PacketsPerSecond: 1, Burst: time.Second}
		s.start(config)
		var clients []*client
		var ids []ConnectionID
		for range 8 {
			c, id := s.connected()
			clients, ids = append(clients, c), append(ids, id)
		}
		for _, c := range clients {
			c.write(bytes.Repeat(packetOf(1, make([]byte, 1000)), 100)) // is read for minutes
			c.writeUrgent()
		}
		var batch SendBatch
		for range 15_000 { // more than the system takes, of which it takes 4 MiB at most from a sender
			batch.Broadcast(ids, packetOf(1, make([]byte, 1000)))
		}
		require.NoError(t, s.core.Submit(&batch))
		sent := uint64(0)
		s.eventually("the system takes no more", func(stats Stats) bool {
			before := sent
			sent = stats.BytesSent
			return sent > 0 && sent == before
		})
		require.Zero(t, threadsOfTheSystem(t))
	})
}

// threadsOfTheSystem are those in which io_uring waits where it cannot do so otherwise.
func threadsOfTheSystem(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/comm")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	count := 0
	for _, path := range names {
		// One that has ended meanwhile has no name.
		if name, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(name), "iou-wrk") {
			count++
		}
	}
	return count
}
