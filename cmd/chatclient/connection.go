package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
)

// incoming is one packet of the server, decoded: a pointer to one of the packet types, or an unknownPacket.
type incoming any

// unknownPacket has an id that this client does not know. A newer server may send it; it is skipped.
type unknownPacket chat.PacketID

// readPacket reads the next packet. Whatever is not a packet of the protocol is an error: after it nothing makes
// sense any more.
func readPacket(reader *bufio.Reader) (incoming, error) {
	var start [bridge.HeaderLength]byte
	if _, err := io.ReadFull(reader, start[:]); err != nil {
		return nil, err
	}
	length := int(binary.LittleEndian.Uint16(start[:]))
	if length < bridge.HeaderLength {
		return nil, fmt.Errorf("the server sent a packet of %d bytes", length)
	}
	packet := make([]byte, length)
	copy(packet, start[:])
	if _, err := io.ReadFull(reader, packet[bridge.HeaderLength:]); err != nil {
		return nil, err
	}
	header, err := chat.DecodeHeader(packet)
	if err != nil {
		return nil, err
	}
	var decoded interface{ Decode(packet []byte) error }
	switch header.ID {
	case chat.LoginResponseID:
		decoded = &chat.LoginResponse{}
	case chat.RoomEnterResponseID:
		decoded = &chat.RoomEnterResponse{}
	case chat.RoomLeaveResponseID:
		decoded = &chat.RoomLeaveResponse{}
	case chat.RoomChatResponseID:
		decoded = &chat.RoomChatResponse{}
	case chat.RoomChatNotifyID:
		decoded = &chat.RoomChatNotify{}
	default:
		return unknownPacket(header.ID), nil
	}
	if err := decoded.Decode(packet); err != nil {
		return nil, err
	}
	return decoded, nil
}
