package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/soak"
	"iocpnetlib/internal/doorclient"
)

// The scenarios of chatsoak in small: what they check, not what they measure.

// soakConfig is a small load: 2 rooms of 4 members.
func soakConfig(t *testing.T, d door) *soak.Config {
	server := serverCommand(t)
	c := soak.DefaultConfig()
	c.Server, c.Core, c.ServerEnv, c.Door = server.Path, d.core, server.Env, d.kind
	c.Rooms, c.Members, c.Rate = 2, 4, 20
	c.Pairs, c.Round, c.WarmUp = 1, time.Second, 100*time.Millisecond
	c.MaxP99Ratio = 0         // how fast it is, is for the long runs
	c.MemorySlack = 128 << 20 // the race detector keeps a multiple of what it watches
	return &c
}

// runSoak runs a scenario, every check of which has to pass, and returns what it tells.
func runSoak(t *testing.T, scenario func(context.Context, *soak.Config, io.Writer) error, c *soak.Config) string {
	t.Helper()
	var out bytes.Buffer
	err := scenario(t.Context(), c, &out)
	t.Logf("%s", out.String())
	require.NoError(t, err)
	return out.String()
}

// scratchFile is the path of a file that is removed at the end of the test: t.TempDir uses calls that Wine 8 does not
// know.
func scratchFile(t *testing.T) string {
	t.Helper()
	file, err := os.CreateTemp("", "chatserver-test")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	t.Cleanup(func() { assert.NoError(t, os.Remove(file.Name())) })
	return file.Name()
}

// Whoever does not read is disconnected, and its room hears everything.
func TestSoakSlowReaders(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system's own buffers take megabytes before the server notices, and only on Linux they can be made " +
			"small; TestRule07 of bridge tests a client that does not read on every system")
	}
	onEveryDoor(t, atOnce(func(t *testing.T, d door) {
		c := soakConfig(t, d)
		c.Rooms, c.Members, c.Rate, c.SlowReaders = 1, 8, 80, 2
		c.ServerArgs = []string{"--send-buffer", "65536"}
		out := runSoak(t, soak.SlowReader, c)
		assert.Contains(t, out, "send_buffer_full:")
	}))
}

// Flooders neither keep the members from chatting nor break anything.
func TestSoakFlood(t *testing.T) {
	onEveryDoor(t, atOnce(func(t *testing.T, d door) {
		c := soakConfig(t, d)
		c.Flooders, c.FloodKinds = 3, []soak.FloodKind{soak.FloodChat, soak.FloodTiny, soak.FloodUnknown}
		out := runSoak(t, soak.Flood, c)
		assert.Contains(t, out, "unknown_packets:")
	}))
}

// Every way to connect and to end leaves every slot free, and no event for a slot reaches its next user.
func TestSoakChurn(t *testing.T) {
	onDoors(t, []doorclient.Kind{wssDoor}, func(t *testing.T, d door) {
		c := soakConfig(t, d)
		c.Connections = 2000
		if runtime.GOOS == "windows" || !d.kind.IsPlain() {
			c.Connections = 500 // under Wine, and for handshakes, a connection takes some milliseconds
		}
		c.ServerArgs = []string{"--max-connections", "200"} // so that slots are used again soon
		out := runSoak(t, soak.Churn, c)
		assert.Contains(t, out, "All 200 slots are free")
	})
}

// All of it together, with the files that a soak leaves.
func TestSoakTogether(t *testing.T) {
	onDoors(t, []doorclient.Kind{wssDoor}, atOnce(func(t *testing.T, d door) {
		c := soakConfig(t, d)
		c.Duration, c.ChurnRate = 3*time.Second, 100
		c.Flooders, c.FloodRate = 3, 50
		c.CSV, c.SVG = scratchFile(t), scratchFile(t)
		runSoak(t, func(ctx context.Context, c *soak.Config, out io.Writer) error {
			return soak.Soak(ctx, c, out, &soak.Progress{To: out})
		}, c)
		for path, want := range map[string]string{c.CSV: "time_s,memory_bytes,", c.SVG: "<svg"} {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Contains(t, string(content), want)
		}
	}))
}
