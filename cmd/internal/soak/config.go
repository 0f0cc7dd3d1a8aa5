package soak

import (
	"time"

	"iocpnetlib/internal/doorclient"
)

// Config is what the scenarios are run with. Its fields are named after the options.
type Config struct {
	Server     string          // path of chatserver
	Core       string          // its --core
	Door       doorclient.Kind // through which all clients come, on a port beside the one for plain TCP
	ServerArgs []string        // its further options; they win over those that a scenario needs
	ServerEnv  []string        // variables for it
	ServerLog  string          // file for its log; empty: none
	Seed       uint64          // of everything that is left to chance

	Rooms   int     // rooms with members
	Members int     // members of each
	Rate    float64 // chats a second of each member

	SlowReaders int
	Flooders    int
	FloodKinds  []FloodKind
	FloodRate   float64 // packets a second of each flooder; 0: as fast as it can
	Churners    int
	ChurnRate   float64 // connections a second of all churners; 0: as fast as they can
	Connections int64   // of the churn scenario

	Pairs    int           // of rounds: one quiet, one with hostile clients
	Round    time.Duration // one round of a comparison
	WarmUp   time.Duration // before the first round, and after hostile clients come
	Duration time.Duration // of a soak

	// MaxP99Ratio is how many times the p99 of quiet rounds the members' p99 may be with hostile clients, as the median of
	// the pairs; more is a failed check. 0: whatever it is.
	MaxP99Ratio float64

	// MemorySlack is by how many bytes the server's memory may grow for other reasons than its clients: garbage that Go
	// has not collected, and the first use of buffers.
	MemorySlack int64

	CSV, SVG string // files; empty: none
}

// DefaultConfig has the defaults of chatsoak, but for the path of the server. The load is made for two cores that
// server and clients share: 400 chats a second are 8,000 notifies a second.
func DefaultConfig() Config {
	return Config{
		Core: "auto", Seed: 1,
		Rooms: 10, Members: 20, Rate: 2,
		SlowReaders: 4, Flooders: 3, FloodKinds: []FloodKind{FloodChat, FloodTiny, FloodUnknown},
		Churners: 8, Connections: 100_000,
		Pairs: 5, Round: 10 * time.Second, WarmUp: 2 * time.Second, Duration: time.Hour,
		MaxP99Ratio: 2, MemorySlack: 16 << 20,
	}
}

// soakChurnRate is the default of --churn-rate in a soak: churn as fast as it goes would take a whole core, and say
// more of the machine than of the server.
const soakChurnRate = 50

// setDefaultsOf changes the defaults to those of a scenario.
func (c *Config) setDefaultsOf(scenario string) {
	switch scenario {
	case "soak":
		c.ChurnRate = soakChurnRate
	case "slow-reader":
		// The same load in fewer rooms: 200 chats a second fill a send buffer of 256 KiB in 5 s, so that in every
		// round slow readers are disconnected.
		c.Rooms, c.Rate = 2, 10
		c.Round = 15 * time.Second
	}
}
