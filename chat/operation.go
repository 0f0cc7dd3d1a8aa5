package chat

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

// What an operator does to a running server. All of it belongs to the logic loop.

// What an operation can be refused for.
var (
	ErrNoSuchUser = errors.New("no such user is logged in")
	ErrNoSuchRoom = errors.New("there is no such room")
)

// Kick logs a user out and closes the connection, after what is queued for it. The error wraps ErrNoSuchUser.
func (s *Server) Kick(user string, batch *bridge.SendBatch) error {
	id, err := NewUserID(user)
	if err != nil {
		return fmt.Errorf("%q: %w", user, ErrNoSuchUser)
	}
	kicked := s.users.UserByID(id)
	if kicked == nil {
		return fmt.Errorf("%q: %w", user, ErrNoSuchUser)
	}
	c := s.connections.find(kicked.Connection())
	s.counters.Kicks++
	s.logger.Info("kicked", s.packets.fields(c)...)
	s.packets.expel(c, batch)
	return nil
}

// AnnounceToAll says text to everybody who is logged in, in the announcer's name, and returns to how many. The error
// wraps one of the ErrText values.
func (s *Server) AnnounceToAll(text string, batch *bridge.SendBatch) (int, error) {
	receivers := make([]bridge.ConnectionID, 0, s.users.Count())
	for user := range s.users.All() {
		receivers = append(receivers, user.Connection())
	}
	return len(receivers), s.announce(text, receivers, batch)
}

// AnnounceToRoom says text to the members of a room. The error wraps ErrNoSuchRoom or one of the ErrText values.
func (s *Server) AnnounceToRoom(number int32, text string, batch *bridge.SendBatch) (int, error) {
	room := s.rooms.RoomByNumber(number)
	if room == nil {
		return 0, fmt.Errorf("room %d: %w", number, ErrNoSuchRoom)
	}
	return room.Count(), s.announce(text, room.connections, batch)
}

func (s *Server) announce(text string, receivers []bridge.ConnectionID, batch *bridge.SendBatch) error {
	if text == "" {
		return ErrTextEmpty
	}
	field, err := NewMessageField(text)
	if err != nil {
		return err
	}
	s.counters.Announcements++
	s.counters.Sent[RoomChatNotifyID] += uint64(len(receivers))
	s.logger.Info("announced", zap.String("text", text), zap.Int("receivers", len(receivers)))
	if len(receivers) > 0 {
		notify := RoomChatNotify{UserID: s.packets.announcer.Field(), Msg: field}
		batch.Broadcast(receivers, notify.Append(nil))
	}
	return nil
}

// UserInfo is a user as an operator sees it.
type UserInfo struct {
	ID         string              `json:"id"`
	Connection bridge.ConnectionID `json:"connection,string"`
	Peer       string              `json:"peer"` // address and port
	Room       *int32              `json:"room"` // nil: in none
}

// ListUsers lists up to limit users in the order of their connections' slots, after the first offset ones, and tells how
// many there are.
func (s *Server) ListUsers(offset, limit int) (users []UserInfo, total int) {
	users = make([]UserInfo, 0, max(min(limit, s.users.Count()-offset), 0))
	for user := range s.users.All() {
		if offset > 0 {
			offset--
			continue
		}
		if len(users) == limit {
			break
		}
		users = append(users, s.userInfo(user))
	}
	return users, s.users.Count()
}

func (s *Server) userInfo(user *User) UserInfo {
	info := UserInfo{ID: user.ID().String(), Connection: user.Connection()}
	if c := s.connections.find(user.Connection()); c != nil {
		info.Peer = c.peer
	}
	if room := user.Room(); room != nil {
		number := room.Number()
		info.Room = &number
	}
	return info
}

// RoomInfo is a room as an operator sees it.
type RoomInfo struct {
	Number  int32    `json:"number"`
	Count   int      `json:"count"`
	Members []string `json:"members"` // in the order of entry; no more than were asked for
}

// ListRooms lists up to limit rooms that have members, with up to members names each, after the first offset ones, and tells
// how many there are.
func (s *Server) ListRooms(offset, limit, members int) (rooms []RoomInfo, total int) {
	rooms = []RoomInfo{}
	for i := range s.rooms.rooms {
		room := &s.rooms.rooms[i]
		if room.Count() == 0 {
			continue
		}
		total++
		if total > offset && len(rooms) < limit {
			rooms = append(rooms, room.info(members))
		}
	}
	return rooms, total
}

// Occupancy tells how many rooms have members, and how many members all of them have.
func (s *Server) Occupancy() (rooms, members int) {
	for i := range s.rooms.rooms {
		if count := s.rooms.rooms[i].Count(); count > 0 {
			rooms++
			members += count
		}
	}
	return rooms, members
}

// FindRoom tells of one room, with up to members names. The error wraps ErrNoSuchRoom.
func (s *Server) FindRoom(number int32, members int) (RoomInfo, error) {
	room := s.rooms.RoomByNumber(number)
	if room == nil {
		return RoomInfo{}, fmt.Errorf("room %d: %w", number, ErrNoSuchRoom)
	}
	return room.info(members), nil
}

func (r *Room) info(members int) RoomInfo {
	info := RoomInfo{Number: r.number, Count: r.Count(), Members: make([]string, 0, min(r.Count(), members))}
	for user := r.first; user != nil && len(info.Members) < members; user = user.next {
		info.Members = append(info.Members, user.ID().String())
	}
	return info
}
