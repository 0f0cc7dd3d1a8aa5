// Package scenario reads what a run of chatbench does from a TOML file.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Workload is what the clients do.
type Workload string

// The workloads.
const (
	Echo  Workload = "echo"  // packets to a server that sends them back
	Room  Workload = "room"  // members of chat rooms talk
	Mixed Workload = "mixed" // members talk, change rooms and reconnect
	Idle  Workload = "idle"  // clients that are connected, and do nothing
)

// Scenario is what a run does. Its fields are named after the keys of the file, where they have the same units.
type Scenario struct {
	Name     string   `toml:"name" json:"name"`
	Workload Workload `toml:"workload" json:"workload"`

	Connections int `toml:"connections" json:"connections,omitempty"` // echo, idle
	// InFlight is how many packets of a connection (echo) or chats of a room (room) wait for their answer at a time in
	// a closed loop. Idle clients send one packet (1) before they are idle, or none (0).
	InFlight int `toml:"in_flight" json:"in_flight"`
	// Rate is the number of packets (echo), chats (room) or actions (mixed) a second of all clients together, sent on
	// a fixed schedule. 0 is a closed loop: whatever is answered is followed by the next.
	Rate float64 `toml:"rate" json:"rate"`
	Size int     `toml:"size" json:"size,omitempty"` // echo, idle: bytes of a packet, header included

	Rooms     int `toml:"rooms" json:"rooms,omitempty"`           // room, mixed
	Members   int `toml:"members" json:"members,omitempty"`       // room, mixed: of each room, at the start
	FirstRoom int `toml:"first_room" json:"first_room,omitempty"` // room, mixed: the server's --start-room

	MoveShare      float64 `toml:"move_share" json:"move_share,omitempty"`           // mixed: of the actions, 0 to 1
	ReconnectShare float64 `toml:"reconnect_share" json:"reconnect_share,omitempty"` // mixed: of the actions, 0 to 1
	Seed           uint64  `toml:"seed" json:"seed,omitempty"`                       // mixed: of what is left to chance

	Warmup   Duration `toml:"warmup" json:"warmup"`     // before the measured time
	Duration Duration `toml:"duration" json:"duration"` // the measured time
}

// Duration is a time as a file has it: "1500ms", "5s".
type Duration struct{ time.Duration }

// UnmarshalText reads a time.
func (d *Duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no time such as \"1500ms\" or \"5s\"", text)
	}
	d.Duration = value
	return nil
}

// MarshalText writes a time.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Read reads the scenario of a file. Keys that the file leaves out have their defaults. The values are not checked
// yet: Check does that, after the command line has changed some. The error names the file, and the line where one is
// wrong.
func Read(path string) (*Scenario, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s%w", path, err)
	}
	return s, nil
}

// Parse is Read for the content of a file. The error begins with ":LINE: " or ": ".
func Parse(content []byte) (*Scenario, error) {
	s := &Scenario{Size: 64, Seed: 1, MoveShare: 0.1, ReconnectShare: 0.05,
		Warmup: Duration{time.Second}, Duration: Duration{5 * time.Second}}
	err := toml.NewDecoder(bytes.NewReader(content)).DisallowUnknownFields().Decode(s)
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := &unknown.Errors[0]
		line, _ := first.Position()
		return nil, fmt.Errorf(":%d: there is no key %q", line, joined(first.Key()))
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := wrong.Position()
		if key := joined(wrong.Key()); key != "" {
			return nil, fmt.Errorf(":%d: key %q: %w", line, key, err)
		}
		return nil, fmt.Errorf(":%d: %w", line, err)
	}
	if err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	return s, nil
}

func joined(key toml.Key) string {
	var text []byte
	for i, part := range key {
		if i > 0 {
			text = append(text, '.')
		}
		text = append(text, part...)
	}
	return string(text)
}
