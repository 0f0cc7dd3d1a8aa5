package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Clients that break off while an answer larger than the system takes at once is on its way, with few places and
// several I/O threads, so that a place soon gets its next client, often another thread's. Logic's rules hold for each of
// them: subject.life checks every message.
func TestRule04PlacesOfClientsThatBreakOffAreReused(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.WorkThreads, config.MaxConnections = 2, 3
		config.MaxSendOverlapped = 1024 // so a turn ends before everything is sent
		s.start(config)
		const clients, rounds = 6, 150
		ended := make(chan error, clients)
		port := s.port()
		for range clients {
			go func() {
				var failure error
				for n := range rounds {
					c, err := s.connect(t, "127.0.0.1", port)
					if err != nil {
						failure = err
						break
					}
					// All of it may fail: there may be no place for this one.
					_, _ = c.socket.Write(packetOf(1, nil))
					_ = c.socket.CloseWrite()
					buffer := make([]byte, 64<<10)
					_, err = c.socket.Read(buffer[:1000])
					for i := 0; err == nil && i < n%7; i++ {
						_, err = c.socket.Read(buffer)
					}
					_ = c.socket.SetLinger(0)
					_ = c.socket.Close()
				}
				ended <- failure
			}()
		}
		answer := make([]byte, 60_000)
		messages := make([]Message, 64)
		var batch SendBatch
		for running := clients; running > 0 || s.core.Stats().ConnectionsCurrent > 0; {
			select {
			case err := <-ended:
				assert.NoError(t, err)
				running--
				s.core.WakePoll() // it may have been the last message that came
				continue
			default:
			}
			n, err := s.core.Poll(messages, 100*time.Millisecond)
			require.NoError(t, err)
			batch.Reset()
			for i := range messages[:n] {
				require.NoError(t, s.life.see(&messages[i]))
				if messages[i].Type == MessageRecv {
					batch.Send(messages[i].ID, answer)
				}
			}
			require.NoError(t, s.core.Submit(&batch))
		}
		require.NoError(t, s.core.Stop(0))
	})
}
