package chat

import (
	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

// Server is the chat server's logic: what the original calls Main, without the network. It is a bridge.Handler.
type Server struct {
	connections connectionTable
	users       *UserManager
	rooms       *RoomManager
	packets     *PacketManager
	counters    Counters
	logger      *zap.Logger
}

// NewServer makes a server. The error is the *OptionError of Config.Validate. A nil logger logs nothing.
func NewServer(config Config, logger *zap.Logger) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = zap.NewNop()
	}
	s := &Server{
		connections: make(connectionTable, config.MaxConnections),
		users:       NewUserManager(config.MaxUsers, config.MaxConnections),
		rooms:       NewRoomManager(int32(config.StartRoom), config.MaxRooms, config.MaxRoomUsers),
		logger:      logger,
	}
	s.packets = newPacketManager(s.users, s.rooms, &config, &s.counters, logger)
	return s, nil
}

// Reconfigure takes over another LiveConfig. The error is the *OptionError of its Validate; then nothing changes. Logic
// loop only.
func (s *Server) Reconfigure(config LiveConfig) error {
	if err := config.Validate(); err != nil {
		return err
	}
	s.rooms.SetMaxRoomUsers(config.MaxRoomUsers)
	s.packets.reconfigure(&config)
	return nil
}

// HandleMessage takes one message of the core and adds the answers to batch. It keeps nothing of the message.
func (s *Server) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	switch message.Type {
	case bridge.MessageConnection:
		s.open(message, batch)
	case bridge.MessageClose:
		s.close(message)
	case bridge.MessageRecv:
		c := s.connections.find(message.ID)
		switch {
		case c == nil:
			s.counters.IgnoredPackets[IgnoredNoConnection]++
		case c.closing:
			s.counters.IgnoredPackets[IgnoredAfterViolation]++
		default:
			s.packets.ProcessRecvPacket(c, message.Data, batch)
		}
	}
}

// Counters returns a copy of the counters. Logic loop only.
func (s *Server) Counters() Counters { return s.counters }

// Users is the number of users who are logged in. Logic loop only.
func (s *Server) Users() int { return s.users.Count() }

func (s *Server) open(message *bridge.Message, batch *bridge.SendBatch) {
	c := s.connections.slot(message.ID)
	if c == nil || c.id != 0 {
		// A core that keeps its contract never gets here. Turning the newcomer away harms nobody, while taking it in
		// would give it the login and the room of another.
		s.logger.Error("the core told of a connection in a slot that is not free",
			zap.Uint64("connection", uint64(message.ID)), zap.ByteString("peer", message.Data))
		batch.Disconnect(message.ID)
		return
	}
	*c = connection{id: message.ID, peer: string(message.Data)}
	s.counters.Connections++
}

// close is not logged: the core has a line for every connection that ends, and a warning where the framing was broken.
func (s *Server) close(message *bridge.Message) {
	c := s.connections.find(message.ID)
	if c == nil {
		return
	}
	reason := message.Reason
	if reason >= bridge.CloseReasonCount {
		reason = bridge.CloseNone
	}
	s.counters.Closes[reason]++
	s.packets.ClearConnectionInfo(c.id)
	*c = connection{}
}
