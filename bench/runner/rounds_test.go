//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServersAreInterleavedAndRotated(t *testing.T) {
	p := &plan{Rows: []row{{Name: "a", Members: 1, Workload: workloadEcho}, {Name: "b", Workload: workloadIdle}},
		Servers: []server{{Name: "x"}, {Name: "y"}}, Rounds: 2, SyscallRounds: 1}
	var order []string
	r := &results{}
	p.runAll(context.Background(), r, io.Discard,
		func(_ context.Context, row *row, s *server, p pass, _ float64) (map[metric]float64, error) {
			order = append(order, fmt.Sprintf("%s %s %s", row.Name, s.Name, p))
			return map[metric]float64{metricCPU: 1}, nil
		})
	assert.Equal(t, []string{
		"a x load", "a y load", "a x syscalls", "a y syscalls", "b x memory", "b y memory",
		"a y load", "a x load", "b y memory", "b x memory"}, order)
	assert.Len(t, r.Samples, len(order))
}

func TestAServerThatFailsDoesNotEndTheRun(t *testing.T) {
	p := &plan{Rows: []row{{Name: "a", Members: 10, Workload: workloadRoom}},
		Servers: []server{{Name: "bad", Family: familyNative}, {Name: "no counts", Family: familyNative},
			{Name: epollPeer, Family: familyKernel}, {Name: "other", Family: familyGo}}, Rounds: 1, SyscallRounds: 1}
	var order []string
	r := &results{}
	p.runAll(context.Background(), r, io.Discard,
		func(_ context.Context, _ *row, s *server, p pass, rate float64) (map[metric]float64, error) {
			order = append(order, fmt.Sprintf("%s %s %g", s.Name, p, rate))
			if s.Name == "bad" || s.Name == "no counts" && p == passSyscalls {
				return nil, errors.New("no")
			}
			return map[metric]float64{metricSpeed: 1000}, nil
		})
	// The rate is half the peer's throughput, in chats; only servers whose latency is compared have that pass.
	assert.Equal(t, []string{"bad load 0", "no counts load 0", epollPeer + " load 0", "other load 0",
		"no counts syscalls 0", epollPeer + " syscalls 0", "other syscalls 0",
		"no counts open loop 50", epollPeer + " open loop 50"}, order)
	assert.Equal(t, []failure{{"a", "bad", 0, passLoad, "no"}, {"a", "no counts", 0, passSyscalls, "no"}}, r.Failures)
}

func TestTheRunEndsWithItsContext(t *testing.T) {
	p := &plan{Rows: []row{{Name: "a", Members: 1}}, Servers: []server{{Name: "x"}, {Name: "y"}}, Rounds: 3}
	ctx, cancel := context.WithCancel(context.Background())
	r, count := &results{}, 0
	p.runAll(ctx, r, io.Discard, func(context.Context, *row, *server, pass, float64) (map[metric]float64, error) {
		count++
		cancel()
		return nil, ctx.Err()
	})
	assert.Equal(t, 1, count)
	assert.Empty(t, r.Failures, "it did not fail by itself")
}

func TestChoose(t *testing.T) {
	self := func(s string) string { return s }
	all := []string{"a", "b", "c"}
	chosen, err := choose(all, self, "")
	require.NoError(t, err)
	assert.Equal(t, all, chosen)
	chosen, err = choose(all, self, "c,a")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c"}, chosen)
	_, err = choose(all, self, "a,d")
	require.EqualError(t, err, `there is no "d"; there are a, b, c`)
}

func TestCommand(t *testing.T) {
	at := places{Programs: "my programs", Peers: "peers", Core: "core of mine.so"}
	s := ours("x", familyNative, ioEpoll, "--core {core}")
	command := s.command(workloadIdle, at)
	assert.Equal(t, "my programs/echoserver", command[0])
	assert.Equal(t, []string{"--core", "core of mine.so"}, command[len(command)-2:])
	assert.Equal(t, "my programs/chatserver", s.command(workloadRoom, at)[0])
	p := peer("y", familyGo, "", "gopeer --peer net")
	assert.Equal(t, []string{"peers/gopeer", "--peer", "net", "--port", "0", "--mode", "chat"},
		p.command(workloadRoom, at))
}
