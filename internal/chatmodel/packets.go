package chatmodel

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// The packets of the protocol, put together by hand: whoever tests a server with them looks at bytes that the server's
// own code had no part in.

// Packet is a packet with any id.
func Packet(id uint16, body string) string {
	header := binary.LittleEndian.AppendUint16(nil, uint16(headerSize+len(body)))
	header = binary.LittleEndian.AppendUint16(header, id)
	return string(append(header, 0)) + body
}

// Text is a text in its field.
func Text(size int, text string) string { return text + strings.Repeat("\x00", size-len(text)) }

func number(bytes string) int { return int(binary.LittleEndian.Uint16([]byte(bytes))) }

func u16(value int) string { return string(binary.LittleEndian.AppendUint16(nil, uint16(value))) }

// The requests. A text may fill its field, so that it has no terminator.

// LoginRequest is LOGIN_REQUEST with some password.
func LoginRequest(user string) string { return Packet(loginID, Text(21, user)+Text(21, "password")) }

// EnterRequest is ROOM_ENTER_REQUEST.
func EnterRequest(room int32) string {
	return Packet(enterID, string(binary.LittleEndian.AppendUint32(nil, uint32(room))))
}

// LeaveRequest is ROOM_LEAVE_REQUEST.
func LeaveRequest() string { return Packet(leaveID, "") }

// ChatRequest is ROOM_CHAT_REQUEST.
func ChatRequest(message string) string { return Packet(chatID, Text(257, message)) }

// The answers.

// LoginResponse is LOGIN_RESPONSE.
func LoginResponse(result int) string { return Packet(202, u16(result)) }

// EnterResponse is ROOM_ENTER_RESPONSE.
func EnterResponse(result int, rival string) string { return Packet(207, u16(result)+Text(21, rival)) }

// LeaveResponse is ROOM_LEAVE_RESPONSE.
func LeaveResponse(result int) string { return Packet(210, u16(result)) }

// ChatResponse is ROOM_CHAT_RESPONSE.
func ChatResponse(result int) string { return Packet(215, u16(result)) }

// ChatNotify is ROOM_CHAT_NOTIFY.
func ChatNotify(user, message string) string {
	return Packet(NotifyID, Text(21, user)+Text(257, message))
}

// ID is the id of a packet.
func ID(packet string) uint16 { return uint16(number(packet[2:])) }

// First is the first of several whole packets.
func First(packets string) string { return packets[:number(packets)] }

// Result is the result in the response that packets begin with, 0 if there are none.
func Result(packets string) int {
	if packets == "" {
		return 0
	}
	return number(packets[headerSize:])
}

// NotifyUser is who has said what a ROOM_CHAT_NOTIFY tells of.
func NotifyUser(notify string) string { return trim(notify[headerSize : headerSize+21]) }

// Describe tells of the packets in bytes of a server: "202:0 207:0(bob) 216:bob(hello)".
func Describe(bytes string) string {
	var words []string
	for len(bytes) >= headerSize {
		size := number(bytes)
		if size < headerSize || size > len(bytes) {
			break
		}
		body := bytes[headerSize:size]
		switch id := ID(bytes); {
		case id == NotifyID && len(body) == 278:
			words = append(words, fmt.Sprintf("216:%s(%s)", trim(body[:21]), trim(body[21:])))
		case id == 207 && len(body) == 23:
			words = append(words, fmt.Sprintf("207:%d(%s)", number(body), trim(body[2:])))
		case len(body) == 2:
			words = append(words, fmt.Sprintf("%d:%d", id, number(body)))
		default:
			words = append(words, fmt.Sprintf("%q", bytes[:size]))
		}
		bytes = bytes[size:]
	}
	if bytes != "" {
		words = append(words, fmt.Sprintf("%q", bytes))
	}
	if words == nil {
		return "nothing"
	}
	return strings.Join(words, " ")
}

func trim(field string) string { return strings.TrimRight(field, "\x00") }
