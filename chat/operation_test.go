package chat

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// operate lets an operator do something between two batches, and keeps what is sent.
func (h *harness) operate(operation func(batch *bridge.SendBatch)) {
	operation(&h.batch)
	h.keepSent()
}

func TestKick(t *testing.T) {
	h := newHarness(t)
	alice, bob := h.member(0, "alice", 3), h.member(1, "bob", 3)
	h.take(alice)
	h.take(bob)
	h.operate(func(batch *bridge.SendBatch) {
		require.ErrorIs(t, h.server.Kick("carol", batch), ErrNoSuchUser)
		require.ErrorIs(t, h.server.Kick("\n", batch), ErrNoSuchUser)
		require.NoError(t, h.server.Kick("alice", batch))
		require.ErrorIs(t, h.server.Kick("alice", batch), ErrNoSuchUser, "she is logged out at once")
	})
	assert.Equal(t, "closed", h.take(alice))
	h.receive(alice, (&RoomLeaveRequest{}).Append(nil))
	assert.Empty(t, h.take(alice), "what still comes from her is ignored")
	h.chat(bob, "hello")
	assert.Empty(t, h.take(alice))
	lines := h.logs.FilterMessage("kicked").All()
	require.Len(t, lines, 1)
	assert.Equal(t, map[string]any{"connection": uint64(alice), "peer": "192.0.2.1:0", "user": "alice",
		"room": int32(3)}, lines[0].ContextMap())
	assert.EqualValues(t, 1, h.server.Counters().Kicks)

	h.close(alice)
	again := h.connect(0)
	assert.Equal(t, "202:0", h.login(again, "alice"), "a kick is no ban")
}

func TestAnnounce(t *testing.T) {
	h := newHarness(t)
	alice, bob := h.member(0, "alice", 3), h.member(1, "bob", 4)
	lobby, stranger := h.connect(2), h.connect(3)
	h.login(lobby, "carol")
	for _, id := range []bridge.ConnectionID{alice, bob, lobby} {
		h.take(id)
	}
	h.operate(func(batch *bridge.SendBatch) {
		receivers, err := h.server.AnnounceToAll("점검합니다", batch)
		require.NoError(t, err)
		assert.Equal(t, 3, receivers)
		receivers, err = h.server.AnnounceToRoom(4, "hello", batch)
		require.NoError(t, err)
		assert.Equal(t, 1, receivers)
		receivers, err = h.server.AnnounceToRoom(5, "nobody hears it", batch)
		require.NoError(t, err)
		assert.Zero(t, receivers)
		_, err = h.server.AnnounceToRoom(-1, "hello", batch)
		require.ErrorIs(t, err, ErrNoSuchRoom)
		_, err = h.server.AnnounceToAll("", batch)
		require.ErrorIs(t, err, ErrTextEmpty)
		_, err = h.server.AnnounceToAll(strings.Repeat("x", MaxMessageLength+1), batch)
		require.ErrorIs(t, err, ErrTextTooLong)
	})
	assert.Equal(t, "216:SERVER(점검합니다)", h.take(alice))
	assert.Equal(t, "216:SERVER(점검합니다) 216:SERVER(hello)", h.take(bob))
	assert.Equal(t, "216:SERVER(점검합니다)", h.take(lobby))
	assert.Empty(t, h.take(stranger))
	counters := h.server.Counters()
	assert.EqualValues(t, 3, counters.Announcements)
	assert.EqualValues(t, 4, counters.Sent[RoomChatNotifyID])
}

func TestNobodySpeaksInTheAnnouncersName(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Announcer = "system" })
	alice := h.connect(0)
	assert.Equal(t, "202:31", h.login(alice, "system"))
	assert.Equal(t, "202:0", h.login(alice, "SERVER"))
}

func TestReconfigure(t *testing.T) {
	h := newHarness(t)
	alice, bob, carol := h.member(0, "alice", 0), h.member(1, "bob", 0), h.connect(2)
	live := DefaultConfig().LiveConfig
	live.MaxRoomUsers, live.MaxUnknownPackets, live.MessageOfTheDay = 1, 0, "안녕하세요"
	require.NoError(t, h.server.Reconfigure(live))
	assert.Equal(t, "202:0 216:SERVER(안녕하세요)", h.login(carol, "carol"))
	assert.Equal(t, "207:54()", h.enter(carol, 0), "who is in a room that is too full now stays in it")
	h.leave(alice)
	assert.Equal(t, "207:54()", h.enter(carol, 0))
	h.leave(bob)
	assert.Equal(t, "207:0()", h.enter(carol, 0))
	h.receive(carol, unknownPacket(300))
	assert.Equal(t, "closed", h.take(carol))

	wrong := live
	wrong.MaxRoomUsers = 0
	var option *OptionError
	require.ErrorAs(t, h.server.Reconfigure(wrong), &option)
	assert.Equal(t, "max-room-users", option.Option)
	wrong = live
	wrong.MessageOfTheDay = strings.Repeat("가", 86)
	require.ErrorAs(t, h.server.Reconfigure(wrong), &option)
	assert.Equal(t, "message-of-the-day", option.Option)
}

func TestListsOfUsersAndRooms(t *testing.T) {
	h := newHarness(t)
	h.member(0, "alice", 7)
	h.member(1, "bob", 7)
	h.login(h.connect(2), "carol")
	h.member(3, "dave", 2)

	users, total := h.server.ListUsers(1, 2)
	assert.Equal(t, 4, total)
	require.Len(t, users, 2)
	room := int32(7)
	assert.Equal(t, UserInfo{ID: "bob", Connection: users[0].Connection, Peer: "192.0.2.1:1", Room: &room}, users[0])
	assert.Equal(t, "carol", users[1].ID)
	assert.Nil(t, users[1].Room)
	users, _ = h.server.ListUsers(4, 10)
	assert.Empty(t, users)

	rooms, total := h.server.ListRooms(0, 10, 1)
	assert.Equal(t, 2, total)
	assert.Equal(t, []RoomInfo{{2, 1, []string{"dave"}}, {7, 2, []string{"alice"}}}, rooms)
	rooms, total = h.server.ListRooms(1, 10, 10)
	assert.Equal(t, 2, total)
	assert.Equal(t, []RoomInfo{{7, 2, []string{"alice", "bob"}}}, rooms)
	one, err := h.server.FindRoom(7, 10)
	require.NoError(t, err)
	assert.Equal(t, rooms[0], one)
	_, err = h.server.FindRoom(100, 10)
	require.ErrorIs(t, err, ErrNoSuchRoom)
}
