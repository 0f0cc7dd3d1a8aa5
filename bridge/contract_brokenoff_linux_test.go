package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Clients send a packet and break their connection off, many of them before they are accepted: each is a connection like
// any other, what it sent arrives, and no accept counts as failed.
func TestClientsThatBreakOffBeforeTheyAreAccepted(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		const rounds, atATime = 20, 8
		for range rounds {
			for range atATime {
				c, err := s.connect(t, "127.0.0.1", s.port())
				require.NoError(t, err)
				_, err = c.socket.Write(packetOf(1, nil))
				require.NoError(t, err)
				require.NoError(t, c.socket.SetLinger(0))
				require.NoError(t, c.socket.Close())
			}
			messages := make([]Message, 64)
			got := map[MessageType]int{}
			for deadline := time.Now().Add(patience); got[MessageClose] < atATime; {
				n, err := s.core.Poll(messages, time.Until(deadline))
				require.NoError(t, err)
				require.NotZero(t, n, "got %v, %+v", got, s.core.Stats())
				for _, m := range messages[:n] {
					got[m.Type]++
				}
			}
			require.Equal(t, map[MessageType]int{MessageConnection: atATime, MessageRecv: atATime, MessageClose: atATime}, got)
		}
		stats := s.core.Stats()
		assert.Zero(t, stats.AcceptErrors)
		assert.EqualValues(t, rounds*atATime, stats.ConnectionsAccepted)
	})
}
