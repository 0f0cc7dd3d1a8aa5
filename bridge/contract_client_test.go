package bridge

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
)

// client is the other side of a connection: a plain socket whose calls fail after patience.
type client struct {
	t      *testing.T
	socket *doorclient.Socket
	reader *bufio.Reader
}

// dial connects to the core. The socket is closed when the test ends, before the core is.
func (s *subject) dial() *client {
	s.t.Helper()
	return s.dialTo("127.0.0.1")
}

func (s *subject) dialTo(host string) *client {
	s.t.Helper()
	c, err := s.connect(s.t, host, s.port())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.socket.Close() })
	if s.kind.isInline {
		c.reader = bufio.NewReaderSize(&servedSocket{c.socket, s}, 64<<10)
	}
	return c
}

// servedSocket is a client's socket. While it waits for what the core sends it lets the core do its I/O.
type servedSocket struct {
	socket *doorclient.Socket
	s      *subject
}

func (c *servedSocket) Read(p []byte) (int, error) {
	deadline := time.Now().Add(patience)
	for {
		c.s.doIO()
		if err := c.socket.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return 0, err
		}
		n, err := c.socket.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(deadline) {
			return n, err
		}
	}
}

// connect is dial for any goroutine: it does not end the test, and the caller closes.
func (s *subject) connect(t *testing.T, host string, port int) (*client, error) {
	c, err := connect(t, host, port)
	if err != nil {
		return nil, err
	}
	header := []byte(s.proxyHeader)
	for s.cutsHeader && len(header) > 1 {
		if _, err := c.socket.Write(header[:1]); err != nil {
			return nil, errors.Join(err, c.socket.Close())
		}
		header = header[1:]
	}
	if _, err := c.socket.Write(header); err != nil {
		return nil, errors.Join(err, c.socket.Close())
	}
	if c.socket, err = s.kind.door.enter(c.socket.TCPConn, s.maxPacketSize); err != nil {
		return nil, err
	}
	c.reader = bufio.NewReaderSize(c.socket, 64<<10)
	return c, nil
}

// connect connects to a port without a door.
func connect(t *testing.T, host string, port int) (*client, error) {
	socket, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), patience)
	if err != nil {
		return nil, err
	}
	if err := socket.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	plain, err := doorclient.Enter(socket.(*net.TCPConn), doorclient.Kind{}, nil, 0)
	if err != nil {
		return nil, err
	}
	return &client{t, plain, bufio.NewReaderSize(plain, 64<<10)}, nil
}

// connected is dial and the Connection that logic gets for it, where no other message can come.
func (s *subject) connected() (*client, ConnectionID) {
	s.t.Helper()
	c := s.dial()
	return c, s.expectConnection()
}

func (c *client) write(packets ...[]byte) {
	c.t.Helper()
	var all []byte
	for _, packet := range packets {
		all = append(all, packet...)
	}
	_, err := c.socket.Write(all)
	require.NoError(c.t, err)
}

// read is the next packet. It ends no test, so any goroutine may call it.
func (c *client) read() ([]byte, error) {
	length, err := c.reader.Peek(lengthFieldLength)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, binary.LittleEndian.Uint16(length))
	if len(packet) < HeaderLength {
		return nil, fmt.Errorf("a packet of %d bytes", len(packet))
	}
	_, err = io.ReadFull(c.reader, packet)
	return packet, err
}

func (c *client) expect(packets ...[]byte) {
	c.t.Helper()
	for _, want := range packets {
		packet, err := c.read()
		require.NoError(c.t, err)
		require.Equal(c.t, want, packet)
	}
}

// expectEOF requires an end in order: nothing more, and no reset.
func (c *client) expectEOF() {
	c.t.Helper()
	_, err := c.reader.ReadByte()
	require.ErrorIs(c.t, err, io.EOF)
}

// expectEnd requires an end, in order or by reset, after whatever else.
func (c *client) expectEnd() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.reader)
	var timeout net.Error
	require.False(c.t, errors.As(err, &timeout) && timeout.Timeout(), "no end")
}

func (c *client) closeWrite() {
	c.t.Helper()
	require.NoError(c.t, c.socket.CloseWrite())
}

func (c *client) close() { assert.NoError(c.t, c.socket.Close()) }

// reset closes so that the server gets a reset.
func (c *client) reset() {
	assert.NoError(c.t, c.socket.SetLinger(0))
	c.close()
}

func (c *client) address() string { return c.socket.LocalAddr().String() }

// packetOf is a packet with a body.
func packetOf(id uint16, body []byte) []byte {
	packet := make([]byte, HeaderLength, HeaderLength+len(body))
	binary.LittleEndian.PutUint16(packet, uint16(HeaderLength+len(body)))
	binary.LittleEndian.PutUint16(packet[2:], id)
	return append(packet, body...)
}

// smallestNumbered is the least size of a numbered packet.
const smallestNumbered = HeaderLength + 8

// numbered is a packet of size bytes whose every byte follows from its sender and its number, so that a packet that
// is someone else's, out of order or overwritten in part is not mistaken for it.
func numbered(sender, number, size int) []byte {
	body := make([]byte, size-HeaderLength)
	binary.LittleEndian.PutUint32(body, uint32(sender))
	binary.LittleEndian.PutUint32(body[4:], uint32(number))
	x := uint32(sender)*2654435761 ^ uint32(number)*40503
	for i := 8; i < len(body); i++ {
		x = x*1664525 + 1013904223
		body[i] = byte(x >> 24)
	}
	return packetOf(uint16(100+number%900), body)
}

// senderOf is who sent a numbered packet, and its number.
func senderOf(packet []byte) (sender, number int) {
	return int(binary.LittleEndian.Uint32(packet[HeaderLength:])),
		int(binary.LittleEndian.Uint32(packet[HeaderLength+4:]))
}

// pump sends count numbered packets with at most window of them unanswered, and checks every echo. Any goroutine.
func (c *client) pump(sender, count, window int, size func(number int) int) error {
	inFlight := make(chan struct{}, window)
	sendEnded := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for number := range count {
			select {
			case inFlight <- struct{}{}:
			case <-stop:
				sendEnded <- nil
				return
			}
			if _, err := c.socket.Write(numbered(sender, number, size(number))); err != nil {
				sendEnded <- fmt.Errorf("sender %d, sending %d: %w", sender, number, err)
				return
			}
		}
		sendEnded <- nil
	}()
	check := func() error {
		for number := range count {
			packet, err := c.read()
			if err != nil {
				return fmt.Errorf("sender %d, echo %d: %w", sender, number, err)
			}
			if string(packet) != string(numbered(sender, number, size(number))) {
				return fmt.Errorf("sender %d: echo %d is something else: % x", sender, number, packet)
			}
			<-inFlight
		}
		return nil
	}
	err := check()
	close(stop)
	if err != nil {
		c.socket.Close()
	}
	return errors.Join(err, <-sendEnded)
}

func always(size int) func(int) int { return func(int) int { return size } }
