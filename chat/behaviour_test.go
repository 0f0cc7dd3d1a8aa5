package chat

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// The rows of the protocol's Behaviour table, in its order.

func TestLoginInNone(t *testing.T) {
	h := newHarness(t)
	id := h.connect(0)
	assert.Equal(t, "202:0", h.login(id, "앨리스"))
	assert.Equal(t, 1, h.server.Users())
	assert.Equal(t, "71", strings.TrimPrefix(h.leave(id), "210:"), "the state is LOGIN, not ROOM")
	assert.Equal(t, "207:0()", h.enter(id, 0))
}

func TestLoginWithAnIDThatIsTaken(t *testing.T) {
	h := newHarness(t)
	h.user(0, "alice")
	bob := h.connect(1)
	assert.Equal(t, "202:31", h.login(bob, "alice"))
	assert.Equal(t, "202:0", h.login(bob, "bob"), "a refused login may be followed by a better one")
	assert.Equal(t, "202:0", h.login(h.connect(2), "Alice"), "ids differ in case")
}

func TestLoginWhenTheUserTableIsFull(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxUsers = 2 })
	alice := h.user(0, "alice")
	h.user(1, "bob")
	carol := h.connect(2)
	assert.Equal(t, "202:32", h.login(carol, "carol"))
	assert.Equal(t, "202:31", h.login(carol, "alice"), "taken says more than full")
	assert.Equal(t, "202:12", h.login(carol, ""), "a bad id is bad also when all places are taken")

	h.close(alice)
	assert.Equal(t, "202:0", h.login(carol, "carol"))
}

func TestLoginWithABadID(t *testing.T) {
	for name, field := range map[string]string{
		"empty":              "",
		"empty, rubbish":     "\x00alice",
		"unterminated":       strings.Repeat("x", 21),
		"no UTF-8":           "\xff\xfe",
		"cut in a rune":      strings.Repeat("x", 19) + "\xea",
		"a line end":         "alice\n",
		"an escape sequence": "\x1b[2J",
		"DEL":                "a\x7f",
		"C1":                 "a\u009b",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			id := h.connect(0)
			packet := (&LoginRequest{}).Append(nil)
			copy(packet[5:26], field)
			h.receive(id, packet)
			assert.Equal(t, "202:12", h.take(id))
			assert.Equal(t, 0, h.server.Users())
			assert.Equal(t, "207:51()", h.enter(id, 0), "the state is still NONE")
		})
	}
}

func TestLoginDoesNotReadThePassword(t *testing.T) {
	h := newHarness(t)
	id := h.connect(0)
	packet := (&LoginRequest{UserID: name(t, "alice")}).Append(nil)
	copy(packet[26:], strings.Repeat("\xff", 21))
	h.receive(id, packet)
	assert.Equal(t, "202:0", h.take(id))
}

func TestLoginAgain(t *testing.T) {
	h := newHarness(t)
	alice := h.user(0, "alice")
	assert.Equal(t, "202:31", h.login(alice, "other"), "in LOGIN")
	assert.Equal(t, "202:31", h.login(alice, "alice"))
	assert.Equal(t, "202:31", h.login(alice, ""), "the state decides before the id does")
	assert.Equal(t, "207:0()", h.enter(alice, 0), "the state is unchanged")
	assert.Equal(t, "202:31", h.login(alice, "other"), "in ROOM")
	assert.Equal(t, "210:0", h.leave(alice), "the state is unchanged")

	h.close(alice)
	assert.Equal(t, 0, h.server.Users(), "no id is left behind")
}

func TestEnterTellsTheRival(t *testing.T) {
	h := newHarness(t)
	alice, bob, carol, dave := h.user(0, "alice"), h.user(1, "bob"), h.user(2, "carol"), h.user(3, "데이브")
	assert.Equal(t, "207:0()", h.enter(alice, 1))
	assert.Equal(t, "207:0(alice)", h.enter(bob, 1))
	assert.Equal(t, "207:0(alice)", h.enter(carol, 1))
	assert.Equal(t, "207:0()", h.enter(dave, 2), "another room")

	h.leave(alice)
	assert.Equal(t, "207:0(bob)", h.enter(alice, 1), "bob has been there longest now")
	h.leave(carol)
	h.leave(bob)
	assert.Equal(t, "207:0(alice)", h.enter(bob, 1))
	h.close(alice)
	assert.Equal(t, "207:0(bob)", h.enter(carol, 1))
	assert.Equal(t, "210:0", h.leave(dave))
	assert.Equal(t, "207:0(bob)", h.enter(dave, 1))
}

