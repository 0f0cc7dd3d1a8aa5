package soak

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/numberedchat"
)

// member is one ordinary client: it chats when its time comes, and listens to everybody in its room. The crowd writes,
// the member's own goroutine reads.
type member struct {
	*client
	crowd *crowd
	room  *room
	name  string
	phase time.Duration // of its first chat, from the crowd's start

	request []byte       // the next chat
	sent    atomic.Int64 // chats

	hearing  *hearing
	digest   uint64
	answered atomic.Int64 // own chats
	heardOwn atomic.Int64
	heardAll atomic.Int64 // notifies of members of the room, the own ones among them
	leaving  atomic.Bool
}

// due is when a chat of this member has to be sent.
func (m *member) due(number int64) time.Time {
	return m.crowd.start.Add(m.phase + time.Duration(number)*m.crowd.interval)
}

// dueBefore is how many chats have to be sent before a moment.
func (m *member) dueBefore(moment time.Time) int64 {
	since := moment.Sub(m.crowd.start) - m.phase
	if since <= 0 {
		return 0
	}
	return int64((since + m.crowd.interval - 1) / m.crowd.interval)
}

// say sends the next chat.
func (m *member) say() error {
	number := m.sent.Load()
	numberedchat.PutNumber(m.request[numberedchat.RequestNumber:], number)
	m.sent.Store(number + 1) // the answer may be there before Write returns
	_ = m.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := m.conn.Write(m.request)
	m.crowd.recordLag(m.due(number))
	return err
}

// listen reads until the connection ends, and checks everything.
func (m *member) listen() {
	for {
		id, packet, err := m.next()
		if err != nil {
			if m.leaving.Load() && errors.Is(err, net.ErrClosed) {
				return
			}
			m.crowd.checks.Add("member %s was disconnected: %v", m.name, err)
			return
		}
		if err := m.take(id, packet); err != nil {
			m.crowd.checks.Add("member %s: %v", m.name, err)
			m.close() // after this nothing makes sense any more
			return
		}
	}
}

func (m *member) take(id chat.PacketID, packet []byte) error {
	switch id {
	case chat.RoomChatResponseID:
		if string(packet) != string(m.crowd.chatAnswer) {
			return fmt.Errorf("a chat was answered with %q", packet)
		}
		if m.answered.Add(1) > m.sent.Load() {
			return errors.New("an answer without a question")
		}
		return nil
	case chat.RoomChatNotifyID:
		now := time.Now()
		h, err := m.hearing.hear(packet, 0)
		if err != nil {
			return err
		}
		return m.heardTalker(h, now)
	}
	return fmt.Errorf("a packet that nobody asked for: %q", packet)
}

func (m *member) heardTalker(h heard, now time.Time) error {
	m.digest = addToDigest(m.digest, h)
	if string(h.name) == m.room.members[0].name && h.number%orderEvery == 0 &&
		!m.room.compare(h.number, m.digest) {
		return fmt.Errorf("it has heard another order than others in room %d", m.room.number)
	}
	if string(h.name) == m.name {
		if m.answered.Load() <= h.number {
			return errors.New("its chat came back before the answer to it")
		}
		due := m.due(h.number)
		m.crowd.record(due, now.Sub(due))
		m.heardOwn.Store(h.number + 1)
	}
	if h.name[0] == 'm' {
		m.heardAll.Add(1)
	}
	return nil
}
