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
	"iocpnetlib/internal/doorclient"
	"iocpnetlib/internal/scratchfolder"
	"iocpnetlib/internal/serverprocess"
)

// The workloads of chatbench against a server process, in small: what they check, not what they measure.
func TestChatbench(t *testing.T) {
	native := cmp.Or(os.Getenv(bridge.LibraryEnv), bridge.CoreAuto)
	certificate, err := serverprocess.NewCertificate()
	require.NoError(t, err)
	wss := doorclient.Kind{TLS: true, WebSocket: true}
	for _, c := range []struct {
		name, core string
		door       doorclient.Kind
	}{{name: "native", core: native}, {name: "go", core: bridge.CoreGo}, {"wss", native, wss}} {
		t.Run(c.name, func(t *testing.T) {
			arguments, err := certificate.Options(scratchfolder.New(t))
			require.NoError(t, err)
			arguments = append(arguments, "--core", c.core, "--port", "0", "--wss-port", "0", "--bind", "127.0.0.1", "--crash-dir", "")
			server, err := serverprocess.Start(serverprocess.NewLog(nil), os.Args[0], arguments, runMainEnv+"=1",
				"GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
			require.NoError(t, err)
			defer func() { assert.NoError(t, server.Stop(30*time.Second), server.Log().Tail()) }()
			address, err := server.DoorAddress(c.door.String())
			require.NoError(t, err)
			options := load.Options{Address: address, Door: load.Door{Kind: c.door, TLS: certificate.Trust}}
			for name, text := range map[string]string{
				"closed loop": "workload = \"echo\"\nconnections = 20\nin_flight = 5\nsize = 100",
				"open loop":   "workload = \"echo\"\nconnections = 20\nrate = 500",
				"idle":        "workload = \"idle\"\nconnections = 100\nin_flight = 1",
			} {
				t.Run(name, func(t *testing.T) { runChatbench(t, server, options, text) })
			}
		})
	}
}

func runChatbench(t *testing.T, server *serverprocess.Process, options load.Options, text string) {
	s, err := scenario.Parse([]byte("name = \"test\"\nwarmup = \"50ms\"\nduration = \"300ms\"\n" + text))
	require.NoError(t, err)
	require.NoError(t, s.Check())
	watch, err := serverwatch.New(server.PID(), false)
	require.NoError(t, err)
	defer watch.Close()
	options.Watch = watch
	m, err := load.Run(context.Background(), s, options)
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