func TestEnterARoomThatDoesNotExist(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.StartRoom, c.MaxRooms = 10, 3 })
	alice := h.user(0, "alice")
	for _, number := range []int32{9, 13, 0, -1, math.MinInt32, math.MaxInt32} {
		assert.Equal(t, "207:61()", h.enter(alice, number), "%d", number)
	}
	for _, number := range []int32{10, 11, 12} {
		assert.Equal(t, "207:0()", h.enter(alice, number), "%d", number)
		assert.Equal(t, "210:0", h.leave(alice))
	}
}

func TestEnterAFullRoom(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxRoomUsers = 2 })
	alice, bob, carol := h.user(0, "alice"), h.user(1, "bob"), h.user(2, "carol")
	h.enter(alice, 5)
	h.enter(bob, 5)
	assert.Equal(t, "207:54()", h.enter(carol, 5), "no rival is told with a refusal")
	assert.Equal(t, "207:0()", h.enter(carol, 6), "the state is still LOGIN")
	h.leave(carol)

	h.leave(alice)
	assert.Equal(t, "207:0(bob)", h.enter(carol, 5), "a leave makes room")
	assert.Equal(t, "207:54()", h.enter(alice, 5))
	h.close(bob)
	assert.Equal(t, "207:0(carol)", h.enter(alice, 5), "a close makes room")
}

func TestEnterInTheWrongState(t *testing.T) {
	h := newHarness(t)
	alice := h.connect(0)
	assert.Equal(t, "207:51()", h.enter(alice, 0), "NONE")
	assert.Equal(t, "207:51()", h.enter(alice, -1), "the state decides before the room does")
	assert.Equal(t, "202:0", h.login(alice, "alice"), "the state is unchanged")

	h.enter(alice, 0)
	assert.Equal(t, "207:52()", h.enter(alice, 1), "ROOM")
	assert.Equal(t, "207:52()", h.enter(alice, 0), "the same room twice")
	assert.Equal(t, "207:52()", h.enter(alice, 1000))

	h.chat(alice, "once")
	assert.Equal(t, "215:0 216:alice(once)", h.take(alice), "the state is unchanged; what is said comes once")
	assert.Equal(t, 1, h.server.rooms.RoomByNumber(0).Count())
	assert.Equal(t, 0, h.server.rooms.RoomByNumber(1).Count())
}

func TestLeave(t *testing.T) {
	h := newHarness(t)
	alice := h.connect(0)
	assert.Equal(t, "210:71", h.leave(alice), "NONE")
	h.login(alice, "alice")
	assert.Equal(t, "210:71", h.leave(alice), "LOGIN")
	h.enter(alice, 0)
	assert.Equal(t, "210:0", h.leave(alice), "ROOM")
	assert.Equal(t, "210:71", h.leave(alice), "LOGIN again")
}

func TestChat(t *testing.T) {
	h := newHarness(t)
	alice, bob, carol := h.member(0, "Alice", 1), h.member(1, "Bob", 1), h.member(2, "Carol", 2)
	idle := h.user(3, "Dave")

	h.chat(alice, "안녕하세요!")
	h.chat(bob, "반가워요, Alice")
	assert.Equal(t, "215:0 216:Alice(안녕하세요!) 216:Bob(반가워요, Alice)", h.take(alice))
	assert.Equal(t, "216:Alice(안녕하세요!) 215:0 216:Bob(반가워요, Alice)", h.take(bob))
	assert.Empty(t, h.take(carol), "another room")
	assert.Empty(t, h.take(idle), "no room")

	h.chat(alice, "")
	assert.Equal(t, "215:0 216:Alice()", h.take(alice), "an empty text is a text")
	longest := strings.Repeat("가", 85) + "!"
	h.chat(alice, longest)
	assert.Equal(t, "215:0 216:Alice("+longest+")", h.take(alice))
}

