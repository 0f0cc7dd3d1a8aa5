package main

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// Ids, sizes and results of docs/protocol.md.
const (
	loginRequestID  = 201
	loginResponseID = 202
	enterRequestID  = 206
	enterResponseID = 207
	leaveRequestID  = 209
	leaveResponseID = 210
	chatRequestID   = 214
	chatResponseID  = 215
	chatNotifyID    = 216

	nameSize          = 21
	loginRequestSize  = 47
	enterRequestSize  = 9
	enterResponseSize = 28
	leaveRequestSize  = 5
	chatRequestSize   = 262
	chatNotifySize    = 283
	responseSize      = 7

	resultNone               = 0
	resultInvalidUniqueID    = 12
	resultLoginAlready       = 31
	resultEnterNotFound      = 51
	resultEnterInvalidStatus = 52
	resultRoomInvalidIndex   = 61
	resultInvalidText        = 63
	resultLeaveInvalidRoom   = 71
	resultChatInvalidRoom    = 81

	maxRooms = 2000
)

// user is the chat's part of a client. The zero user has not logged in.
type user struct {
	id   string
	room *room
}

type room struct{ members []*client } // in the order in which they came

// chat is the chat server's service.
type chat struct {
	turn     *turn
	loggedIn map[string]*client
	rooms    [maxRooms]room
	notify   [chatNotifySize]byte // the one that is being sent
}

func newChat(t *turn) *chat { return &chat{turn: t, loggedIn: make(map[string]*client)} }

func (c *chat) handle(from *client, packet []byte) bool {
	body := packet[headerSize:]
	switch binary.LittleEndian.Uint16(packet[2:]) {
	case chatRequestID:
		if len(packet) != chatRequestSize {
			return false
		}
		c.handleChat(from, body)
	case loginRequestID:
		if len(packet) != loginRequestSize {
			return false
		}
		c.respond(from, loginResponseID, c.login(from, body[:nameSize]))
	case enterRequestID:
		if len(packet) != enterRequestSize {
			return false
		}
		c.handleEnter(from, binary.LittleEndian.Uint32(body))
	case leaveRequestID:
		if len(packet) != leaveRequestSize {
			return false
		}
		c.handleLeave(from)
	}
	return true // unknown ids are ignored
}

func (c *chat) closed(gone *client) {
	if gone.user.room != nil {
		gone.user.room.remove(gone)
	}
	if gone.user.id != "" {
		delete(c.loggedIn, gone.user.id)
	}
	gone.user = user{}
}

func (c *chat) handleChat(from *client, field []byte) {
	if from.user.room == nil {
		c.respond(from, chatResponseID, resultChatInvalidRoom)
		return
	}
	text, ok := fieldText(field)
	if !ok {
		c.respond(from, chatResponseID, resultInvalidText)
		return
	}
	c.respond(from, chatResponseID, resultNone)
	notify := c.notify[:]
	clear(notify)
	putHeader(notify, chatNotifyID)
	copy(notify[headerSize:], from.user.id)
	copy(notify[headerSize+nameSize:], text)
	for _, member := range from.user.room.members {
		c.turn.send(member, notify)
	}
}

func (c *chat) login(from *client, field []byte) uint16 {
	if from.user.id != "" {
		return resultLoginAlready
	}
	text, ok := fieldText(field)
	if !ok || len(text) == 0 || bytes.ContainsFunc(text, unicode.IsControl) {
		return resultInvalidUniqueID
	}
	id := string(text)
	if _, taken := c.loggedIn[id]; taken {
		return resultLoginAlready
	}
	c.loggedIn[id] = from
	from.user.id = id
	return resultNone
}

func (c *chat) handleEnter(from *client, number uint32) {
	var packet [enterResponseSize]byte
	putHeader(packet[:], enterResponseID)
	result := resultNone
	switch {
	case from.user.id == "":
		result = resultEnterNotFound
	case from.user.room != nil:
		result = resultEnterInvalidStatus
	case number >= maxRooms:
		result = resultRoomInvalidIndex
	default:
		entered := &c.rooms[number]
		if len(entered.members) > 0 {
			copy(packet[responseSize:], entered.members[0].user.id)
		}
		entered.members = append(entered.members, from)
		from.user.room = entered
	}
	binary.LittleEndian.PutUint16(packet[headerSize:], uint16(result))
	c.turn.send(from, packet[:])
}

func (c *chat) handleLeave(from *client) {
	if from.user.room == nil {
		c.respond(from, leaveResponseID, resultLeaveInvalidRoom)
		return
	}
	from.user.room.remove(from)
	from.user.room = nil
	c.respond(from, leaveResponseID, resultNone)
}

func (r *room) remove(member *client) {
	for i, m := range r.members {
		if m == member {
			r.members = append(r.members[:i], r.members[i+1:]...)
			return
		}
	}
}

// respond answers with a header and a result.
func (c *chat) respond(to *client, id, result uint16) {
	var packet [responseSize]byte
	putHeader(packet[:], id)
	binary.LittleEndian.PutUint16(packet[headerSize:], result)
	c.turn.send(to, packet[:])
}

// putHeader writes the header of a packet that is as long as packet.
func putHeader(packet []byte, id uint16) {
	binary.LittleEndian.PutUint16(packet, uint16(len(packet)))
	binary.LittleEndian.PutUint16(packet[2:], id)
	packet[4] = 0
}

// fieldText is the text of a field, without its terminator; false: it has none, or is not valid UTF-8.
func fieldText(field []byte) ([]byte, bool) {
	end := bytes.IndexByte(field, 0)
	if end < 0 || !utf8.Valid(field[:end]) {
		return nil, false
	}
	return field[:end], true
}
