package chat

// RoomManager owns the rooms, numbered from a first one without gaps. All of them exist from the start.
type RoomManager struct {
	startRoom int32
	rooms     []Room
}

// NewRoomManager makes rooms rooms for up to maxRoomUsers members each. The last room's number must fit an int32, as
// Config.Validate checks.
func NewRoomManager(startRoom int32, rooms, maxRoomUsers int) *RoomManager {
	m := &RoomManager{startRoom: startRoom, rooms: make([]Room, rooms)}
	for i := range m.rooms {
		m.rooms[i] = Room{number: startRoom + int32(i), maxUsers: maxRoomUsers}
	}
	return m
}

// RoomByNumber is the room with a number, nil if there is none.
func (m *RoomManager) RoomByNumber(number int32) *Room {
	// The number is the client's: the difference of two int32 may not fit an int32.
	index := int64(number) - int64(m.startRoom)
	if index < 0 || index >= int64(len(m.rooms)) {
		return nil
	}
	return &m.rooms[index]
}

// EnterUser lets a user into a room. With ResultNone comes the id of the member who had been there longest, empty if
// the room was empty. ResultRoomInvalidIndex: no such room. ResultEnterRoomFullUser: no place in it.
func (m *RoomManager) EnterUser(number int32, user *User) (rival UserID, result ErrorCode) {
	room := m.RoomByNumber(number)
	if room == nil {
		return UserID{}, ResultRoomInvalidIndex
	}
	longest := room.Longest()
	if result := room.EnterUser(user); result != ResultNone {
		return UserID{}, result
	}
	if longest != nil {
		rival = longest.id
	}
	return rival, ResultNone
}

// SetMaxRoomUsers changes how many members a room takes. Who is in a fuller one stays.
func (m *RoomManager) SetMaxRoomUsers(maxRoomUsers int) {
	for i := range m.rooms {
		m.rooms[i].maxUsers = maxRoomUsers
	}
}
