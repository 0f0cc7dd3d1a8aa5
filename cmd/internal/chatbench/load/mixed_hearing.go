package load

import (
	"bytes"
	"fmt"
	"strings"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/numberedchat"
)

// What clients of the workload mixed say: in which room and which stay of theirs, how many they have said there, and
// whether that is the last round. So a listener knows every byte that has to come.
const (
	mixedText  = "room %04d stay %06d chat %06d%c 안녕하세요!"
	roomDigits = 4
	stayDigits = 6
	saidDigits = 6
	mostSaid   = 999_999
)

// Where the variable parts are in a chat's text and in a name.
const (
	roomAt = len("room ")
	stayAt = roomAt + roomDigits + len(" stay ")
	saidAt = stayAt + stayDigits + len(" chat ")
	lastAt = saidAt + saidDigits

	clientAt          = 5 // behind the tag and a dot
	clientDigits      = 4
	incarnationAt     = clientAt + clientDigits + 1
	incarnationDigits = 6
)

const (
	notLast = '.' // in place of lastAt
	isLast  = '!'
)

// mixedMessage is the text of a chat with any numbers.
func mixedMessage() string { return fmt.Sprintf(mixedText, 0, 0, 0, notLast) }

// heard is one notify that was right.
type heard struct {
	talker       int
	stay, number int64
	last         bool
}

// talkerState is what a listener has heard last of a talker since it came in.
type talkerState struct{ incarnation, stay, number int64 }

// hearing is what one listener has heard. It belongs to the listener's goroutine.
type hearing struct {
	tag     string
	count   int                 // clients
	hasCome bool                // into a room where others may have talked before
	talkers map[int]talkerState // by client
	want    []byte              // the notify that should have come
}

func newHearing(c *mixedClients) hearing {
	message, err := chat.NewMessageField(mixedMessage())
	if err != nil {
		panic(err) // the text is this file's
	}
	name, err := chat.NewNameField(c.tag + ".0000.000000")
	if err != nil {
		panic(err)
	}
	return hearing{tag: c.tag, count: c.scenario.Clients(), talkers: make(map[int]talkerState),
		want: (&chat.RoomChatNotify{UserID: name, Msg: message}).Append(nil)}
}

// enter forgets who was heard in another room.
func (h *hearing) enter() {
	h.hasCome = true
	clear(h.talkers)
}

// hear checks a notify to the last byte, heard by somebody in this room, -1: in none.
//
// A talker who is heard for the first time may have talked before the listener came, so its number may be any, and one
// that is lost before it is not noticed. Whoever was heard before goes on with its next number, or has come in again
// and then begins with 0.
func (h *hearing) hear(packet []byte, room int) (heard, error) {
	if room < 0 {
		return heard{}, fmt.Errorf("a notify %q to somebody in no room", packet)
	}
	if len(packet) != len(h.want) {
		return heard{}, fmt.Errorf("a notify of %d bytes", len(packet))
	}
	name, text := packet[numberedchat.NotifyName:], packet[numberedchat.NotifyName+numberedchat.NameSize:]
	talker := digits(name[clientAt:], clientDigits)
	incarnation := digits(name[incarnationAt:], incarnationDigits)
	stay, said := digits(text[stayAt:], stayDigits), digits(text[saidAt:], saidDigits)
	last := text[lastAt] == isLast
	if talker < 0 || talker >= h.count || incarnation < 0 || stay < 0 || said < 0 {
		return heard{}, fmt.Errorf("a notify %q, which nobody has caused", packet)
	}
	name, text = h.want[numberedchat.NotifyName:], h.want[numberedchat.NotifyName+numberedchat.NameSize:]
	putDigits(name[clientAt:], int64(talker), clientDigits)
	putDigits(name[incarnationAt:], int64(incarnation), incarnationDigits)
	putMixedChat(text, room, int64(stay), int64(said), last)
	if !bytes.Equal(packet, h.want) {
		return heard{}, fmt.Errorf("a notify %q came where %q has to come", packet, h.want)
	}
	is := talkerState{int64(incarnation), int64(stay), int64(said)}
	was, isKnown := h.talkers[talker]
	h.talkers[talker] = is
	switch {
	case !isKnown && (h.hasCome || is.number == 0):
	case isKnown && is.stay == was.stay && is.incarnation == was.incarnation && is.number == was.number+1:
	case isKnown && is.stay > was.stay && is.incarnation >= was.incarnation && is.number == 0:
	default:
		return heard{}, fmt.Errorf("of client %d, chat %d of stay %d and connection %d came after chat %d of stay %d and "+
			"connection %d", talker, is.number, is.stay, is.incarnation, was.number, was.stay, was.incarnation)
	}
	return heard{talker, is.stay, is.number, last}, nil
}

// putMixedChat writes the variable parts of a chat's text.
func putMixedChat(text []byte, room int, stay, said int64, last bool) {
	putDigits(text[roomAt:], int64(room), roomDigits)
	putDigits(text[stayAt:], stay, stayDigits)
	putDigits(text[saidAt:], said, saidDigits)
	text[lastAt] = notLast
	if last {
		text[lastAt] = isLast
	}
}

// isEnterAnswer tells whether a client was let into a room and told of nobody, or of another client.
func (h *hearing) isEnterAnswer(packet []byte, client int) bool {
	var response chat.RoomEnterResponse
	if response.Decode(packet) != nil || response.Result != chat.ResultNone {
		return false
	}
	rival, err := response.RivalUserID.Text()
	if err != nil || !bytes.Equal(packet, enterAnswer(string(rival))) {
		return false
	}
	if len(rival) == 0 {
		return true
	}
	if len(rival) != incarnationAt+incarnationDigits || !strings.HasPrefix(string(rival), h.tag+".") {
		return false
	}
	other := digits(rival[clientAt:], clientDigits)
	return other >= 0 && other < h.count && other != client && digits(rival[incarnationAt:], incarnationDigits) >= 0
}

// newMixedRequest is the packet of a chat with any numbers, and where its text begins.
func newMixedRequest() (packet, text []byte) {
	request, err := chat.NewRoomChatRequest(mixedMessage())
	if err != nil {
		panic(err)
	}
	packet = request.Append(nil)
	return packet, packet[bridge.HeaderLength:]
}
