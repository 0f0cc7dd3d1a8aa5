package load

import "sync/atomic"

// chatOrder compares the orders in which the members of a room hear its chats, without a lock: the first member to
// hear the chat at a place of the order writes down which one it is, the others compare, and the last one knows that
// the chat is finished.
//
// A place is used again for a later one. That is safe because no chat behind a place is finished before the chat at
// that place is: so no member can be further ahead of another one than there are chats in flight.
type chatOrder struct {
	members int
	places  []atomic.Uint64 // 0: nobody has been here; otherwise the talker, its number, and how many have been here
}

// How a place is made up, from the lowest bit: how many have heard the chat, 14 bits; its number modulo 2^36; its
// talker, 14 bits.
const (
	heardMask   = 1<<numberShift - 1
	numberShift = 14
	numberMask  = 1<<(talkerShift-numberShift) - 1
	talkerShift = 50
)

func newChatOrder(members, inFlight int) chatOrder {
	size := 1
	for size <= inFlight {
		size *= 2
	}
	return chatOrder{members, make([]atomic.Uint64, size)}
}

// hear notes that one more member hears a chat at a place. same is false if others have heard another one there, and
// last is true for the last member.
func (o *chatOrder) hear(place int64, talker int, number int64) (same, last bool) {
	at := &o.places[place&int64(len(o.places)-1)]
	chat := uint64(talker)<<talkerShift | (uint64(number)&numberMask)<<numberShift
	now := at.Load()
	if now == 0 {
		if at.CompareAndSwap(0, chat|1) {
			return true, o.leave(at, chat|1)
		}
		now = at.Load()
	}
	if now&^heardMask != chat {
		return false, false
	}
	return true, o.leave(at, at.Add(1))
}

// leave frees a place that everybody has been at.
func (o *chatOrder) leave(at *atomic.Uint64, now uint64) (last bool) {
	if int(now&heardMask) < o.members {
		return false
	}
	at.Store(0)
	return true
}
