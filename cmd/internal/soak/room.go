package soak

import "sync"

// orderEvery is how many chats of its first member lie between two comparisons of a room.
const orderEvery = 8

// room compares what its members have heard: all have to hear all talkers in the same order.
type room struct {
	number  int
	members []*member

	mutex       sync.Mutex
	checkpoints map[int64]*checkpoint // by the number of a chat of the first member
}

// checkpoint is a digest of everything that was heard up to one chat.
type checkpoint struct {
	digest uint64
	heard  int // by how many members
}

// compare reports whether the members that were here before had the same digest.
func (r *room) compare(number int64, digest uint64) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	c := r.checkpoints[number]
	if c == nil {
		c = &checkpoint{digest: digest}
		r.checkpoints[number] = c
	}
	if c.heard++; c.heard == len(r.members) {
		delete(r.checkpoints, number)
	}
	return c.digest == digest
}

// addToDigest is FNV-1a over the talker's name and the number.
func addToDigest(digest uint64, h heard) uint64 {
	const prime = 1099511628211
	for _, b := range h.name {
		digest = (digest ^ uint64(b)) * prime
	}
	return (digest ^ uint64(h.number)) * prime
}
