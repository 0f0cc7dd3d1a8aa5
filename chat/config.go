package chat

import (
	"fmt"
	"math"
)

// The limits of a Config.
const (
	MaxMaxConnections    = 4_000_000 // what a network core and its doors can hold
	MaxMaxRooms          = 1_000_000
	MaxMaxRoomUsers      = 1_000_000
	MaxMaxUnknownPackets = 1_000_000
)

// Config is what a Server is made with. Its fields are named after the server's settings.
type Config struct {
	MaxConnections int // connections of the network core, 1 to MaxMaxConnections
	MaxUsers       int // users logged in at a time, 1 to MaxConnections
	StartRoom      int // number of the first room; it and the last one fit 32 bits with sign
	MaxRooms       int // 1 to MaxMaxRooms
	// Announcer is the user id that announcements come from, 1 to 20 bytes of UTF-8 without control characters. It counts
	// as logged in, so nobody else can speak in its name.
	Announcer string
	LiveConfig
}

// LiveConfig is the part of a Config that may change while the Server runs.
type LiveConfig struct {
	MaxRoomUsers int // members of one room, 1 to MaxMaxRoomUsers; who is in a fuller room stays
	// MaxUnknownPackets is how many packets with an unknown id in a row are dropped; one more closes the connection.
	MaxUnknownPackets int
	// MessageOfTheDay is what everybody hears who logs in, up to MaxMessageLength bytes of UTF-8; empty: nothing.
	MessageOfTheDay string
}

// DefaultConfig returns the defaults of chatserver.
func DefaultConfig() Config {
	return Config{
		MaxConnections: 1000,
		MaxUsers:       1000,
		StartRoom:      0,
		MaxRooms:       100,
		Announcer:      "SERVER",
		LiveConfig:     LiveConfig{MaxRoomUsers: 100, MaxUnknownPackets: 100},
	}
}

// OptionError says that a setting of a server has a value that is not allowed.
type OptionError struct {
	Option  string // in kebab case
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
	if _, err := NewUserID(c.Announcer); err != nil {
		return &OptionError{"announcer", fmt.Sprintf("%q", c.Announcer),
			fmt.Sprintf("a user id, 1 to %d bytes of UTF-8 without control characters", MaxUserIDLength)}
	}
	return c.LiveConfig.Validate()
}

// Validate returns an *OptionError for the first option that is out of its range.
func (c *LiveConfig) Validate() error {
	if err := checkRange("max-room-users", c.MaxRoomUsers, 1, MaxMaxRoomUsers); err != nil {
		return err
	}
	if _, err := NewMessageField(c.MessageOfTheDay); err != nil {
		return &OptionError{"message-of-the-day", fmt.Sprintf("%q", c.MessageOfTheDay),
			fmt.Sprintf("a text of up to %d bytes of UTF-8", MaxMessageLength)}
	}
	return checkRange("max-unknown-packets", c.MaxUnknownPackets, 0, MaxMaxUnknownPackets)
}
