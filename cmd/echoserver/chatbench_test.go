package main

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/cmd/internal/chatbench/serverwatch"
	"iocpnetlib/internal/serverprocess"
)

// The workloads of chatbench against a server process, in small: what they check, not what they measure.
func TestChatbench(t *testing.T) {
	native := cmp.Or(os.Getenv(bridge.LibraryEnv), bridge.CoreAuto)
	for kind, core := range map[string]string{"native": native, "go": bridge.CoreGo} {
		t.Run(kind, func(t *testing.T) {
			server, err := serverprocess.Start(serverprocess.NewLog(nil), os.Args[0], []string{"--core", core, "--port", "0",
				"--bind", "127.0.0.1", "--crash-dir", ""}, runMainEnv+"=1", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
			require.NoError(t, err)
			defer func() { assert.NoError(t, server.Stop(30*time.Second), server.Log().Tail()) }()
			for name, text := range map[string]string{
				"closed loop": "workload = \"echo\"\nconnections = 20\nin_flight = 5\nsize = 100",
				"open loop":   "workload = \"echo\"\nconnections = 20\nrate = 500",
				"idle":        "workload = \"idle\"\nconnections = 100\nin_flight = 1",
			} {
				t.Run(name, func(t *testing.T) { runChatbench(t, server, text) })
			}
		})
	}
}

func runChatbench(t *testing.T, server *serverprocess.Process, text string) {
	s, err := scenario.Parse([]byte("name = \"test\"\nwarmup = \"50ms\"\nduration = \"300ms\"\n" + text))
	require.NoError(t, err)
	require.NoError(t, s.Check())
	watch, err := serverwatch.New(server.PID(), false)
	require.NoError(t, err)
	defer watch.Close()
	m, err := load.Run(context.Background(), s, load.Options{Address: server.Address(), Watch: watch})
	require.NoError(t, err)
	assert.Empty(t, m.Failures)
	assert.Equal(t, runtime.GOOS == "linux", m.Server != nil)
	if s.Workload == scenario.Idle {
		assert.Equal(t, runtime.GOOS == "linux", m.Idle != nil)
		return
	}
	assert.Positive(t, m.Messages)
	assert.Positive(t, m.Latency.Quantiles().Count)
}
