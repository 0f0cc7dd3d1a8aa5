package soak

import (
	"context"
	"fmt"
	"io"
)

// SlowReader measures what slow readers cost the members of their rooms, and the server's memory.
func SlowReader(ctx context.Context, c *Config, out io.Writer) error {
	s, err := begin(ctx, c, out)
	if err != nil {
		return err
	}
	var entered, disconnected int64
	with := func(pair int) func() {
		slow := startSlowReaders(s.ctx, s.entrance, c, s.checks, firstIncarnation(pair))
		return func() {
			slow.untilDisconnected(s.ctx)
			slow.stop()
			entered += slow.entered.Load()
			disconnected += slow.disconnected.Load()
		}
	}
	err = compareScenario(ctx, s, "slow readers", with, func(quiet, hostile []round) {
		fmt.Fprintf(out, "%d slow readers came %d times and were disconnected %d times\n", c.SlowReaders, entered,
			disconnected)
		if len(hostile) == c.Pairs && c.SlowReaders > 0 && disconnected == 0 {
			s.checks.Add("no slow reader was disconnected: more bytes fit between it and the server than its room says")
		}
		// A slot keeps its buffers once they were used, hence the number of slots that they may have had.
		allowed := entered*int64(s.sendBuffer()) + c.MemorySlack
		if grown := peakMemory(hostile) - peakMemory(quiet); grown > allowed {
			s.checks.Add("the server's memory grew by %s MiB with slow readers; %s MiB are their send buffers",
				mebibytes(grown), mebibytes(allowed))
		}
	})
	if told := s.server.Log().Total("closed.send_buffer_full"); err == nil && told < disconnected {
		return &Failure{[]string{fmt.Sprintf("%d slow readers were disconnected, and the server tells of %d with "+
			"reason send_buffer_full", disconnected, told)}, 1}
	}
	return err
}
