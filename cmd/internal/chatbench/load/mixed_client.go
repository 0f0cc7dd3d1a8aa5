package load

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/latency"
)

// request is one that waits for its answer.
type request struct {
	kind  chat.PacketID // of the answer
	due   moment        // when its action was due
	room  int           // that is entered, or left
	chats int64         // that the client had said before
	last  bool          // its answer finishes the action
}

// mixedClient is one client of the workload mixed.
type mixedClient struct {
	stream
	clients *mixedClients
	index   int

	mutex sync.Mutex // for what follows: the sender writes it, and the client's goroutine, too
	// What holds once the server has handled everything that was sent.
	room        int
	stay        int64 // counts the rooms that were entered
	said        int64 // chats in this stay
	incarnation int64 // counts the connections
	isAway      bool  // it reconnects, and nothing may be sent
	waiting     []request
	own         []moment // when those own chats were due that have not come back yet
	chats       int64    // of all stays

	// What belongs to the goroutine that reads.
	hearing            hearing
	heardIn            int   // the room that it is in, -1: none, as far as the answers go
	heardStay          int64 // its own stay, as far as the answers go
	ownNext            int64
	answered, ownHeard int64 // own chats of all stays
	latencies          *latency.Recorder
	inWindow           int64

	received  atomic.Int64 // packets
	lastHeard atomic.Int64 // chats of the last round that are still to come, negative
}

func newMixedClient(c *mixedClients, index int) *mixedClient {
	s := c.scenario
	m := &mixedClient{clients: c, index: index, latencies: latency.NewRecorder(c.latency), hearing: newHearing(c)}
	m.buffer = make([]byte, bufferSize(s.Clients(), chat.RoomChatNotifySize))
	return m
}

func (m *mixedClient) String() string { return fmt.Sprintf("client %d", m.index) }

// name is the name of the client's present incarnation.
func (m *mixedClient) name() string {
	return fmt.Sprintf("%s.%04d.%06d", m.clients.tag, m.index, m.incarnation)
}

// run reads until the last connection has ended, and makes the connections in between.
func (m *mixedClient) run() {
	defer m.latencies.Flush()
	err := m.live()
	if err != nil && !m.clients.stopping.cut.Load() {
		m.clients.failures.Add("%v: %v", m, err)
	}
}

func (m *mixedClient) live() error {
	for {
		if err := m.read(m); err != nil {
			return err
		}
		if !m.ending.Load() {
			return errors.New("the server has ended the connection")
		}
		if missing := m.missing(); missing > 0 {
			return fmt.Errorf("the server has ended the connection, and %d answers are missing", missing)
		}
		if m.clients.stopping.orderly.Load() {
			return nil
		}
		if err := m.reconnect(); err != nil {
			return fmt.Errorf("reconnecting: %w", err)
		}
	}
}

// missing is how many answers and own chats have not come, but for those of the present action.
func (m *mixedClient) missing() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	missing := len(m.own)
	for i := range m.waiting {
		if m.waiting[i].kind != chat.LoginResponseID && !(m.isAway && m.waiting[i].last) {
			missing++
		}
	}
	return missing
}

// reconnect makes the next connection and asks for what the sender has noted.
func (m *mixedClient) reconnect() error {
	conn, err := m.clients.dial(m.clients.dialing, m.index)
	if err != nil {
		return err
	}
	if err := m.install(conn); err != nil {
		return err
	}
	m.heardIn = -1
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.isAway = false
	_, err = conn.Write(appendEnter(appendLogin(nil, m.name()), m.clients.scenario.FirstRoom+m.room))
	return err
}

func (m *mixedClient) receive(data []byte) (used int, err error) {
	w := m.clients.window
	now := w.now()
	packets := int64(0)
	for len(data)-used >= 4 {
		rest := data[used:]
		length := int(shape(rest) & 0xffff)
		id := chat.PacketID(shape(rest) >> 16)
		if length < 5 || length > chat.RoomChatNotifySize {
			return used, fmt.Errorf("a packet of %d bytes came", length)
		}
		if len(rest) < length {
			break
		}
		if id == chat.RoomChatNotifyID {
			err = m.hear(rest[:length], now)
		} else {
			err = m.takeAnswer(id, rest[:length], now)
		}
		if err != nil {
			return used, err
		}
		used += length
		packets++
	}
	if w.has(now) {
		m.inWindow += packets
	}
	m.received.Add(packets)
	return used, nil
}

// takeAnswer checks the answer to the oldest request.
func (m *mixedClient) takeAnswer(id chat.PacketID, packet []byte, now moment) error {
	m.mutex.Lock()
	if len(m.waiting) == 0 || m.waiting[0].kind != id {
		m.mutex.Unlock()
		return fmt.Errorf("a packet that nobody asked for: %x", packet)
	}
	r := m.waiting[0]
	m.waiting = append(m.waiting[:0], m.waiting[1:]...)
	m.mutex.Unlock()
	isRight := false
	switch id {
	case chat.LoginResponseID:
		isRight = bytes.Equal(packet, loginAnswer)
		m.clients.places[r.room].Add(-1) // the server has noticed long since that the connection before has ended
	case chat.RoomChatResponseID:
		isRight = bytes.Equal(packet, chatAnswer)
		m.answered++
	case chat.RoomLeaveResponseID:
		isRight = bytes.Equal(packet, leaveAnswer) && m.ownHeard == r.chats
		m.clients.places[r.room].Add(-1)
		m.heardIn = -1
	case chat.RoomEnterResponseID:
		isRight = m.hearing.isEnterAnswer(packet, m.index)
		m.hearing.enter()
		m.heardIn, m.ownNext = r.room, 0
		m.heardStay++
	}
	if !isRight {
		return fmt.Errorf("%v: answered with %x, after %d own chats were heard", id, packet, m.ownHeard)
	}
	if r.last {
		m.finish(r.due, now)
	}
	return nil
}

// finish finishes an action.
func (m *mixedClient) finish(due, now moment) {
	if m.clients.window.has(due) {
		m.latencies.Record(time.Duration(now - due))
	}
	m.clients.open.Add(-1)
}

func (m *mixedClient) hear(packet []byte, now moment) error {
	h, err := m.hearing.hear(packet, m.heardIn)
	if err != nil {
		return err
	}
	if h.last && m.lastHeard.Add(1) > 0 {
		return errors.New("it hears more chats of the last round than there are members of its room")
	}
	if h.talker != m.index {
		return nil
	}
	if h.stay != m.heardStay || h.number != m.ownNext {
		return fmt.Errorf("its own chat %d of stay %d came where chat %d of stay %d has to come", h.number, h.stay,
			m.ownNext, m.heardStay)
	}
	if m.answered <= m.ownHeard {
		return fmt.Errorf("its chat %d of stay %d came back before the answer to it", h.number, h.stay)
	}
	m.ownNext++
	m.ownHeard++
	m.mutex.Lock()
	due := m.own[0] // it is there: nobody else says the number that has to come next
	m.own = append(m.own[:0], m.own[1:]...)
	m.mutex.Unlock()
	m.finish(due, now)
	return nil
}
