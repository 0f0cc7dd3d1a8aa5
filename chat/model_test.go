package chat

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// model is the protocol's Behaviour table again, written as naively as possible.
type model struct {
	config Config
	users  map[int]*modelUser // by slot
	rooms  map[int32][]int    // slots of the members in order of entry
}

type modelUser struct {
	id   string
	room int32 // -1: none
}

// want is what every slot is sent.
type want map[int][]string

func (w want) add(slot int, text string, args ...any) {
	w[slot] = append(w[slot], fmt.Sprintf(text, args...))
}

func (m *model) login(slot int, id string, w want) {
	if m.users[slot] != nil {
		w.add(slot, "202:31")
		return
	}
	if id == "" {
		w.add(slot, "202:12")
		return
	}
	for _, user := range m.users {
		if user.id == id {
			w.add(slot, "202:31")
			return
		}
	}
	if len(m.users) == m.config.MaxUsers {
		w.add(slot, "202:32")
		return
	}
	m.users[slot] = &modelUser{id, -1}
	w.add(slot, "202:0")
}

func (m *model) enter(slot int, room int32, w want) {
	user, members := m.users[slot], m.rooms[room]
	switch {
	case user == nil:
		w.add(slot, "207:51()")
	case user.room >= 0:
		w.add(slot, "207:52()")
	case room < 0 || room >= int32(m.config.MaxRooms):
		w.add(slot, "207:61()")
	case len(members) == m.config.MaxRoomUsers:
		w.add(slot, "207:54()")
	default:
		rival := ""
		if len(members) > 0 {
			rival = m.users[members[0]].id
		}
		m.rooms[room] = append(members, slot)
		user.room = room
		w.add(slot, "207:0(%s)", rival)
	}
}

// out takes a user out of its room and reports whether it was in one.
func (m *model) out(slot int) bool {
	user := m.users[slot]
	if user == nil || user.room < 0 {
		return false
	}
	var rest []int
	for _, member := range m.rooms[user.room] {
		if member != slot {
			rest = append(rest, member)
		}
	}
	m.rooms[user.room] = rest
	user.room = -1
	return true
}

func (m *model) leave(slot int, w want) {
	if m.out(slot) {
		w.add(slot, "210:0")
	} else {
		w.add(slot, "210:71")
	}
}

func (m *model) chat(slot int, text string, w want) {
	user := m.users[slot]
	if user == nil || user.room < 0 {
		w.add(slot, "215:81")
		return
	}
	w.add(slot, "215:0")
	for _, member := range m.rooms[user.room] {
		w.add(member, "216:%s(%s)", user.id, text)
	}
}

func (m *model) gone(slot int) {
	m.out(slot)
	delete(m.users, slot)
}

func TestTheServerAgreesWithTheModel(t *testing.T) {
	const slots, steps = 9, 4000
	for seed := range uint64(25) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			h := newHarness(t, func(c *Config) {
				c.MaxConnections, c.MaxUsers, c.MaxRooms, c.MaxRoomUsers = slots, 6, 3, 3
			})
			m := &model{h.server.config(), map[int]*modelUser{}, map[int32][]int{}}
			ids := make([]bridge.ConnectionID, slots)
			var history []string
			for range steps {
				slot, w := random.IntN(slots), want{}
				id := ids[slot]
				if id == 0 {
					ids[slot] = h.connect(slot)
					history = append(history, fmt.Sprintf("%d connects", slot))
					continue
				}
				switch random.IntN(20) {
				case 0:
					history = append(history, fmt.Sprintf("%d closes", slot))
					m.gone(slot)
					h.close(id)
					ids[slot] = 0
				case 1:
					history = append(history, fmt.Sprintf("%d breaks the protocol", slot))
					m.gone(slot)
					w.add(slot, "closed")
					h.receive(id, resized((&RoomLeaveRequest{}).Append(nil), 8))
					h.chat(id, "ignored")
					for at := range ids {
						require.Equal(t, strings.Join(w[at], " "), h.take(ids[at]))
					}
					w = want{}
					h.close(id)
					ids[slot] = 0
				case 2, 3, 4, 5:
					user := []string{"", "a", "b", "c", "d", "e", "바", "사"}[random.IntN(8)]
					history = append(history, fmt.Sprintf("%d logs in as %q", slot, user))
					m.login(slot, user, w)
					request, err := NewLoginRequest(user, "pw")
					require.NoError(t, err)
					h.receive(id, request.Append(nil))
				case 6, 7, 8, 9, 10:
					room := int32(random.IntN(5) - 1)
					history = append(history, fmt.Sprintf("%d enters %d", slot, room))
					m.enter(slot, room, w)
					h.receive(id, (&RoomEnterRequest{RoomNumber: room}).Append(nil))
				case 11, 12:
					history = append(history, fmt.Sprintf("%d leaves", slot))
					m.leave(slot, w)
					h.receive(id, (&RoomLeaveRequest{}).Append(nil))
				case 13:
					history = append(history, fmt.Sprintf("%d sends something unknown", slot))
					h.receive(id, unknownPacket(300))
				default:
					text := fmt.Sprintf("말 %d", len(history))
					history = append(history, fmt.Sprintf("%d says %q", slot, text))
					m.chat(slot, text, w)
					h.chat(id, text)
				}
				for at := range ids {
					if want, got := strings.Join(w[at], " "), h.take(ids[at]); want != got {
						t.Fatalf("slot %d was sent %q instead of %q after\n%s", at, got, want,
							strings.Join(history, "\n"))
					}
				}
				require.Empty(t, h.sent, "something went to a connection that has gone")
				require.Equal(t, len(m.users), h.server.Users())
			}
		})
	}
}

func (s *Server) config() Config {
	return Config{MaxConnections: len(s.connections), MaxUsers: cap(s.users.free),
		MaxRooms: len(s.rooms.rooms), MaxRoomUsers: s.rooms.rooms[0].maxUsers}
}
