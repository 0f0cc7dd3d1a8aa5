package soak

import (
	"bytes"
	"fmt"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/numberedchat"
)

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
	return &hearing{talkers: make(map[string]*talker), want: numberedchat.NewNotify()}
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
	field := packet[numberedchat.NotifyName : numberedchat.NotifyName+numberedchat.NameSize]
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
	number, ok := numberedchat.ParseNumber(packet[numberedchat.NotifyNumber:])
	if !ok {
		return heard{}, fmt.Errorf("a notify of %q without a number: %q", name, packet)
	}
	if t.next >= 0 && number != t.next {
		return heard{}, fmt.Errorf("number %d of %q where %d has to come", number, name, t.next)
	}
	t.next = number + 1

	clear(h.want[numberedchat.NotifyName : numberedchat.NotifyName+numberedchat.NameSize])
	copy(h.want[numberedchat.NotifyName:], name)
	numberedchat.PutNumber(h.want[numberedchat.NotifyNumber:], number)
	if !bytes.Equal(packet, h.want) {
		return heard{}, fmt.Errorf("a notify %q where %q has to come", packet, h.want)
	}
	return heard{name, number}, nil
}
