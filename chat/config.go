package chat

import (
	"fmt"
	"math"
)

// The limits of a Config.
const (
	MaxMaxConnections    = 1_000_000 // what a network core can hold
	MaxMaxRooms          = 1_000_000
	MaxMaxRoomUsers      = 1_000_000
	MaxMaxUnknownPackets = 1_000_000
)

// Config is what a Server is made with. Its fields are named after the server's command line options.
type Config struct {
	MaxConnections int // connections of the network core, 1 to MaxMaxConnections
	MaxUsers       int // users logged in at a time, 1 to MaxConnections
	StartRoom      int // number of the first room; it and the last one fit 32 bits with sign
	MaxRooms       int // 1 to MaxMaxRooms
	MaxRoomUsers   int // members of one room, 1 to MaxMaxRoomUsers
	// MaxUnknownPackets is how many packets with an unknown id in a row are dropped; one more closes the connection.
	MaxUnknownPackets int
}

// DefaultConfig returns the defaults of chatserver.
func DefaultConfig() Config {
	return Config{
		MaxConnections:    1000,
		MaxUsers:          1000,
		StartRoom:         0,
		MaxRooms:          100,
		MaxRoomUsers:      100,
		MaxUnknownPackets: 100,
	}
}

// OptionError says that an option of a server has a value that is not allowed.
type OptionError struct {
	Option  string // as on the command line, without dashes
	Value   string
	Allowed string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("option --%s is %s, allowed is %s", e.Option, e.Value, e.Allowed)
}

// checkRange returns an *OptionError unless value is at least low and at most high.
func checkRange(option string, value, low, high int) error {
	if value < low || value > high {
		return &OptionError{option, fmt.Sprint(value), fmt.Sprintf("%d to %d", low, high)}
	}
	return nil
}

// Validate returns an *OptionError for the first option that is out of its range.
func (c *Config) Validate() error {
	if err := checkRange("max-connections", c.MaxConnections, 1, MaxMaxConnections); err != nil {
		return err
	}
	if c.MaxUsers < 1 || c.MaxUsers > c.MaxConnections {
		return &OptionError{"max-users", fmt.Sprint(c.MaxUsers),
			fmt.Sprintf("1 to %d, the value of --max-connections", c.MaxConnections)}
	}
	if err := checkRange("max-rooms", c.MaxRooms, 1, MaxMaxRooms); err != nil {
		return err
	}
	// Room numbers travel as i32. A range that leaves it would have rooms that no client can name.
	highest := int64(math.MaxInt32) - int64(c.MaxRooms) + 1
	if int64(c.StartRoom) < math.MinInt32 || int64(c.StartRoom) > highest {
		return &OptionError{"start-room", fmt.Sprint(c.StartRoom),
			fmt.Sprintf("%d to %d with %d rooms", math.MinInt32, highest, c.MaxRooms)}
	}
	if err := checkRange("max-room-users", c.MaxRoomUsers, 1, MaxMaxRoomUsers); err != nil {
		return err
	}
	return checkRange("max-unknown-packets", c.MaxUnknownPackets, 0, MaxMaxUnknownPackets)
}
