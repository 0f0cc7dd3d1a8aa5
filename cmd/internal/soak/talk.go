package soak

import (
	"bytes"
	"fmt"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
)

// Everybody says the same but for a number that counts the chats of one talker from 0. So a listener knows every byte
// that has to come, and notices what is lost, doubled or out of order.
const (
	numberDigits = 9 // a year of chats at 30/s
	talkFormat   = "#%0*d 안녕하세요, 여러분!"
)

// Where the variable parts are in the packets, and the size of the field of a name.
const (
	requestNumber = bridge.HeaderLength + 1
	notifyName    = bridge.HeaderLength
	nameSize      = chat.MaxUserIDLength + 1
	notifyNumber  = notifyName + nameSize + 1
)

// newChatRequest is the packet with which a talker says number 0.
func newChatRequest() []byte {
	request, err := chat.NewRoomChatRequest(fmt.Sprintf(talkFormat, numberDigits, 0))
	if err != nil {
		panic(err) // the text is this file's
	}
	return request.Append(nil)
}

// newChatNotify is the packet with which a member hears number 0 of a talker without a name.
func newChatNotify() []byte {
	message, err := chat.NewMessageField(fmt.Sprintf(talkFormat, numberDigits, 0))
	if err != nil {
		panic(err)
	}
	return (&chat.RoomChatNotify{Msg: message}).Append(nil)
}

// putNumber writes a number into a packet in place.
func putNumber(packet []byte, number int64) {
	for i := numberDigits - 1; i >= 0; i-- {
		packet[i] = byte('0' + number%10)
		number /= 10
	}
}

// A name is "m03-007" for a member, and for everybody else a role with an incarnation, "f02.000123": whoever comes
// again has another name, so an event for the one before would be noticed.

func memberName(room, index int) string { return fmt.Sprintf("m%02d-%03d", room, index) }

func strangerName(role byte, index int, incarnation int64) string {
	return fmt.Sprintf("%c%02d.%09d", role, index, incarnation)
}

// talker is somebody whom a listener has heard.
type talker struct {
	incarnation string
	next        int64 // the number that has to come
}

// hearing is what one listener has heard. It belongs to the listener's goroutine.
type hearing struct {
	talkers map[string]*talker // by name up to the dot
	want    []byte             // scratch: the notify that should have come
}

func newHearing() *hearing {
	return &hearing{talkers: make(map[string]*talker), want: newChatNotify()}
}

// heard is one notify that was right.
type heard struct {
	name   []byte // within the packet
	number int64
}

// hear checks a notify to the last byte. A talker's numbers begin with first, -1: with any; that is what a listener
// who comes in the middle needs.
func (h *hearing) hear(packet []byte, first int64) (heard, error) {
	if len(packet) != chat.RoomChatNotifySize {
		return heard{}, fmt.Errorf("a notify of %d bytes", len(packet))
	}
	field := packet[notifyName : notifyName+nameSize]
	name := field[:max(bytes.IndexByte(field, 0), 0)]
	base, incarnation, _ := bytes.Cut(name, []byte("."))
	t := h.talkers[string(base)]
	if t == nil || t.incarnation != string(incarnation) {
		if t != nil && string(incarnation) < t.incarnation {
			return heard{}, fmt.Errorf("a notify of %q, who has gone", name)
		}
		t = &talker{incarnation: string(incarnation), next: first}
		h.talkers[string(base)] = t
	}
	number, ok := parseNumber(packet[notifyNumber:])
	if !ok {
		return heard{}, fmt.Errorf("a notify of %q without a number: %q", name, packet)
	}
	if t.next >= 0 && number != t.next {
		return heard{}, fmt.Errorf("number %d of %q where %d has to come", number, name, t.next)
	}
	t.next = number + 1

	clear(h.want[notifyName : notifyName+nameSize])
	copy(h.want[notifyName:], name)
	putNumber(h.want[notifyNumber:], number)
	if !bytes.Equal(packet, h.want) {
		return heard{}, fmt.Errorf("a notify %q where %q has to come", packet, h.want)
	}
	return heard{name, number}, nil
}

func parseNumber(text []byte) (number int64, ok bool) {
	for _, digit := range text[:numberDigits] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		number = number*10 + int64(digit-'0')
	}
	return number, true
}
