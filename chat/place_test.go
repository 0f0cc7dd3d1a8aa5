package chat

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// Places in rooms and in the user table come back, however they were given up.

func TestEnteringAndLeavingThousandsOfTimes(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxRoomUsers = 1 })
	alice, bob := h.user(0, "alice"), h.user(1, "bob")
	for range 5000 {
		require.Equal(t, "207:0()", h.enter(alice, 0))
		require.Equal(t, "207:54()", h.enter(bob, 0))
		require.Equal(t, "210:0", h.leave(alice))
	}
	h.enter(bob, 0)
	h.chat(bob, "once")
	assert.Equal(t, "215:0 216:bob(once)", h.take(bob))
	assert.Empty(t, h.take(alice))
}

func TestComingAndGoingThousandsOfTimes(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxUsers, c.MaxRoomUsers = 1, 1 })
	for i := range 5000 {
		id := h.member(i%3, "alice", 0)
		if i%2 == 0 {
			h.leave(id)
		}
		h.close(id)
	}
	assert.Equal(t, 0, h.server.Users())
	assert.Equal(t, 0, h.server.rooms.RoomByNumber(0).Count())
	assert.Nil(t, h.server.rooms.RoomByNumber(0).Longest())
}

func TestAFullHouseLeavesAndComesBack(t *testing.T) {
	const users = 300
	h := newHarness(t, func(c *Config) { c.MaxUsers, c.MaxRoomUsers = users, users })
	for range 3 {
		var ids []bridge.ConnectionID
		for slot := range users {
			ids = append(ids, h.member(slot, fmt.Sprintf("user%d", slot), 0))
		}
		assert.Equal(t, "202:32", h.login(h.connect(users), "one too many"))
		for i, id := range ids {
			if i%3 == 0 {
				h.leave(id)
			}
		}
		require.Equal(t, users-100, h.server.rooms.RoomByNumber(0).Count())
		h.chat(ids[1], "who is left?")
		for i, id := range ids {
			want := "216:user1(who is left?)"
			switch {
			case i == 1:
				want = "215:0 " + want
			case i%3 == 0:
				want = ""
			}
			require.Equal(t, want, h.take(id))
		}
		for slot, id := range ids {
			h.close(id)
			require.Equal(t, users-1-slot, h.server.Users())
		}
		h.close(bridge.ConnectionID(uint64(h.generation)<<32 | users))
	}
}

func TestARoomKnowsItsOwnMembersOnly(t *testing.T) {
	users := NewUserManager(3, 3)
	rooms := NewRoomManager(0, 2, 3)
	var all []*User
	for slot, text := range []string{"a", "b", "c"} {
		id, err := NewUserID(text)
		require.NoError(t, err)
		connection := bridge.ConnectionID(1<<32 | slot)
		require.Equal(t, ResultNone, users.AddUser(id, connection))
		all = append(all, users.UserByID(id))
		require.Same(t, all[slot], users.UserByConnection(connection))
		require.Equal(t, connection, all[slot].Connection())
	}
	first, second := rooms.RoomByNumber(0), rooms.RoomByNumber(1)
	require.Equal(t, ResultNone, first.EnterUser(all[0]))
	assert.Equal(t, ResultEnterRoomInvalidUserStatus, first.EnterUser(all[0]))
	assert.Equal(t, ResultEnterRoomInvalidUserStatus, second.EnterUser(all[0]))
	second.LeaveUser(all[0])
	second.LeaveUser(all[1])
	assert.Equal(t, 1, first.Count())
	assert.Equal(t, 0, second.Count())
	assert.Same(t, first, all[0].Room())

	id, err := NewUserID("d")
	require.NoError(t, err)
	assert.Equal(t, ResultLoginUserAlready, users.AddUser(id, all[0].Connection()), "one user a connection")
}

// A server that allocates for each message would give the garbage collector work in proportion to its load.
func TestHandlingPacketsDoesNotAllocate(t *testing.T) {
	h := newHarness(t)
	alice := h.connect(0)
	for slot := 1; slot < 20; slot++ {
		h.member(slot, fmt.Sprintf("user%d", slot), 0)
	}
	login, err := NewLoginRequest("alice", "pw")
	require.NoError(t, err)
	chat, err := NewRoomChatRequest("안녕하세요!")
	require.NoError(t, err)
	packets := [][]byte{
		login.Append(nil),
		login.Append(nil), // refused
		(&RoomEnterRequest{}).Append(nil),
		chat.Append(nil),
		badChat("\xff"),
		unknownPacket(300),
		(&RoomLeaveRequest{}).Append(nil),
		(&RoomLeaveRequest{}).Append(nil), // refused
	}
	var message bridge.Message
	visit := func() {
		for _, packet := range packets {
			message = bridge.Message{ID: alice, Type: bridge.MessageRecv, Data: packet}
			h.server.HandleMessage(&message, &h.batch)
		}
		h.server.packets.ClearConnectionInfo(alice) // so that the next visit can log in
		h.batch.Reset()
	}
	visit()
	assert.Zero(t, testing.AllocsPerRun(1000, visit))
	assert.NotZero(t, h.server.Counters().Notifications)
}
