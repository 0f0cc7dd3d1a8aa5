package bridge

import (
	"syscall"
	"testing"

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
			raw, err := c.socket.SyscallConn()
			require.NoError(t, err)
			c.write(packet[:10])
			var sendError error
			require.NoError(t, raw.Write(func(descriptor uintptr) bool {
				_, sendError = syscall.SendmsgN(int(descriptor), []byte{0xFF}, nil, nil, syscall.MSG_OOB)
				return true
			}))
			require.NoError(t, sendError)
			c.write(packet[10:])
			s.expectPacket(id, packet)
			require.NoError(t, c.socket.Close())
			s.expectClose(id, ClosePeerClosed, ClosePeerReset)
		}
	})
}
