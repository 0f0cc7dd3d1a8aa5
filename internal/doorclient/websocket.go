package doorclient

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// A packet's length, u16 and little-endian, and its header.
const (
	lengthSize   = 2
	headerLength = 5
)

// longMessage is what a message of several packets stays under: servers have a limit for messages.
const longMessage = 32 << 10

// WebSocket is the client's side of RFC 6455.
type WebSocket struct {
	// Below is the connection that carries frames, for those who send what is none.
	Below         io.ReadWriter
	in            *bufio.Reader
	rest          int // of the frame that is read
	ended         bool
	closeCode     int
	maxPacketSize int

	mutex   sync.Mutex
	started []byte // one byte of a length
	open    int    // bytes that the frame which is being sent still needs
	masked  int    // bytes of it that were sent
	out     []byte // what Write sends, for the next call to use again
}

func upgrade(below io.ReadWriter, maxPacketSize int) (*WebSocket, error) {
	_, err := io.WriteString(below, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	if err != nil {
		return nil, err
	}
	c := &WebSocket{Below: below, in: bufio.NewReaderSize(below, 64<<10), maxPacketSize: maxPacketSize}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close() // there is none, or it is of no interest
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("the door answers %s", answer.Status)
	}
	return c, nil
}

// The opcodes, with the bit that says that a frame is a whole message (RFC 6455, 5.2).
const (
	WholeText   = 0x80 | 1
	WholeBinary = 0x80 | 2
	WholeClose  = 0x80 | 8
	WholePing   = 0x80 | 9
	WholePong   = 0x80 | 10
)

// FrameHeader begins a client's frame. Its mask is 0, which leaves the payload as it is.
func FrameHeader(opcode byte, length int) []byte {
	const masked = 0x80
	var header []byte
	switch {
	case length < 126:
		header = []byte{opcode, masked | byte(length)}
	case length < 1<<16:
		header = binary.BigEndian.AppendUint16([]byte{opcode, masked | 126}, uint16(length))
	default:
		header = binary.BigEndian.AppendUint64([]byte{opcode, masked | 127}, uint64(length))
	}
	return append(header, 0, 0, 0, 0)
}

// mask is what Write masks with: any but 0, so that a server which forgets about it is found out.
var mask = [4]byte{0x37, 0xFA, 0x21, 0x3D}

// Write sends bytes of packets: whole packets in messages of many, and one that is not whole in a message that later
// calls complete; of a packet's length a first byte alone waits for the second. What is no packet is a message as it is.
func (c *WebSocket) Write(p []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	size := len(p)
	if len(c.started) > 0 {
		p = append(c.started, p...)
		c.started = nil
	}
	out := c.out[:0]
	defer func() { c.out = out }()
	for len(p) > 0 {
		if c.open > 0 {
			n := min(c.open, len(p))
			for _, b := range p[:n] {
				out = append(out, b^mask[c.masked%len(mask)])
				c.masked++
			}
			p, c.open = p[n:], c.open-n
			continue
		}
		if len(p) == 1 {
			c.started = []byte{p[0]}
			break
		}
		whole, next := 0, 0
		for len(p)-whole >= lengthSize {
			next = int(binary.LittleEndian.Uint16(p[whole:]))
			if next < headerLength || next > c.maxPacketSize || whole+next > len(p) || whole > 0 && whole+next > longMessage {
				break
			}
			whole += next
		}
		switch {
		case whole > 0:
		case next < headerLength || next > c.maxPacketSize:
			whole = len(p)
		default:
			whole = next
		}
		header := FrameHeader(WholeBinary, whole)
		out = append(append(out, header[:len(header)-len(mask)]...), mask[:]...)
		c.open, c.masked = whole, 0
	}
	if _, err := c.Below.Write(out); err != nil {
		return 0, err
	}
	return size, nil
}

// Send sends one frame as it is.
func (c *WebSocket) Send(opcode byte, payload []byte) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.sendLocked(opcode, payload)
}

func (c *WebSocket) sendLocked(opcode byte, payload []byte) error {
	_, err := c.Below.Write(append(FrameHeader(opcode, len(payload)), payload...))
	return err
}

// answer sends a frame that the server waits for. A client that is in the middle of a frame cannot.
func (c *WebSocket) answer(opcode byte, payload []byte) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.open > 0 {
		return nil
	}
	return c.sendLocked(opcode, payload)
}

// CloseCode is what the server's Close frame said, 0 if none has come. The goroutine that reads.
func (c *WebSocket) CloseCode() int { return c.closeCode }

// Read reads the payload of binary messages, whatever their bounds. Pings are answered. io.EOF: the server's Close frame
// has come, and was answered.
func (c *WebSocket) Read(p []byte) (int, error) {
	for c.rest == 0 {
		if c.ended {
			return 0, io.EOF
		}
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	n, err := c.in.Read(p[:min(len(p), c.rest)])
	c.rest -= n
	return n, err
}

// nextFrame reads a header, and what is not for the caller of Read.
func (c *WebSocket) nextFrame() error {
	opcode, err := c.in.ReadByte()
	if err != nil {
		return err
	}
	short, err := c.in.ReadByte()
	if err != nil {
		return err
	}
	length := int(short)
	if length >= 126 {
		bytes := make([]byte, map[int]int{126: 2, 127: 8}[length])
		if _, err := io.ReadFull(c.in, bytes); err != nil {
			return err
		}
		length = 0
		for _, b := range bytes {
			length = length<<8 | int(b)
		}
	}
	if opcode == WholeBinary {
		c.rest = length
		return nil
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return err
	}
	switch opcode {
	case WholePing:
		return c.answer(WholePong, payload)
	case WholePong:
		return nil
	case WholeClose:
		c.ended = true
		if length >= 2 {
			c.closeCode = int(binary.BigEndian.Uint16(payload))
		}
		_ = c.answer(WholeClose, payload) // the server may have closed already
		return nil
	default:
		return fmt.Errorf("a frame that begins with %#x", opcode)
	}
}
