package soak

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/internal/doorclient"
)

// patience bounds every wait for the server: far more than is needed, so that only a hang reaches it.
const patience = 30 * time.Second

// client is one connection to the server. It belongs to one goroutine, but for writes and closing.
type client struct {
	conn   *doorclient.Socket
	reader *bufio.Reader
	taken  int // bytes of the reader's buffer that the last packet had
}

func newClient(conn *doorclient.Socket) *client {
	return &client{conn: conn, reader: bufio.NewReaderSize(conn, 4<<10)}
}

func (c *client) close() { _ = c.conn.Close() }

// reset ends the connection with a reset.
func (c *client) reset() {
	_ = c.conn.SetLinger(0)
	_ = c.conn.Close()
}

// setDeadline bounds everything that follows by patience.
func (c *client) setDeadline() { _ = c.conn.SetDeadline(time.Now().Add(patience)) }

// next reads a packet. It is valid until the next call. io.EOF is the end in order, between two packets.
func (c *client) next() (chat.PacketID, []byte, error) {
	_, _ = c.reader.Discard(c.taken)
	c.taken = 0
	start, err := c.reader.Peek(bridge.HeaderLength)
	if err != nil {
		if len(start) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	length := int(binary.LittleEndian.Uint16(start))
	if length < bridge.HeaderLength || length > chat.RoomChatNotifySize {
		return 0, nil, fmt.Errorf("the server sent a packet of %d bytes", length)
	}
	packet, err := c.reader.Peek(length)
	if err != nil {
		return 0, nil, fmt.Errorf("in the middle of a packet: %w", err)
	}
	c.taken = length
	return chat.PacketID(binary.LittleEndian.Uint16(packet[2:])), packet, nil
}

// expect reads the next packet, which has to be this one to the last byte.
func (c *client) expect(want []byte) error {
	_, packet, err := c.next()
	if err != nil {
		return err
	}
	if string(packet) != string(want) {
		return fmt.Errorf("%q came where %q has to come", packet, want)
	}
	return nil
}

// expectEntered reads the answer to a request to enter a room. Who has been there longest may be anybody.
func (c *client) expectEntered() error {
	_, packet, err := c.next()
	if err != nil {
		return err
	}
	var response chat.RoomEnterResponse
	if err := response.Decode(packet); err != nil {
		return err
	}
	if response.Result != chat.ResultNone {
		return fmt.Errorf("entering a room was refused with %d", response.Result)
	}
	return nil
}

// arrive logs in and enters a room.
func (c *client) arrive(name string, room int) error {
	c.setDeadline()
	if _, err := c.conn.Write(enterRequest(loginRequest(nil, name), room)); err != nil {
		return err
	}
	if err := c.expect(loginResponse(chat.ResultNone)); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	return c.expectEntered()
}

func loginRequest(dst []byte, name string) []byte {
	request, err := chat.NewLoginRequest(name, "soak")
	if err != nil {
		panic(err) // the names are this package's
	}
	return request.Append(dst)
}

func enterRequest(dst []byte, room int) []byte {
	return (&chat.RoomEnterRequest{RoomNumber: int32(room)}).Append(dst)
}

func loginResponse(result chat.ErrorCode) []byte {
	return (&chat.LoginResponse{Result: result}).Append(nil)
}

func enterResponse(result chat.ErrorCode) []byte {
	return (&chat.RoomEnterResponse{Result: result}).Append(nil)
}

func chatResponse(result chat.ErrorCode) []byte {
	return (&chat.RoomChatResponse{Result: result}).Append(nil)
}
