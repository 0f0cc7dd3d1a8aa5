package main

import (
	"encoding/binary"

	"iocpnetlib/bridge"
)

// What the players do: the logic of step 3, as it was.

type packetID uint16

const (
	nameRequest packetID = 101 // name, 1 to 20 bytes
	sayRequest  packetID = 102 // text
	sayNotify   packetID = 103 // u8 length of the name, name, text
	leaveNotify packetID = 104 // name
)

const maxName = 20

// player is what the server knows of a connection.
type player struct {
	name string // empty until the client has given one
}

// server is the logic. Only the logic loop touches it, so it needs no lock.
type server struct {
	handlers map[packetID]handler
	players  map[bridge.ConnectionID]*player
}

// handler handles one kind of request of a player. It returns false if the request is not allowed.
type handler func(from *player, body []byte, batch *bridge.SendBatch) bool

func newServer() *server {
	s := &server{players: map[bridge.ConnectionID]*player{}}
	s.handlers = map[packetID]handler{
		nameRequest: s.processName,
		sayRequest:  s.processSay,
	}
	return s
}

// HandleMessage gets exactly one MessageConnection, the packets and one MessageClose of each connection, in this order.
func (s *server) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	switch message.Type {
	case bridge.MessageConnection:
		s.players[message.ID] = &player{}
	case bridge.MessageRecv:
		s.receive(message, batch)
	case bridge.MessageClose:
		s.remove(message.ID, batch)
	}
}

func (s *server) receive(message *bridge.Message, batch *bridge.SendBatch) {
	from := s.players[message.ID]
	if from == nil {
		return // removed already, and this came before the connection ended
	}
	id, body := split(message.Data)
	process := s.handlers[id]
	if process == nil || !process(from, body, batch) {
		batch.Disconnect(message.ID)
		s.remove(message.ID, batch)
	}
}

// remove lets a player leave, once.
func (s *server) remove(id bridge.ConnectionID, batch *bridge.SendBatch) {
	leaving := s.players[id]
	delete(s.players, id)
	if leaving != nil && leaving.name != "" {
		s.broadcast(newPacket(leaveNotify, []byte(leaving.name)), batch)
	}
}

// broadcast sends a packet to everybody: one operation, and one copy of the packet.
func (s *server) broadcast(packet []byte, batch *bridge.SendBatch) {
	receivers := make([]bridge.ConnectionID, 0, len(s.players))
	for id := range s.players {
		receivers = append(receivers, id)
	}
	batch.Broadcast(receivers, packet)
}

func (s *server) processName(from *player, body []byte, _ *bridge.SendBatch) bool {
	if from.name != "" || len(body) == 0 || len(body) > maxName {
		return false
	}
	from.name = string(body) // a copy: body belongs to the core
	return true
}

func (s *server) processSay(from *player, body []byte, batch *bridge.SendBatch) bool {
	if from.name == "" {
		return false
	}
	said := []byte{byte(len(from.name))}
	said = append(said, from.name...)
	said = append(said, body...)
	s.broadcast(newPacket(sayNotify, said), batch)
	return true
}

func split(packet []byte) (id packetID, body []byte) {
	return packetID(binary.LittleEndian.Uint16(packet[2:])), packet[bridge.HeaderLength:]
}

func newPacket(id packetID, body []byte) []byte {
	packet := make([]byte, 0, bridge.HeaderLength+len(body))
	packet = binary.LittleEndian.AppendUint16(packet, uint16(bridge.HeaderLength+len(body)))
	packet = binary.LittleEndian.AppendUint16(packet, uint16(id))
	packet = append(packet, 0) // Type
	return append(packet, body...)
}
