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
	counters          *Counters
	logger            *zap.Logger

	scratch []byte // for encoding answers; what is sent is copied by the batch
}

func newPacketManager(users *UserManager, rooms *RoomManager, maxUnknownPackets int, counters *Counters,
	logger *zap.Logger) *PacketManager {
	m := &PacketManager{
		users:             users,
		rooms:             rooms,
		maxUnknownPackets: maxUnknownPackets,
		counters:          counters,
		logger:            logger,
		scratch:           make([]byte, 0, RoomChatNotifySize),
	}
	m.handlers[LoginRequestID] = (*PacketManager).processLogin
	m.handlers[RoomEnterRequestID] = (*PacketManager).processEnterRoom
	m.handlers[RoomLeaveRequestID] = (*PacketManager).processLeaveRoom
	m.handlers[RoomChatRequestID] = (*PacketManager).processRoomChatMessage
	return m
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
	m.logger.Warn("protocol violation, the connection is closed",
		zap.String("peer", c.peer),
		zap.Stringer("reason", violation),
		zap.Stringer("packet", id),
		zap.Int("size", len(packet)))
	c.closing = true
	m.ClearConnectionInfo(c.id)
	batch.Disconnect(c.id)
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
		response.Result = m.users.AddUser(id, c.id)
	}
	m.count(response.Result, &m.counters.Logins)

	m.scratch = response.Append(m.scratch[:0])
	batch.Send(c.id, m.scratch)
	return nil
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

	m.scratch = response.Append(m.scratch[:0])
	batch.Send(c.id, m.scratch)
	return nil
}

func (m *PacketManager) processLeaveRoom(c *connection, packet []byte, batch *bridge.SendBatch) error {
	var request RoomLeaveRequest
	if err := request.Decode(packet); err != nil {
		return err
	}
	response := RoomLeaveResponse{Result: ResultLeaveRoomInvalidRoomIndex}
	if user := m.users.UserByConnection(c.id); user.State() == StateRoom {
		user.Room().LeaveUser(user)
		response.Result = ResultNone
	}
	m.count(response.Result, &m.counters.RoomLeaves)

	m.scratch = response.Append(m.scratch[:0])
	batch.Send(c.id, m.scratch)
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
	batch.Send(c.id, m.scratch)
	if response.Result != ResultNone {
		return nil
	}
	notify := RoomChatNotify{UserID: user.ID().Field(), Msg: request.Message}
	m.scratch = notify.Append(m.scratch[:0])
	user.Room().SendToAllUser(m.scratch, batch)
	m.counters.Notifications += uint64(user.Room().Count())
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
