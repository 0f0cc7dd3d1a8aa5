package chat

// RoomChatRequest is ROOM_CHAT_REQUEST (214), client to server.
type RoomChatRequest struct{ Message MessageField }

// NewRoomChatRequest makes the request of a client. It refuses a text that is too long or not valid UTF-8.
func NewRoomChatRequest(message string) (RoomChatRequest, error) {
	field, err := NewMessageField(message)
	return RoomChatRequest{Message: field}, err
}

// Append appends the encoded packet to dst.
func (p *RoomChatRequest) Append(dst []byte) []byte {
	dst = appendHeader(dst, RoomChatRequestID, RoomChatRequestSize)
	return appendField(dst, p.Message.raw[:])
}

// Decode reads a packet. It keeps nothing of it. The error wraps ErrPacketShape; the text is not checked yet.
func (p *RoomChatRequest) Decode(packet []byte) error {
	body, err := packetBody(packet, RoomChatRequestID, RoomChatRequestSize)
	if err != nil {
		return err
	}
	copy(p.Message.raw[:], body)
	return nil
}

// RoomChatResponse is ROOM_CHAT_RESPONSE (215), server to client.
type RoomChatResponse struct{ Result ErrorCode }

// Append appends the encoded packet to dst.
func (p *RoomChatResponse) Append(dst []byte) []byte {
	return appendResult(dst, RoomChatResponseID, p.Result)
}

// Decode reads a packet. The error wraps ErrPacketShape.
func (p *RoomChatResponse) Decode(packet []byte) (err error) {
	p.Result, err = decodeResult(packet, RoomChatResponseID)
	return err
}

// RoomChatNotify is ROOM_CHAT_NOTIFY (216), server to every member of a room.
type RoomChatNotify struct {
	UserID NameField
	Msg    MessageField
}

// Append appends the encoded packet to dst.
func (p *RoomChatNotify) Append(dst []byte) []byte {
	dst = appendHeader(dst, RoomChatNotifyID, RoomChatNotifySize)
	dst = appendField(dst, p.UserID.raw[:])
	return appendField(dst, p.Msg.raw[:])
}

// Decode reads a packet. It keeps nothing of it. The error wraps ErrPacketShape; the texts are not checked yet.
func (p *RoomChatNotify) Decode(packet []byte) error {
	body, err := packetBody(packet, RoomChatNotifyID, RoomChatNotifySize)
	if err != nil {
		return err
	}
	copy(p.UserID.raw[:], body)
	copy(p.Msg.raw[:], body[nameFieldSize:])
	return nil
}
