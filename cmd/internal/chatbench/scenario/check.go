package scenario

import (
	"fmt"
	"math"
	"time"
)

// Bounds of what a scenario may ask for.
const (
	// MinSize is the size of the smallest packet of an echo: a header and a number that no other packet has.
	MinSize = 13

	maxInFlight      = 10_000
	maxInFlightBytes = 256 << 10 // of a connection: what a server keeps for a client that does not read meanwhile
	maxRate          = 10_000_000
	maxPeople        = 100_000 // members of all rooms
	maxMixedPeople   = 9_999
)

// Check says which value is out of its range, by its key.
func (s *Scenario) Check() error {
	if s.Name == "" {
		return fmt.Errorf("name is missing")
	}
	switch s.Workload {
	case Echo, Room, Mixed, Idle:
	case "":
		return fmt.Errorf("workload is missing; there are echo, room, mixed and idle")
	default:
		return fmt.Errorf("workload is %q; there are echo, room, mixed and idle", s.Workload)
	}
	if s.Warmup.Duration < 0 || s.Warmup.Duration > 10*time.Minute {
		return fmt.Errorf("warmup is %v, allowed is 0s to 10m", s.Warmup)
	}
	if s.Duration.Duration < 10*time.Millisecond || s.Duration.Duration > 24*time.Hour {
		return fmt.Errorf("duration is %v, allowed is 10ms to 24h", s.Duration)
	}
	for _, value := range s.ranges() {
		if !value.has(value.value) { // NaN is in no range
			return fmt.Errorf("%s is %v, allowed is %v to %v", value.key, value.value, value.low, value.high)
		}
	}
	return s.checkTogether()
}

// valueRange is the range of the value of a key.
type valueRange struct {
	key              string
	value, low, high float64
}

func (r *valueRange) has(value float64) bool { return value >= r.low && value <= r.high }

// ranges are the ranges of what the workload reads.
func (s *Scenario) ranges() []valueRange {
	inFlight := valueRange{"in_flight", float64(s.InFlight), 1, maxInFlight}
	if s.Rate > 0 {
		inFlight.low = 0 // nobody reads it
	}
	rate := valueRange{"rate", s.Rate, 0, maxRate}
	rooms := []valueRange{
		{"rooms", float64(s.Rooms), 1, 9_999},
		{"members", float64(s.Members), 1, 9_999},
		{"first_room", float64(s.FirstRoom), math.MinInt32, math.MaxInt32 - 9_999},
	}
	switch s.Workload {
	case Echo:
		return []valueRange{{"connections", float64(s.Connections), 1, maxPeople}, rate, inFlight,
			{"size", float64(s.Size), MinSize, math.MaxUint16}}
	case Room:
		return append(rooms, rate, inFlight)
	case Mixed:
		rate.low = 0.001
		return append(rooms, rate, valueRange{"move_share", s.MoveShare, 0, 1},
			valueRange{"reconnect_share", s.ReconnectShare, 0, 1})
	}
	inFlight.low, inFlight.high = 0, 1
	return []valueRange{{"connections", float64(s.Connections), 1, 1_000_000}, inFlight,
		{"size", float64(s.Size), MinSize, math.MaxUint16}}
}

// checkTogether checks what several keys decide together.
func (s *Scenario) checkTogether() error {
	switch s.Workload {
	case Echo:
		if s.Rate == 0 && s.InFlight*s.Size > maxInFlightBytes {
			return fmt.Errorf("in_flight × size is %d bytes, allowed is up to %d", s.InFlight*s.Size, maxInFlightBytes)
		}
	case Room:
		if s.Rooms*s.Members > maxPeople {
			return fmt.Errorf("rooms × members is %d, allowed is up to %d", s.Rooms*s.Members, maxPeople)
		}
	case Mixed:
		if s.Rooms*s.Members > maxMixedPeople {
			return fmt.Errorf("rooms × members is %d, allowed in mixed is up to %d", s.Rooms*s.Members, maxMixedPeople)
		}
		if s.MoveShare+s.ReconnectShare > 1 {
			return fmt.Errorf("move_share + reconnect_share is %v, allowed is up to 1", s.MoveShare+s.ReconnectShare)
		}
	}
	return nil
}

// Relevant is a copy without what the workload does not read.
func (s *Scenario) Relevant() *Scenario {
	r := *s
	if s.Workload == Echo || s.Workload == Idle {
		r.Rooms, r.Members, r.FirstRoom = 0, 0, 0
	} else {
		r.Connections, r.Size = 0, 0
	}
	if s.Workload != Mixed {
		r.MoveShare, r.ReconnectShare, r.Seed = 0, 0, 0
	}
	if s.OpenLoop() {
		r.InFlight = 0
	}
	if s.Workload == Idle {
		r.Rate = 0
	}
	return &r
}

// OpenLoop tells whether the clients send on a fixed schedule.
func (s *Scenario) OpenLoop() bool { return s.Rate > 0 && s.Workload != Idle }

// Clients is how many clients there are at a time.
func (s *Scenario) Clients() int {
	if s.Workload == Room || s.Workload == Mixed {
		return s.Rooms * s.Members
	}
	return s.Connections
}
