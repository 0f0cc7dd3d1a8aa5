package chat

// LoginRequest is LOGIN_REQUEST (201), client to server.
type LoginRequest struct {
	UserID NameField
	UserPW NameField // read by nobody: the original has no accounts
}

// NewLoginRequest makes the request of a client. It refuses texts that are too long or not valid UTF-8.
func NewLoginRequest(userID, userPW string) (LoginRequest, error) {
	id, err := NewNameField(userID)
	if err != nil {
		return LoginRequest{}, err
	}
	pw, err := NewNameField(userPW)
	if err != nil {
		return LoginRequest{}, err
	}
	return LoginRequest{UserID: id, UserPW: pw}, nil
}

// Append appends the encoded packet to dst.
func (p *LoginRequest) Append(dst []byte) []byte {
	dst = appendHeader(dst, LoginRequestID, LoginRequestSize)
	dst = appendField(dst, p.UserID.raw[:])
	return appendField(dst, p.UserPW.raw[:])
}

// Decode reads a packet. It keeps nothing of it. The error wraps ErrPacketShape; texts are not checked yet.
func (p *LoginRequest) Decode(packet []byte) error {
	body, err := packetBody(packet, LoginRequestID, LoginRequestSize)
	if err != nil {
		return err
	}
	copy(p.UserID.raw[:], body)
	copy(p.UserPW.raw[:], body[nameFieldSize:])
	return nil
}

// LoginResponse is LOGIN_RESPONSE (202), server to client.
type LoginResponse struct{ Result ErrorCode }

// Append appends the encoded packet to dst.
func (p *LoginResponse) Append(dst []byte) []byte {
	return appendResult(dst, LoginResponseID, p.Result)
}

// Decode reads a packet. The error wraps ErrPacketShape.
func (p *LoginResponse) Decode(packet []byte) (err error) {
	p.Result, err = decodeResult(packet, LoginResponseID)
	return err
}
