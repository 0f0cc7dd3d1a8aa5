package chat

import (
	"fmt"

	"iocpnetlib/bridge"
)

// Violation is a way for a client to break the protocol that this package finds. A network core finds the broken
// packet lengths; see bridge.CloseReason.
type Violation uint8

// The violations. ViolationCount is how many there are.
const (
	ViolationPacketSize     Violation = iota // a known id with the wrong size
	ViolationUnknownPackets                  // too many packets with an unknown id in a row
	ViolationCount
)

var violationNames = [ViolationCount]string{"packet_size", "unknown_packets"}

// String is the violation's name in snake case, as logs and metrics show it.
func (v Violation) String() string {
	if v < ViolationCount {
		return violationNames[v]
	}
	return fmt.Sprintf("violation_%d", uint8(v))
}

// Ignored is a reason for which a packet is not looked at.
type Ignored uint8

// The reasons. IgnoredCount is how many there are.
const (
	IgnoredAfterViolation Ignored = iota // its connection broke the protocol before
	IgnoredNoConnection                  // its connection is not there any more
	IgnoredCount
)

var ignoredNames = [IgnoredCount]string{"after_violation", "no_connection"}

// String is the reason's name in snake case, as logs and metrics show it.
func (i Ignored) String() string {
	if i < IgnoredCount {
		return ignoredNames[i]
	}
	return fmt.Sprintf("ignored_%d", uint8(i))
}

// Counters tell what a Server has done since it was made. They belong to the logic loop.
type Counters struct {
	Connections uint64
	Closes      [bridge.CloseReasonCount]uint64 // by reason; a reason of the future counts as CloseNone

	Packets        [MaxPacketID + 1]uint64 // requests handled, by id
	Sent           [MaxPacketID + 1]uint64 // packets sent, one a receiver, by id
	UnknownPackets uint64                  // dropped for an id that is no request
	IgnoredPackets [IgnoredCount]uint64    // by reason
	Violations     [ViolationCount]uint64  // by kind

	Logins        uint64
	RoomEnters    uint64
	RoomLeaves    uint64 // asked for; a close is no such leave
	Chats         uint64 // passed on to a room
	Notifications uint64 // of these chats, one a member
	Announcements uint64 // to all or to a room
	Kicks         uint64
	Refusals      [MaxErrorCode + 1]uint64 // requests answered with anything but success, by result
}
