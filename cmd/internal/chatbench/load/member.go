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
	"iocpnetlib/cmd/internal/numberedchat"
)

// member is one member of a room. Its goroutine reads; whoever finishes a chat (closed loop) or the sender (open loop)
// lets it talk.
type member struct {
	stream
	room  *chatRoom
	index int
	name  string
	field []byte // the name as it is in packets

	talking  sync.Mutex     // for what belongs to whoever lets it talk
	requests []byte         // chats to send, all but their numbers written once
	sentAt   []atomic.Int64 // moments, by number of its own chats modulo their count, a power of two; nil in an open loop
	sent     atomic.Int64   // chats

	// What belongs to the goroutine that reads.
	expect    []byte  // a notify, but for its talker and its number
	next      []int64 // the number that has to come next of each talker
	answered  int64   // own chats
	latencies *latency.Recorder
	inWindow  int64 // notifies received in the window

	received atomic.Int64 // notifies
}

func newMember(room *chatRoom, index int, name string) *member {
	s := room.clients.scenario
	m := &member{room: room, index: index, name: name, field: nameField(name), expect: numberedchat.NewNotify(),
		next: make([]int64, s.Members), latencies: latency.NewRecorder(room.clients.latency)}
	atOnce := 1
	if !s.OpenLoop() {
		atOnce = (s.InFlight + s.Members - 1) / s.Members
		m.sentAt = make([]atomic.Int64, len(room.order.places)) // as many of its own may be in flight at once
	}
	for range atOnce {
		m.requests = append(m.requests, numberedchat.NewRequest()...)
	}
	return m
}

func (m *member) String() string { return fmt.Sprintf("member %d of room %d", m.index, m.room.number) }

// say sends the member's next chats in one write.
func (m *member) say(chats int) error {
	m.talking.Lock()
	defer m.talking.Unlock()
	number, now := m.sent.Load(), int64(m.room.clients.window.now())
	for i := range chats {
		numberedchat.PutNumber(m.requests[i*chat.RoomChatRequestSize+numberedchat.RequestNumber:], number)
		if m.sentAt != nil {
			m.sentAt[number&int64(len(m.sentAt)-1)].Store(now)
		}
		number++
	}
	m.sent.Store(number) // the first may be heard before Write returns
	_, err := m.conn.Write(m.requests[:chats*chat.RoomChatRequestSize])
	return err
}

func (m *member) run() {
	defer m.latencies.Flush()
	clients := m.room.clients
	err := m.read(m)
	if err == nil {
		err = m.checkAllDone()
	}
	if err != nil && !clients.stopping.cut.Load() {
		clients.failures.Add("%v: %v", m, err)
	}
}

// checkAllDone is for a connection that the server has ended: nothing may be missing.
func (m *member) checkAllDone() error {
	select {
	case <-m.room.allFinished:
	default:
		return errors.New("the server has ended the connection")
	}
	if sent := m.sent.Load(); m.answered != sent {
		return fmt.Errorf("%d of its %d chats were answered", m.answered, sent)
	}
	return nil
}

// The beginnings of what a member receives.
var (
	chatAnswerShape = shape(chatAnswer)
	notifyShape     = shape(numberedchat.NewNotify())
)

func (m *member) receive(data []byte) (used int, err error) {
	w := m.room.clients.window
	now := w.now()
	counts := w.has(now)
	notifies, finished := int64(0), 0
	place := m.received.Load()
packets:
	for len(data)-used >= 4 {
		rest := data[used:]
		switch shape(rest) {
		case notifyShape:
			if len(rest) < chat.RoomChatNotifySize {
				break packets
			}
			last, err := m.hear(rest[:chat.RoomChatNotifySize], place+notifies, now, counts)
			if err != nil {
				return used, err
			}
			if last {
				finished++
			}
			notifies++
			used += chat.RoomChatNotifySize
		case chatAnswerShape:
			if len(rest) < chat.RoomChatResponseSize {
				break packets
			}
			if !bytes.Equal(rest[:chat.RoomChatResponseSize], chatAnswer) {
				return used, fmt.Errorf("a chat was answered with %x", rest[:chat.RoomChatResponseSize])
			}
			m.answered++
			used += chat.RoomChatResponseSize
		default:
			return used, fmt.Errorf("a packet that nobody asked for: %x", rest[:min(len(rest), chat.RoomChatNotifySize)])
		}
	}
	if counts {
		m.inWindow += notifies
	}
	m.received.Store(place + notifies)
	if finished == 0 {
		return used, nil
	}
	return used, m.room.finish(finished, now)
}

// Where a name of people.go has the number of its member, and the text behind the number of a chat begins.
const (
	nameIndexDigits = 4
	nameIndex       = numberedchat.NotifyName + 10
	notifyText      = numberedchat.NotifyName + numberedchat.NameSize
	textBehind      = numberedchat.NotifyNumber + numberedchat.Digits
)

// hear checks a notify to the last byte. last is true if this member is the last one to hear it.
func (m *member) hear(packet []byte, place int64, now moment, counts bool) (last bool, err error) {
	talker := digits(packet[nameIndex:], nameIndexDigits)
	number, isNumber := numberedchat.ParseNumber(packet[numberedchat.NotifyNumber:])
	if talker < 0 || talker >= len(m.next) || !isNumber || packet[4] != 0 ||
		!bytes.Equal(packet[numberedchat.NotifyName:notifyText], m.room.members[talker].field) ||
		!bytes.Equal(packet[notifyText:numberedchat.NotifyNumber], m.expect[notifyText:numberedchat.NotifyNumber]) ||
		!bytes.Equal(packet[textBehind:], m.expect[textBehind:]) {
		return false, fmt.Errorf("a notify %q, which nobody of its room has caused", packet)
	}
	if number != m.next[talker] {
		return false, fmt.Errorf("chat %d of member %d came where chat %d has to come", number, talker, m.next[talker])
	}
	m.next[talker]++
	if talker == m.index && m.answered <= number {
		return false, fmt.Errorf("its chat %d came back before the answer to it", number)
	}
	m.recordLatency(talker, number, now, counts)
	same, last := m.room.order.hear(place, talker, number)
	if !same {
		return false, fmt.Errorf("it has heard chat %d of member %d where others have heard another one", number, talker)
	}
	return last, nil
}

// recordLatency records how long a chat took to this member: in a closed loop from its sending, in an open loop from
// when it was due, and then those count that were due in the window.
func (m *member) recordLatency(talker int, number int64, now moment, counts bool) {
	if m.sentAt != nil {
		if counts {
			sentAt := m.room.members[talker].sentAt
			m.latencies.Record(time.Duration(int64(now) - sentAt[number&int64(len(sentAt)-1)].Load()))
		}
		return
	}
	clients := m.room.clients
	if due := clients.sender.due(m.room.number, talker, number); clients.window.has(due) {
		m.latencies.Record(time.Duration(now - due))
	}
}
