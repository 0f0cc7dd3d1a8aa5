package soak

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"iocpnetlib/internal/doorclient"
)

// newFlags are the options; they set the fields of c, and have its values as their defaults.
func newFlags(c *Config) *flag.FlagSet {
	flags := flag.NewFlagSet("chatsoak", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error is told once, without the list of options
	flags.StringVar(&c.Server, "server", c.Server, "`path` of chatserver (default the one beside this program)")
	flags.StringVar(&c.Core, "core", c.Core, "network `core` of the server: auto, go, or the path of a core's library")
	flags.Var(&doorKind{&c.Door}, "door", "`door` of the server that all clients use: tcp, tls, ws or wss")
	flags.StringVar(&c.ServerLog, "server-log", c.ServerLog, "`file` for the server's log")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "`number` that decides what is left to chance")
	flags.IntVar(&c.Rooms, "rooms", c.Rooms, "`number` of rooms with members")
	flags.IntVar(&c.Members, "members", c.Members, "`number` of members of each room")
	flags.Float64Var(&c.Rate, "rate", c.Rate, "chats a second of each member, a `number`")
	flags.IntVar(&c.SlowReaders, "slow-readers", c.SlowReaders, "`number` of clients that never read")
	flags.IntVar(&c.Flooders, "flooders", c.Flooders, "`number` of clients that send as fast as they can")
	flags.Var(&kindList{&c.FloodKinds}, "flood-kinds", "`kinds` of flooders, which take turns: "+
		strings.Join(floodKindNames[:], ", "))
	flags.Float64Var(&c.FloodRate, "flood-rate", c.FloodRate, "packets a second of each flooder, a `number`; 0: as fast "+
		"as it can")
	flags.IntVar(&c.Churners, "churners", c.Churners, "`number` of clients that come and go at a time")
	flags.Float64Var(&c.ChurnRate, "churn-rate", c.ChurnRate, fmt.Sprintf("connections a second of all churners, a "+
		"`number`; 0: as fast as they can (soak: %d)", soakChurnRate))
	flags.Int64Var(&c.Connections, "connections", c.Connections, "`number` of connections of churn")
	flags.IntVar(&c.Pairs, "pairs", c.Pairs, "`number` of pairs of rounds, quiet and hostile")
	flags.Float64Var(&c.MaxP99Ratio, "max-p99-ratio", c.MaxP99Ratio, "how many `times` that of quiet rounds members' p99 "+
		"may be with hostile clients; 0: any number")
	flags.DurationVar(&c.Round, "round", c.Round, "`time` of one round")
	flags.DurationVar(&c.WarmUp, "warm-up", c.WarmUp, "`time` before a round is measured")
	flags.DurationVar(&c.Duration, "duration", c.Duration, "`time` of soak")
	flags.StringVar(&c.CSV, "csv", c.CSV, "`file` for the samples of soak; draw reads it")
	flags.StringVar(&c.SVG, "svg", c.SVG, "`file` for the picture of soak and draw")
	return flags
}

// doorKind is a kind of door by its name.
type doorKind struct{ kind *doorclient.Kind }

func (d *doorKind) String() string {
	if d.kind == nil {
		return ""
	}
	return d.kind.String()
}

func (d *doorKind) Set(text string) (err error) {
	*d.kind, err = doorclient.ParseKind(text)
	return err
}

// kindList is a list of flood kinds, separated by commas.
type kindList struct{ kinds *[]FloodKind }

func (k *kindList) String() string {
	if k.kinds == nil {
		return ""
	}
	names := make([]string, len(*k.kinds))
	for i, kind := range *k.kinds {
		names[i] = floodKindNames[kind]
	}
	return strings.Join(names, ",")
}

func (k *kindList) Set(text string) error {
	*k.kinds = nil
	for name := range strings.SplitSeq(text, ",") {
		kind := slices.Index(floodKindNames[:], name)
		if kind < 0 {
			return errors.New("allowed is a list of " + strings.Join(floodKindNames[:], ", "))
		}
		*k.kinds = append(*k.kinds, FloodKind(kind))
	}
	return nil
}

// check says which option is out of its range. The upper bounds are what the names of clients have room for.
func (c *Config) check() error {
	for _, option := range []struct {
		name             string
		value, low, high float64
	}{
		{"rooms", float64(c.Rooms), 1, 100},
		{"members", float64(c.Members), 1, 1000},
		{"rate", c.Rate, 0.01, 1000},
		{"slow-readers", float64(c.SlowReaders), 0, 100},
		{"flooders", float64(c.Flooders), 0, 100},
		{"flood-rate", c.FloodRate, 0, 1e9},
		{"churners", float64(c.Churners), 0, 100},
		{"churn-rate", c.ChurnRate, 0, 1e9},
		{"connections", float64(c.Connections), 1, 1e9},
		{"pairs", float64(c.Pairs), 1, 1000},
		{"max-p99-ratio", c.MaxP99Ratio, 0, 1e6},
		{"round", c.Round.Seconds(), 0.001, 86400},
		{"warm-up", c.WarmUp.Seconds(), 0, 86400},
		{"duration", c.Duration.Seconds(), 0.001, 30 * 86400},
	} {
		if option.value < option.low || option.value > option.high {
			return fmt.Errorf("option --%s is %v, allowed is %v to %v", option.name, option.value, option.low, option.high)
		}
	}
	return nil
}
