// Package chatmodel is docs/protocol.md as a model: what a chat server has to send, to the byte, for whatever its
// clients send. Tests compare servers with it, so it is written as naively as possible and shares no code with them.
package chatmodel

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

const headerSize = 5

// NotifyID is the id of ROOM_CHAT_NOTIFY, the only packet that a client is sent without asking.
const NotifyID = 216

const (
	loginID = 201
	enterID = 206
	leaveID = 209
	chatID  = 214
)

// requestSizes are the sizes of all packets that a client may send.
var requestSizes = map[uint16]int{loginID: 47, enterID: 9, leaveID: 5, chatID: 262}

// Limits are the options of the server that its answers depend on.
type Limits struct {
	MaxPacketSize, MaxUsers, StartRoom, MaxRooms, MaxRoomUsers, MaxUnknownPackets int
}

// Model is the server. Its connections are named by the test, with any numbers.
type Model struct {
	limits      Limits
	connections map[int]*connection
	rooms       map[int32][]int // connections of the members in order of entry
}

type connection struct {
	unread  string // the beginning of a packet
	unknown int    // packets with an unknown id in a row
	user    string // empty in the state NONE
	inRoom  bool
	room    int32
}

// Answers are the bytes that each connection is sent.
type Answers map[int]string

// Add adds what is sent after it.
func (a Answers) Add(more Answers) {
	for at, packets := range more {
		a[at] += packets
	}
}

// New makes a server without connections.
func New(limits Limits) *Model {
	return &Model{limits, map[int]*connection{}, map[int32][]int{}}
}

// Connect is a new connection. Its number must be free.
func (m *Model) Connect(at int) { m.connections[at] = &connection{} }

// Open tells whether there is a connection: a violation of the protocol ends it, as Close does.
func (m *Model) Open(at int) bool { return m.connections[at] != nil }

// InPacket tells whether an open connection has received the beginning of a packet and not its end.
func (m *Model) InPacket(at int) bool { return m.connections[at].unread != "" }

// UnknownInRow is how many packets with an unknown id came last on an open connection.
func (m *Model) UnknownInRow(at int) int { return m.connections[at].unknown }

// User is who is logged in on an open connection, empty if nobody is.
func (m *Model) User(at int) string { return m.connections[at].user }

// InRoom tells whether an open connection is in the state ROOM.
func (m *Model) InRoom(at int) bool { return m.connections[at].inRoom }

// Room is the room of a connection in the state ROOM.
func (m *Model) Room(at int) int32 { return m.connections[at].room }

// Members are the connections of a room in order of entry.
func (m *Model) Members(room int32) []int { return m.rooms[room] }

// Users is how many users are logged in.
func (m *Model) Users() int {
	users := 0
	for _, c := range m.connections {
		if c.user != "" {
			users++
		}
	}
	return users
}

// Clone is a copy that goes its own way.
func (m *Model) Clone() *Model {
	other := New(m.limits)
	for at, c := range m.connections {
		copied := *c
		other.connections[at] = &copied
	}
	for room, members := range m.rooms {
		other.rooms[room] = append([]int(nil), members...)
	}
	return other
}

// Close ends a connection.
func (m *Model) Close(at int) {
	m.leave(at)
	delete(m.connections, at)
}

// Receive takes bytes that came on a connection, however they were cut.
func (m *Model) Receive(at int, bytes string) Answers {
	answers := Answers{}
	c := m.connections[at]
	for c.unread += bytes; m.Open(at) && len(c.unread) >= headerSize; {
		size := number(c.unread)
		if size < headerSize || size > m.limits.MaxPacketSize {
			m.Close(at)
			break
		}
		if size > len(c.unread) {
			break
		}
		packet := c.unread[:size]
		c.unread = c.unread[size:]
		m.handle(at, c, packet, answers)
	}
	return answers
}

func (m *Model) handle(at int, c *connection, packet string, answers Answers) {
	id, body := ID(packet), packet[headerSize:]
	size, known := requestSizes[id]
	if !known {
		c.unknown++
		if c.unknown > m.limits.MaxUnknownPackets {
			m.Close(at)
		}
		return
	}
	if size != len(packet) {
		m.Close(at)
		return
	}
	c.unknown = 0
	switch id {
	case loginID:
		answers[at] += LoginResponse(m.login(c, body[:21]))
	case enterID:
		result, rival := m.enter(at, c, int32(binary.LittleEndian.Uint32([]byte(body))))
		answers[at] += EnterResponse(result, rival)
	case leaveID:
		answers[at] += LeaveResponse(m.leave(at))
	case chatID:
		m.chat(at, c, body, answers)
	}
}

// text is the text of a field.
func text(field string) (text string, ok bool) {
	text, _, ok = strings.Cut(field, "\x00")
	return text, ok && utf8.ValidString(text)
}

func (m *Model) login(c *connection, field string) int {
	user, ok := text(field)
	switch {
	case c.user != "":
		return 31
	case !ok || user == "" || strings.ContainsFunc(user, unicode.IsControl):
		return 12
	}
	for _, other := range m.connections {
		if other.user == user {
			return 31
		}
	}
	if m.Users() == m.limits.MaxUsers {
		return 32
	}
	c.user = user
	return 0
}

func (m *Model) enter(at int, c *connection, room int32) (result int, rival string) {
	members := m.rooms[room]
	first, behind := int64(m.limits.StartRoom), int64(m.limits.StartRoom+m.limits.MaxRooms)
	switch {
	case c.user == "":
		return 51, ""
	case c.inRoom:
		return 52, ""
	case int64(room) < first || int64(room) >= behind:
		return 61, ""
	case len(members) == m.limits.MaxRoomUsers:
		return 54, ""
	}
	if len(members) > 0 {
		rival = m.connections[members[0]].user
	}
	m.rooms[room] = append(members, at)
	c.inRoom, c.room = true, room
	return 0, rival
}

func (m *Model) leave(at int) int {
	c := m.connections[at]
	if !c.inRoom {
		return 71
	}
	var rest []int
	for _, member := range m.rooms[c.room] {
		if member != at {
			rest = append(rest, member)
		}
	}
	m.rooms[c.room] = rest
	c.inRoom = false
	return 0
}

func (m *Model) chat(at int, c *connection, field string, answers Answers) {
	message, ok := text(field)
	switch {
	case !c.inRoom:
		answers[at] += ChatResponse(81)
	case !ok:
		answers[at] += ChatResponse(63)
	default:
		answers[at] += ChatResponse(0)
		for _, member := range m.rooms[c.room] {
			answers[member] += ChatNotify(c.user, message)
		}
	}
}
