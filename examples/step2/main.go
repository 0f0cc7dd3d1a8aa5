// Step2 answers by packet id: a table has a function for each request.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"

	"iocpnetlib/bridge"
)

// packetID says what a packet is.
type packetID uint16

const (
	echoRequest  packetID = 101 // any body
	echoResponse packetID = 102 // the same body
	addRequest   packetID = 103 // i32, i32
	addResponse  packetID = 104 // i32: their sum
)

// header is the start of every packet. The fifth byte, Type, has no meaning here.
type header struct {
	length uint16 // of the whole packet: the core has checked it
	id     packetID
}

// split takes a packet apart. The core hands over whole packets only, so there is always a header.
func split(packet []byte) (h header, body []byte) {
	h.length = binary.LittleEndian.Uint16(packet)
	h.id = packetID(binary.LittleEndian.Uint16(packet[2:]))
	return h, packet[bridge.HeaderLength:]
}

// newPacket puts a packet together.
func newPacket(id packetID, body []byte) []byte {
	packet := make([]byte, 0, bridge.HeaderLength+len(body))
	packet = binary.LittleEndian.AppendUint16(packet, uint16(bridge.HeaderLength+len(body)))
	packet = binary.LittleEndian.AppendUint16(packet, uint16(id))
	packet = append(packet, 0) // Type
	return append(packet, body...)
}

// handler handles one kind of request. It returns false if the body is not what it should be.
type handler func(from bridge.ConnectionID, body []byte, batch *bridge.SendBatch) bool

// packetManager has a handler for each request.
type packetManager struct {
	handlers map[packetID]handler
}

func newPacketManager() *packetManager {
	m := &packetManager{}
	m.handlers = map[packetID]handler{
		echoRequest: m.processEcho,
		addRequest:  m.processAdd,
	}
	return m
}

// HandleMessage finds the handler of a packet. Whoever breaks the protocol is disconnected.
func (m *packetManager) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	if message.Type != bridge.MessageRecv {
		return
	}
	header, body := split(message.Data)
	process := m.handlers[header.id]
	if process == nil || !process(message.ID, body, batch) {
		batch.Disconnect(message.ID)
	}
}

func (m *packetManager) processEcho(from bridge.ConnectionID, body []byte, batch *bridge.SendBatch) bool {
	batch.Send(from, newPacket(echoResponse, body))
	return true
}

func (m *packetManager) processAdd(from bridge.ConnectionID, body []byte, batch *bridge.SendBatch) bool {
	if len(body) != 8 {
		return false
	}
	sum := binary.LittleEndian.Uint32(body) + binary.LittleEndian.Uint32(body[4:])
	batch.Send(from, newPacket(addResponse, binary.LittleEndian.AppendUint32(nil, sum)))
	return true
}

func main() {
	core, err := bridge.Open(bridge.CoreAuto, nil)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(core, 11021))
}

// serve runs until the core is stopped.
func serve(core bridge.Core, port int) error {
	config := bridge.DefaultConfig()
	config.Port = port
	if err := core.Start(config); err != nil {
		return err
	}
	fmt.Println("listening on port", core.Port())
	return bridge.Run(context.Background(), core, newPacketManager())
}
