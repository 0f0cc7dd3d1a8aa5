package chat

import (
	"encoding/binary"
)

// RoomEnterRequest is ROOM_ENTER_REQUEST (206), client to server.
type RoomEnterRequest struct{ RoomNumber int32 }

// Append appends the encoded packet to dst.
func (p *RoomEnterRequest) Append(dst []byte) []byte {
	dst = appendHeader(dst, RoomEnterRequestID, RoomEnterRequestSize)
	return binary.LittleEndian.AppendUint32(dst, uint32(p.RoomNumber))
}

// Decode reads a packet. The error wraps ErrPacketShape.
func (p *RoomEnterRequest) Decode(packet []byte) error {
	body, err := packetBody(packet, RoomEnterRequestID, RoomEnterRequestSize)
	if err != nil {
		return err
	}
	p.RoomNumber = int32(binary.LittleEndian.Uint32(body))
	return nil
}

// RoomEnterResponse is ROOM_ENTER_RESPONSE (207), server to client.
type RoomEnterResponse struct {
	Result ErrorCode
	// RivalUserID is the member who has been in the room longest, empty if there is none.
	RivalUserID NameField
}

// Append appends the encoded packet to dst.
func (p *RoomEnterResponse) Append(dst []byte) []byte {
	dst = appendHeader(dst, RoomEnterResponseID, RoomEnterResponseSize)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(p.Result))
	return appendField(dst, p.RivalUserID.raw[:])
}

// Decode reads a packet. It keeps nothing of it. The error wraps ErrPacketShape; the text is not checked yet.
func (p *RoomEnterResponse) Decode(packet []byte) error {
	body, err := packetBody(packet, RoomEnterResponseID, RoomEnterResponseSize)
	if err != nil {
		return err
	}
	p.Result = ErrorCode(binary.LittleEndian.Uint16(body))
	copy(p.RivalUserID.raw[:], body[2:])
	return nil
}

// RoomLeaveRequest is ROOM_LEAVE_REQUEST (209), client to server.
type RoomLeaveRequest struct{}

// Append appends the encoded packet to dst.
func (p *RoomLeaveRequest) Append(dst []byte) []byte {
	return appendHeader(dst, RoomLeaveRequestID, RoomLeaveRequestSize)
}

// Decode reads a packet. The error wraps ErrPacketShape.
func (p *RoomLeaveRequest) Decode(packet []byte) error {
	_, err := packetBody(packet, RoomLeaveRequestID, RoomLeaveRequestSize)
	return err
}

// RoomLeaveResponse is ROOM_LEAVE_RESPONSE (210), server to client.
type RoomLeaveResponse struct{ Result ErrorCode }

// Append appends the encoded packet to dst.
func (p *RoomLeaveResponse) Append(dst []byte) []byte {
	return appendResult(dst, RoomLeaveResponseID, p.Result)
}

// Decode reads a packet. The error wraps ErrPacketShape.
func (p *RoomLeaveResponse) Decode(packet []byte) (err error) {
	p.Result, err = decodeResult(packet, RoomLeaveResponseID)
	return err
}
