package chat

import "iocpnetlib/bridge"

// connection is what the logic knows of a connection whether or not somebody is logged in on it.
type connection struct {
	id           bridge.ConnectionID // 0: the slot is free
	peer         string
	unknownInRow int
	closing      bool // it broke the protocol: what still comes from it is ignored
}

// connectionTable finds connections by their slot.
type connectionTable []connection

// slot is the place for id, nil if the table has none.
func (t connectionTable) slot(id bridge.ConnectionID) *connection {
	if id == 0 || id.Index() >= len(t) {
		return nil
	}
	return &t[id.Index()]
}

// find is the connection with this very id, nil if there is none: an id of an earlier connection of the slot is
// recognised.
func (t connectionTable) find(id bridge.ConnectionID) *connection {
	if c := t.slot(id); c != nil && c.id == id {
		return c
	}
	return nil
}
