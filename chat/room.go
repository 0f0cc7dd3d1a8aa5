package chat

import "iocpnetlib/bridge"

// Room is one chat room. Its members are kept twice: in no order in two slices that run in parallel, so that a
// broadcast takes all connections as one piece and a leave moves one member at most, and in order of entry in a list
// through the users, whose head is the rival that the next one to enter is told. Everything takes constant time,
// whatever the number of members.
type Room struct {
	number   int32
	maxUsers int

	members     []*User
	connections []bridge.ConnectionID

	first, last *User // the list in order of entry
}

// Number is the number by which clients know the room.
func (r *Room) Number() int32 { return r.number }

// Count is the number of members.
func (r *Room) Count() int { return len(r.members) }

// Longest is the member who has been in the room longest, nil if the room is empty.
func (r *Room) Longest() *User { return r.first }

// EnterUser lets a user in who is in no room. It returns ResultEnterRoomFullUser if there is no place.
func (r *Room) EnterUser(user *User) ErrorCode {
	if user.room != nil {
		return ResultEnterRoomInvalidUserStatus
	}
	if len(r.members) >= r.maxUsers {
		return ResultEnterRoomFullUser
	}
	user.room = r
	user.roomSlot = len(r.members)
	r.members = append(r.members, user)
	r.connections = append(r.connections, user.connection)

	user.prev, user.next = r.last, nil
	if r.last != nil {
		r.last.next = user
	} else {
		r.first = user
	}
	r.last = user
	return ResultNone
}

// LeaveUser takes a member out. It does nothing for a user who is not in this room.
func (r *Room) LeaveUser(user *User) {
	if user.room != r {
		return
	}
	end := len(r.members) - 1
	moved := r.members[end]
	r.members[user.roomSlot] = moved
	r.connections[user.roomSlot] = r.connections[end]
	moved.roomSlot = user.roomSlot
	r.members[end] = nil
	r.members = r.members[:end]
	r.connections = r.connections[:end]

	if user.prev != nil {
		user.prev.next = user.next
	} else {
		r.first = user.next
	}
	if user.next != nil {
		user.next.prev = user.prev
	} else {
		r.last = user.prev
	}
	user.room, user.roomSlot, user.prev, user.next = nil, 0, nil, nil
}

// SendToAllUser queues a packet for every member, the sender of a chat included: one operation. The batch copies the
// packet.
func (r *Room) SendToAllUser(packet []byte, batch *bridge.SendBatch) {
	batch.Broadcast(r.connections, packet)
}
