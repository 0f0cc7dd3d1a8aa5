//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPeersReplyRightly builds chatbench and every peer, and has chatbench, which checks every reply, load each of them
// for a moment: a peer that is fast because it is wrong would be worthless.
func TestPeersReplyRightly(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peers are for Linux")
	}
	if testing.Short() {
		t.Skip("it builds programs")
	}
	folder := t.TempDir()
	build(t, "go", "build", "-o", filepath.Join(folder, "chatbench"), "iocpnetlib/cmd/chatbench")
	build(t, "go", "-C", "../peers", "build", "-o", filepath.Join(folder, "gopeer"), ".")
	compiler := os.Getenv("CXX")
	if compiler == "" {
		compiler = "g++"
	}
	build(t, "cmake", "-S", "../../native/bench/peers", "-B", folder, "-G", "Ninja", "-DCMAKE_CXX_COMPILER="+compiler)
	build(t, "cmake", "--build", folder)

	b := &bench{places: places{Peers: folder}, Chatbench: filepath.Join(folder, "chatbench"),
		Scenarios: "../scenarios", Duration: 200 * time.Millisecond, Warmup: 50 * time.Millisecond}
	small := []row{
		{Name: "echo", File: "echo-64x16.toml", Workload: workloadEcho, Members: 1,
			Options: []string{"--connections", "20", "--size", "1000"}},
		{Name: "room", File: "room-10x100x8.toml", Workload: workloadRoom, Members: 7,
			Options: []string{"--rooms", "3", "--members", "7"}},
	}
	for _, s := range servers {
		if s.isOurs() {
			continue
		}
		for i := range small {
			t.Run(s.Name+"/"+small[i].Name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				values, err := b.measure(ctx, &small[i], &s, passLoad, 0)
				if err != nil && strings.Contains(err.Error(), "io_uring_setup") {
					t.Skipf("this system does not let programs use io_uring: %v", err)
				}
				require.NoError(t, err)
				assert.Positive(t, values[metricSpeed])
			})
		}
	}
}

// build runs a command, and fails the test with its output if it fails.
func build(t *testing.T, command string, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, command, arguments...).CombinedOutput()
	require.NoError(t, err, "%s %s:\n%s", command, strings.Join(arguments, " "), output)
}
