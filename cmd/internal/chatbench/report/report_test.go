package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/cmd/internal/chatbench/serverwatch"
	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/processusage"
)

func measured() (*scenario.Scenario, *load.Measurement) {
	s := &scenario.Scenario{Name: "some echo", Workload: scenario.Echo, Connections: 7, Rate: 100, Size: 64, Rooms: 3}
	m := &load.Measurement{Messages: 1000, Time: 2 * time.Second, Latency: latency.NewHistogram(),
		Lag: latency.NewHistogram(), Server: &serverwatch.Use{Memory: 5 << 20, Syscalls: 2500, Times: processusage.Times{
			Available: true, User: 20 * time.Millisecond, System: 10 * time.Millisecond, Total: 31 * time.Millisecond}}}
	for i := range 1000 {
		m.Latency.Record(time.Duration(i+1) * time.Microsecond)
		m.Lag.Record(50 * time.Microsecond)
	}
	return s, m
}

func TestJSON(t *testing.T) {
	s, m := measured()
	var out bytes.Buffer
	require.NoError(t, New(s, "127.0.0.1:1", 42, m).WriteJSON("-", &out))
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Equal(t, "some echo", got["scenario"])
	assert.EqualValues(t, 500, got["messages_per_second"])
	assert.InEpsilon(t, 500_000, got["latency_ns"].(map[string]any)["p50"], 0.001)
	assert.InEpsilon(t, 999_000, got["latency_ns"].(map[string]any)["p99_9"], 0.001)
	assert.InEpsilon(t, 50_000, got["generator_lag_ns"].(map[string]any)["p99"], 0.001)
	server := got["server"].(map[string]any)
	assert.EqualValues(t, 42, server["pid"])
	assert.EqualValues(t, 0.02, server["cpu_user_seconds"])
	assert.EqualValues(t, 31_000, server["cpu_ns_per_message"])
	assert.EqualValues(t, 2.5, server["syscalls_per_message"])
	assert.Equal(t, []any{}, got["errors"])
	assert.NotContains(t, got["parameters"], "rooms", "echo has none")
}

// What is not known is null, and nothing is divided by no messages.
func TestJSONOfNothing(t *testing.T) {
	m := &load.Measurement{Latency: latency.NewHistogram(), Failures: []string{"a", "b"}, FailureCount: 5}
	var out bytes.Buffer
	r := New(&scenario.Scenario{Name: "x", Workload: scenario.Room, InFlight: 1}, "", 0, m)
	require.NoError(t, r.WriteJSON("-", &out))
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	for _, name := range []string{"latency_ns", "generator_lag_ns", "server", "generator", "idle"} {
		assert.Contains(t, got, name)
		assert.Nil(t, got[name], name)
	}
	assert.EqualValues(t, 5, got["error_count"])
	r.WriteTable(&out)
	assert.Contains(t, out.String(), "5 errors:\n  a\n  b\n")
	assert.Contains(t, out.String(), "unknown")
	assert.Error(t, Draw(r, m, "nowhere.svg"))
}

func TestTable(t *testing.T) {
	s, m := measured()
	m.Idle = &load.IdleMemory{Connections: 10, Before: 1 << 20, After: 1<<20 + 2560}
	var out bytes.Buffer
	New(s, "", 42, m).WriteTable(&out)
	for _, want := range []string{"some echo: echo, 7 connections, packets of 64 bytes, 100 a second", "500.2 µs",
		"31000 ns", "2.5000", "bytes a connection", "256", "Every reply was right."} {
		assert.Contains(t, out.String(), want)
	}
}

func TestPicture(t *testing.T) {
	s, m := measured()
	folder, err := os.MkdirTemp("", "chatbench-test")
	require.NoError(t, err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "picture.svg")
	require.NoError(t, Draw(New(s, "", 0, m), m, path))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, want := range []string{"some echo", "latency of messages", "how late the load itself sent", "99.9 %"} {
		assert.Contains(t, string(content), want)
	}
	decoder := xml.NewDecoder(bytes.NewReader(content))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
}
