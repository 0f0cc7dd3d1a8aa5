package soak

import (
	"context"
	"fmt"
	"io"
	"time"

	"iocpnetlib/cmd/internal/processusage"
	"iocpnetlib/cmd/internal/texttable"
)

// churnParts is in how many parts the connections of a churn are made, with a look at the server after each: what
// grows with every connection shows as a line that goes up.
const churnParts = 5

// churnWarmUp is how many connections are made before the first look, or more if there are many.
const churnWarmUp = 1000

// threadSlack is how many threads more are no leak: the Go runtime starts one when all others are in system calls, and
// keeps it.
const threadSlack = 2

// Churn makes connections that end in every way, and compares what the server holds before and after.
func Churn(ctx context.Context, c *Config, out io.Writer) error {
	s, err := begin(ctx, c, out)
	if err != nil {
		return err
	}
	s.churn()
	return s.end()
}

func (s *session) churn() {
	// Before the first look every slot is used once: the server keeps what it has allocated for a slot, and the Go
	// runtime keeps threads that it has started.
	idle := s.usage()
	if err := s.fillSlots(); err != nil {
		s.checks.Add("before the churn: %v", err)
		return
	}
	s.settled(idle)
	warmUp := max(s.config.Connections/50, churnWarmUp)
	startChurners(s.ctx, s.entrance, s.config, s.checks, warmUp).wait()
	var t texttable.Table
	t.Add("", "connections", "handles", "threads", "memory MiB", "connections/s")
	look := func(name string, connections int64, took time.Duration) processusage.Usage {
		u := s.settled(idle)
		rate := "-"
		if took > 0 {
			rate = fmt.Sprintf("%.0f", float64(connections)/took.Seconds())
		}
		t.Add(name, connections, orNone(u, u.Handles), orNone(u, u.Threads), orNone(u, mebibytes(u.Memory)), rate)
		return u
	}
	before := look("warmed up", warmUp, 0)
	after := before
	var byWay [churnWays]int64
	for part := range int64(churnParts) {
		// A seed of its own for every part, or each would be the same.
		connections := s.config.Connections*(part+1)/churnParts - s.config.Connections*part/churnParts
		config := *s.config
		config.Seed += uint64(part+1) << 32
		begun := time.Now()
		ch := startChurners(s.ctx, s.entrance, &config, s.checks, connections)
		ch.wait()
		if s.ctx.Err() != nil {
			break
		}
		took := time.Since(begun)
		for way := range ch.closed {
			byWay[way] += ch.closed[way].Load()
		}
		after = look(fmt.Sprintf("part %d", part+1), ch.connections(), took)
	}
	fmt.Fprintln(s.out, "The server, when no client is connected:")
	t.Write(s.out)
	fmt.Fprint(s.out, "\nConnections ended:")
	for way, count := range byWay {
		fmt.Fprintf(s.out, " %s %d;", churnWayNames[way], count)
	}
	fmt.Fprintln(s.out)
	if s.ctx.Err() != nil {
		return
	}
	s.compareUsage(before, after)
	if _, failures := s.checks.First(); failures > 0 {
		return
	}
	if err := s.fillSlots(); err != nil {
		s.checks.Add("after the churn, not every slot is free: %v", err)
		return
	}
	fmt.Fprintf(s.out, "All %d slots are free: so many connections were accepted and answered, and one more refused\n",
		s.maximum)
}

// compareUsage fails if the server holds more than before.
func (s *session) compareUsage(before, after processusage.Usage) {
	if !before.Available {
		fmt.Fprintln(s.out, "Handles, threads and memory of a process are not read on this system yet")
		return
	}
	if after.Sockets != before.Sockets {
		s.checks.Add("the server has %d sockets open, %d before", after.Sockets, before.Sockets)
	}
	if after.Threads > before.Threads+threadSlack {
		s.checks.Add("the server has %d threads, %d before", after.Threads, before.Threads)
	}
	if grown := after.Memory - before.Memory; grown > s.config.MemorySlack {
		s.checks.Add("the server's memory grew by %s MiB to %s MiB", mebibytes(grown), mebibytes(after.Memory))
	}
}