func TestChatIsOneBroadcast(t *testing.T) {
	h := newHarness(t)
	alice := h.member(0, "alice", 1)
	for slot := 1; slot < 50; slot++ {
		h.member(slot, "user"+string(rune('A'+slot)), 1)
	}
	request, err := NewRoomChatRequest("hi")
	require.NoError(t, err)
	h.server.HandleMessage(&bridge.Message{ID: alice, Type: bridge.MessageRecv, Data: request.Append(nil)}, &h.batch)
	assert.Equal(t, 2, h.batch.Len(), "the response and one broadcast")
}

func TestChatInTheWrongState(t *testing.T) {
	h := newHarness(t)
	bob := h.member(1, "bob", 0)
	alice := h.connect(0)
	h.chat(alice, "psst")
	assert.Equal(t, "215:81", h.take(alice), "NONE")
	h.login(alice, "alice")
	h.chat(alice, "psst")
	assert.Equal(t, "215:81", h.take(alice), "LOGIN")
	h.enter(alice, 0)
	h.leave(alice)
	h.chat(alice, "psst")
	assert.Equal(t, "215:81", h.take(alice), "after a leave")
	assert.Empty(t, h.take(bob), "nobody is notified")

	h.receive(alice, badChat("\xff"))
	assert.Equal(t, "215:81", h.take(alice), "the state decides before the text does")
}

// badChat is a chat request whose field starts with raw bytes.
func badChat(raw string) []byte {
	packet := (&RoomChatRequest{}).Append(nil)
	copy(packet[5:], raw)
	return packet
}

func TestChatWithABadText(t *testing.T) {
	for name, text := range map[string]string{
		"unterminated": strings.Repeat("x", 257),
		"no UTF-8":     "hello \xff",
		"cut in rune":  strings.Repeat("x", 255) + "\xea",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			alice, bob := h.member(0, "alice", 0), h.member(1, "bob", 0)
			h.receive(alice, badChat(text))
			assert.Equal(t, "215:63", h.take(alice))
			assert.Empty(t, h.take(bob))

			h.chat(alice, "still here")
			assert.Equal(t, "215:0 216:alice(still here)", h.take(alice), "the state is unchanged")
		})
	}
}

func TestChatDoesNotPassOnWhatIsBehindTheText(t *testing.T) {
	h := newHarness(t)
	alice, bob := h.member(0, "alice", 0), h.member(1, "bob", 0)
	h.receive(alice, badChat("hi\x00the text of the user before"))
	assert.Equal(t, "215:0 216:alice(hi)", h.take(alice)) // take compares every byte
	assert.Equal(t, "216:alice(hi)", h.take(bob))
}

func TestCloseFreesEverythingBeforeTheNextPacket(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxUsers, c.MaxRoomUsers = 2, 2 })
	alice, bob := h.member(0, "alice", 3), h.member(1, "bob", 3)
	h.close(alice)

	h.chat(bob, "gone?")
	assert.Equal(t, "215:0 216:bob(gone?)", h.take(bob))
	assert.Empty(t, h.take(alice))

	again := h.connect(0)
	assert.Equal(t, "207:51()", h.enter(again, 3), "the next client of the slot is not logged in")
	h.chat(bob, "new?")
	assert.Empty(t, h.take(again), "and hears nothing of the room")
	h.take(bob)
	assert.Equal(t, "202:0", h.login(again, "alice"))
	assert.Equal(t, "207:0(bob)", h.enter(again, 3))
}

func TestAConnectionThatComesAndGoesWithoutAWord(t *testing.T) {
	h := newHarness(t)
	id := h.connect(0)
	h.close(id)
	h.connect(0)
	counters := h.server.Counters()
	assert.EqualValues(t, 2, counters.Connections)
	assert.EqualValues(t, 1, counters.Closes[bridge.ClosePeerClosed])
}
