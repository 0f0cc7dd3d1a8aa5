package chat

import (
	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

// handler handles one packet of a connection. It returns an error, and has done nothing, if the packet has not the
// size of its id. The packet is valid during the call only.
type handler func(m *PacketManager, c *connection, packet []byte, batch *bridge.SendBatch) error

// PacketManager handles what clients ask for, through a table of handlers by packet id.
type PacketManager struct {
	handlers          [MaxPacketID + 1]handler
	users             *UserManager
	rooms             *RoomManager
	maxUnknownPackets int
	greeting          MessageField // the message of the day
	hasGreeting       bool
	announcer         UserID // of announcements and the greeting
	counters          *Counters
	logger            *zap.Logger

	scratch []byte // for encoding answers; what is sent is copied by the batch
}

// newPacketManager makes a manager for a config that was found to be valid.
func newPacketManager(users *UserManager, rooms *RoomManager, config *Config, counters *Counters,
	logger *zap.Logger) *PacketManager {
	m := &PacketManager{
		users:    users,
		rooms:    rooms,
		counters: counters,
		logger:   logger,
		scratch:  make([]byte, 0, RoomChatNotifySize),
	}
	m.announcer, _ = NewUserID(config.Announcer) // validated
	m.reconfigure(&config.LiveConfig)
	m.handlers[LoginRequestID] = (*PacketManager).processLogin
	m.handlers[RoomEnterRequestID] = (*PacketManager).processEnterRoom
	m.handlers[RoomLeaveRequestID] = (*PacketManager).processLeaveRoom
	m.handlers[RoomChatRequestID] = (*PacketManager).processRoomChatMessage
	return m
}

func (m *PacketManager) reconfigure(config *LiveConfig) {
	m.maxUnknownPackets = config.MaxUnknownPackets
	m.greeting, _ = NewMessageField(config.MessageOfTheDay) // validated
	m.hasGreeting = config.MessageOfTheDay != ""
}

// ProcessRecvPacket handles one packet of a connection that is not closing. The ids of the server's own packets are no
// requests, so a client that sends them is treated as if it sent any other unknown id.
func (m *PacketManager) ProcessRecvPacket(c *connection, packet []byte, batch *bridge.SendBatch) {
	header, err := DecodeHeader(packet)
	if err != nil {
		m.violate(c, ViolationPacketSize, 0, packet, batch) // the core lets no such packet through
		return
	}
	var handle handler
	if header.ID <= MaxPacketID {
		handle = m.handlers[header.ID]
	}
	if handle == nil {
		m.counters.UnknownPackets++
		c.unknownInRow++
		if c.unknownInRow > m.maxUnknownPackets {
			m.violate(c, ViolationUnknownPackets, header.ID, packet, batch)
		}
		return
	}
	c.unknownInRow = 0
	if err := handle(m, c, packet, batch); err != nil {
		m.violate(c, ViolationPacketSize, header.ID, packet, batch)
		return
	}
	m.counters.Packets[header.ID]++
}

// ClearConnectionInfo logs out whoever is logged in on a connection that has ended.
func (m *PacketManager) ClearConnectionInfo(id bridge.ConnectionID) {
	if user := m.users.UserByConnection(id); user != nil {
		m.users.RemoveUser(user)
	}
}

// violate closes a connection that broke the protocol, after what is queued for it. Its user leaves at once: nothing
// that still comes from the connection counts, so the room and the id need not wait for the close, which a client that
// does not read can put off.
func (m *PacketManager) violate(c *connection, violation Violation, id PacketID, packet []byte,
	batch *bridge.SendBatch) {
	m.counters.Violations[violation]++
	m.logger.Warn("protocol violation, the connection is closed", append(m.fields(c),
		zap.Stringer("reason", violation),
		zap.Stringer("packet", id),
		zap.Int("size", len(packet)))...)
	m.expel(c, batch)
}

// expel closes a connection, after what is queued for it, and ignores what still comes from it.
func (m *PacketManager) expel(c *connection, batch *bridge.SendBatch) {
	c.closing = true
	m.ClearConnectionInfo(c.id)
	batch.Disconnect(c.id)
}

// fields say in a log line whom it is about.
func (m *PacketManager) fields(c *connection) []zap.Field {
	fields := []zap.Field{zap.Uint64("connection", uint64(c.id)), zap.String("peer", c.peer)}
	if user := m.users.UserByConnection(c.id); user != nil {
		fields = append(fields, zap.Stringer("user", user.ID()))
		if room := user.Room(); room != nil {
			fields = append(fields, zap.Int32("room", room.Number()))
		}
	}
	return fields
}

// debug logs what a client did, at a level that is off unless somebody looks for something.
func (m *PacketManager) debug(what string, c *connection) {
	if entry := m.logger.Check(zap.DebugLevel, what); entry != nil {
		entry.Write(m.fields(c)...)
	}
}

// send sends what is in scratch to one connection.
func (m *PacketManager) send(c *connection, id PacketID, batch *bridge.SendBatch) {
	m.counters.Sent[id]++
	batch.Send(c.id, m.scratch)
}

// processLogin: what is wrong with the connection comes first (31), then what is wrong with the id itself (12), then
// what is wrong with it here and now: taken (31), no place (32).
func (m *PacketManager) processLogin(c *connection, packet []byte, batch *bridge.SendBatch) error {
	var request LoginRequest
	if err := request.Decode(packet); err != nil {
		return err
	}
	var response LoginResponse
	if m.users.UserByConnection(c.id) != nil {
		response.Result = ResultLoginUserAlready
	} else if id, err := request.UserID.UserID(); err != nil {
		response.Result = ResultUserInvalidUniqueID
	} else {
		response.Result = m.logIn(id, c)
	}
	m.count(response.Result, &m.counters.Logins)

	m.scratch = response.Append(m.scratch[:0])
	m.send(c, LoginResponseID, batch)
	if response.Result == ResultNone {
		m.debug("logged in", c)
		m.greet(c, batch)
	}
	return nil
}

func (m *PacketManager) logIn(id UserID, c *connection) ErrorCode {
	if id == m.announcer {
		return ResultLoginUserAlready
	}
	return m.users.AddUser(id, c.id)
}

func (m *PacketManager) greet(c *connection, batch *bridge.SendBatch) {
	if !m.hasGreeting {
		return
	}
	greeting := RoomChatNotify{UserID: m.announcer.Field(), Msg: m.greeting}
	m.scratch = greeting.Append(m.scratch[:0])
	m.send(c, RoomChatNotifyID, batch)
}

func (m *PacketManager) processEnterRoom(c *connection, packet []byte, batch *bridge.SendBatch) error {
	var request RoomEnterRequest
	if err := request.Decode(packet); err != nil {
		return err
	}
	var response RoomEnterResponse
	user := m.users.UserByConnection(c.id)
	switch user.State() {
	case StateNone:
		response.Result = ResultEnterRoomNotFoundUser
	case StateRoom:
		response.Result = ResultEnterRoomInvalidUserStatus
	case StateLogin:
		var rival UserID
		rival, response.Result = m.rooms.EnterUser(request.RoomNumber, user)
		response.RivalUserID = rival.Field()
	}
	m.count(response.Result, &m.counters.RoomEnters)
	if response.Result == ResultNone {
		m.debug("entered a room", c)
	}

	m.scratch = response.Append(m.scratch[:0])
	m.send(c, RoomEnterResponseID, batch)
	return nil
}

func (m *PacketManager) processLeaveRoom(c *connection, packet []byte, batch *bridge.SendBatch) error {
	var request RoomLeaveRequest
	if err := request.Decode(packet); err != nil {
		return err
	}
	response := RoomLeaveResponse{Result: ResultLeaveRoomInvalidRoomIndex}
	if user := m.users.UserByConnection(c.id); user.State() == StateRoom {
		m.debug("left a room", c)
		user.Room().LeaveUser(user)
		response.Result = ResultNone
	}
	m.count(response.Result, &m.counters.RoomLeaves)

	m.scratch = response.Append(m.scratch[:0])
	m.send(c, RoomLeaveResponseID, batch)
	return nil
}

// processRoomChatMessage: the answer goes out before the notify, so the sender learns first that it was heard.
func (m *PacketManager) processRoomChatMessage(c *connection, packet []byte, batch *bridge.SendBatch) error {
	var request RoomChatRequest
	if err := request.Decode(packet); err != nil {
		return err
	}
	var response RoomChatResponse
	user := m.users.UserByConnection(c.id)
	if user.State() != StateRoom {
		response.Result = ResultChatRoomInvalidRoomNumber
	} else if _, err := request.Message.Text(); err != nil {
		response.Result = ResultRoomTooManyPacket
	}
	m.count(response.Result, &m.counters.Chats)

	m.scratch = response.Append(m.scratch[:0])
	m.send(c, RoomChatResponseID, batch)
	if response.Result != ResultNone {
		return nil
	}
	notify := RoomChatNotify{UserID: user.ID().Field(), Msg: request.Message}
	m.scratch = notify.Append(m.scratch[:0])
	user.Room().SendToAllUser(m.scratch, batch)
	m.counters.Notifications += uint64(user.Room().Count())
	m.counters.Sent[RoomChatNotifyID] += uint64(user.Room().Count())
	return nil
}

// count counts an answer: as a success of its kind, or as a refusal for its reason.
func (m *PacketManager) count(result ErrorCode, successes *uint64) {
	if result == ResultNone {
		*successes++
	} else {
		m.counters.Refusals[result]++
	}
}
