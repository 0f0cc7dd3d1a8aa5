package chat

import "iocpnetlib/bridge"

// User is one who is logged in. Users live in the UserManager's pool and are used again by later ones, so a *User is
// valid only until its holder logs out.
type User struct {
	id         UserID
	connection bridge.ConnectionID

	// The rest belongs to Room.
	room       *Room
	roomSlot   int   // index in room.members
	next, prev *User // neighbours in the order of entry
}

// ID is the id that the user logged in with.
func (u *User) ID() UserID { return u.id }

// Connection is the connection that the user logged in on.
func (u *User) Connection() bridge.ConnectionID { return u.connection }

// Room is the room that the user is in, nil if none.
func (u *User) Room() *Room { return u.room }

// State is LOGIN, or ROOM for a member of a room. The nil User of a connection without login is in NONE. The state is
// read off the room rather than kept, so the two cannot disagree.
func (u *User) State() State {
	switch {
	case u == nil:
		return StateNone
	case u.room == nil:
		return StateLogin
	default:
		return StateRoom
	}
}
