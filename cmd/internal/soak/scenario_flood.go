package soak

import (
	"context"
	"fmt"
	"io"
)

// Flood measures what flooders cost the members.
func Flood(ctx context.Context, c *Config, out io.Writer) error {
	s, err := begin(ctx, c, out)
	if err != nil {
		return err
	}
	var packets, disconnected int64
	with := func(pair int) func() {
		flood := startFlooders(s.ctx, s.entrance, c, s.checks, firstIncarnation(pair))
		return func() {
			flood.stop()
			packets += flood.packets.Load()
			disconnected += flood.disconnected.Load()
		}
	}
	return compareScenario(ctx, s, "flood", with, func(_, hostile []round) {
		fmt.Fprintf(out, "%d flooders sent %d packets and were disconnected %d times\n", c.Flooders, packets, disconnected)
		if len(hostile) == c.Pairs && c.Flooders > 0 && packets == 0 {
			s.checks.Add("no flooder could send anything")
		}
	})
}
