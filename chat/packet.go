package chat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"iocpnetlib/bridge"
)

// PacketID says what a packet is.
type PacketID uint16

// The packets of the protocol. Ids are taken from MinPacketID to MaxPacketID.
const (
	MinPacketID PacketID = 100

	LoginRequestID      PacketID = 201
	LoginResponseID     PacketID = 202
	RoomEnterRequestID  PacketID = 206
	RoomEnterResponseID PacketID = 207
	RoomLeaveRequestID  PacketID = 209
	RoomLeaveResponseID PacketID = 210
	RoomChatRequestID   PacketID = 214
	RoomChatResponseID  PacketID = 215
	RoomChatNotifyID    PacketID = 216

	MaxPacketID PacketID = 1000
)

// The sizes of the packets in bytes, header included. There is nothing between the fields.
const (
	LoginRequestSize      = bridge.HeaderLength + 2*nameFieldSize
	LoginResponseSize     = bridge.HeaderLength + 2
	RoomEnterRequestSize  = bridge.HeaderLength + 4
	RoomEnterResponseSize = bridge.HeaderLength + 2 + nameFieldSize
	RoomLeaveRequestSize  = bridge.HeaderLength
	RoomLeaveResponseSize = bridge.HeaderLength + 2
	RoomChatRequestSize   = bridge.HeaderLength + messageFieldSize
	RoomChatResponseSize  = bridge.HeaderLength + 2
	RoomChatNotifySize    = bridge.HeaderLength + nameFieldSize + messageFieldSize

	// MaxRequestSize is the size of the largest request: a server that takes smaller packets only cannot serve.
	MaxRequestSize = RoomChatRequestSize
)

// PacketKind is what the protocol says of a packet.
type PacketKind struct {
	ID        PacketID
	Name      string
	Size      int  // bytes, header included
	IsRequest bool // a client sends it; all others are the server's
}

var packetKinds = []PacketKind{
	{LoginRequestID, "LOGIN_REQUEST", LoginRequestSize, true},
	{LoginResponseID, "LOGIN_RESPONSE", LoginResponseSize, false},
	{RoomEnterRequestID, "ROOM_ENTER_REQUEST", RoomEnterRequestSize, true},
	{RoomEnterResponseID, "ROOM_ENTER_RESPONSE", RoomEnterResponseSize, false},
	{RoomLeaveRequestID, "ROOM_LEAVE_REQUEST", RoomLeaveRequestSize, true},
	{RoomLeaveResponseID, "ROOM_LEAVE_RESPONSE", RoomLeaveResponseSize, false},
	{RoomChatRequestID, "ROOM_CHAT_REQUEST", RoomChatRequestSize, true},
	{RoomChatResponseID, "ROOM_CHAT_RESPONSE", RoomChatResponseSize, false},
	{RoomChatNotifyID, "ROOM_CHAT_NOTIFY", RoomChatNotifySize, false},
}

// PacketKinds lists the packets of the protocol in the order of their ids.
func PacketKinds() []PacketKind { return slices.Clone(packetKinds) }

// String is the packet's name in the protocol, or its number.
func (id PacketID) String() string {
	for i := range packetKinds {
		if packetKinds[i].ID == id {
			return packetKinds[i].Name
		}
	}
	return fmt.Sprintf("PACKET_%d", uint16(id))
}

// ErrPacketShape is wrapped by what Decode returns for bytes that are not one whole packet of the right kind.
var ErrPacketShape = errors.New("not a packet of this kind")

// Header is the start of every packet. The third field, Type, is neither read nor shown: the server sends 0, and
// clients in the style of the original leave it unset.
type Header struct {
	Length uint16 // the whole packet, header included
	ID     PacketID
}

// DecodeHeader reads the header of a packet. It fails if there are fewer bytes than a header has.
func DecodeHeader(packet []byte) (Header, error) {
	if len(packet) < bridge.HeaderLength {
		return Header{}, fmt.Errorf("%d bytes where a header has %d: %w", len(packet), bridge.HeaderLength, ErrPacketShape)
	}
	return Header{
		Length: binary.LittleEndian.Uint16(packet),
		ID:     PacketID(binary.LittleEndian.Uint16(packet[2:])),
	}, nil
}

// packetBody checks that packet is one whole packet of this id and size, and returns what follows its header.
func packetBody(packet []byte, id PacketID, size int) ([]byte, error) {
	header, err := DecodeHeader(packet)
	if err != nil {
		return nil, err
	}
	if header.ID != id {
		return nil, fmt.Errorf("%v where %v is expected: %w", header.ID, id, ErrPacketShape)
	}
	if len(packet) != size || int(header.Length) != size {
		return nil, fmt.Errorf("%v has %d bytes (and says %d) instead of %d: %w",
			id, len(packet), header.Length, size, ErrPacketShape)
	}
	return packet[bridge.HeaderLength:], nil
}

func appendHeader(dst []byte, id PacketID, size int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(size))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(id))
	return append(dst, 0)
}

// appendResult encodes the packets whose body is a result alone. LOGIN_RESPONSE has a u16 and the others an i16; no
// result is negative, so the bytes are the same.
func appendResult(dst []byte, id PacketID, result ErrorCode) []byte {
	dst = appendHeader(dst, id, bridge.HeaderLength+2)
	return binary.LittleEndian.AppendUint16(dst, uint16(result))
}

func decodeResult(packet []byte, id PacketID) (ErrorCode, error) {
	body, err := packetBody(packet, id, bridge.HeaderLength+2)
	if err != nil {
		return 0, err
	}
	return ErrorCode(binary.LittleEndian.Uint16(body)), nil
}
