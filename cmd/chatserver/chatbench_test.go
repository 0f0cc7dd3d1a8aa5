package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/chatbench/scenario"
)

// The workloads of chatbench against a server process, in small: what they check, not what they measure.
func TestChatbench(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--start-room", "5")
		for name, text := range map[string]string{
			"rooms, closed loop": "workload = \"room\"\nrooms = 4\nmembers = 10\nin_flight = 4",
			"rooms, open loop":   "workload = \"room\"\nrooms = 4\nmembers = 10\nrate = 100",
			"mixed":              "workload = \"mixed\"\nrooms = 4\nmembers = 10\nrate = 200\nmove_share = 0.2\nreconnect_share = 0.1",
		} {
			t.Run(name, func(t *testing.T) {
				s, err := scenario.Parse([]byte("name = \"test\"\nwarmup = \"50ms\"\nduration = \"400ms\"\nfirst_room = 5\n" + text))
				require.NoError(t, err)
				require.NoError(t, s.Check())
				m, err := load.Run(context.Background(), s, load.Options{Address: server.hostPort(d.kind),
					Door: load.Door{Kind: d.kind, TLS: testCertificate().Trust}})
				require.NoError(t, err)
				assert.Empty(t, m.Failures, fmt.Sprint(m.FailureCount))
				assert.Positive(t, m.Messages)
				assert.Positive(t, m.Latency.Quantiles().Count)
			})
		}
	})
}
