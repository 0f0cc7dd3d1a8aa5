package chat

import "fmt"

// State is where a connection stands: the original's DOMAIN_STATE.
type State uint8

// The states. A connection goes NONE → LOGIN → ROOM, and back to LOGIN when it leaves its room.
const (
	StateNone State = iota
	StateLogin
	StateRoom
)

// String is the state's name in the protocol.
func (s State) String() string {
	switch s {
	case StateNone:
		return "NONE"
	case StateLogin:
		return "LOGIN"
	case StateRoom:
		return "ROOM"
	}
	return fmt.Sprintf("STATE_%d", uint8(s))
}
