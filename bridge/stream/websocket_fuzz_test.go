package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// fuzzMaxMessage is little, so that the fuzzer meets it.
const fuzzMaxMessage = 64

// openFuzzDoor is a door for WebSocket, and a way to come in: what the client sends is sent behind the handshake.
func openFuzzDoor(f *testing.F) (enter func(t *testing.T) (client *net.TCPConn, conn Conn)) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f, err)
	listener := Listen(tcp, Config{MaxPacketSize: 1024, HandshakeTimeout: time.Minute, MaxHandshakes: 16, Logger: zap.NewNop(),
		WebSocket: &WebSocket{MaxMessage: fuzzMaxMessage}})
	f.Cleanup(func() {
		listener.Close()
		listener.Wait()
	})
	return func(t *testing.T) (*net.TCPConn, Conn) {
		client, err := net.Dial("tcp", tcp.Addr().String())
		require.NoError(t, err)
		require.NoError(t, client.SetDeadline(time.Now().Add(time.Minute)))
		_, err = io.WriteString(client, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		require.NoError(t, err)
		conn, err := listener.Accept()
		require.NoError(t, err)
		return client.(*net.TCPConn), conn
	}
}

// FuzzWebSocket compares what a door reads of a client's bytes with a reader that has nothing of the library's in it.
func FuzzWebSocket(f *testing.F) {
	mask := []byte{1, 2, 3, 4}
	frame := func(first byte, payload string) []byte {
		header := []byte{first, 0x80 | byte(len(payload))}
		if len(payload) > 125 {
			header = []byte{first, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload))}
		}
		header = append(header, mask...)
		for i := range len(payload) {
			header = append(header, payload[i]^mask[i%4])
		}
		return header
	}
	const packet = "\x05\x00\x01\x00\x00"
	for _, seed := range [][]byte{
		nil, frame(0x82, packet), frame(0x82, packet+packet), append(frame(0x02, packet[:3]), frame(0x80, packet[3:])...),
		append(frame(0x02, packet), append(frame(0x89, "ping"), frame(0x80, packet)...)...), frame(0x81, "text"),
		frame(0x82, packet[:4]), frame(0x82, ""), frame(0x88, "\x03\xe8"), frame(0x88, ""), frame(0x88, "\x00\x00"),
		frame(0xC2, packet), frame(0x83, ""), frame(0x80, packet), frame(0x09, ""), frame(0x8A, "pong"),
		{0x82, 0x05, 5, 0, 1, 0, 0}, {0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, {0x82, 0xFE, 0, 5},
		frame(0x82, packet+packet)[:13], frame(0x82, packet)[:6],
		frame(0x82, string(bytes.Repeat([]byte(packet), 13))),
	} {
		f.Add(seed)
	}
	enter := openFuzzDoor(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		client, conn := enter(t)
		defer func() { _ = client.Close() }()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _ = io.Copy(io.Discard, client) // a door that waits to be read would stand still
		}()
		_, err := client.Write(data)
		if err == nil {
			err = client.CloseWrite()
		}
		var got []byte
		buffer := make([]byte, 23)
		for {
			n, readErr := conn.Read(buffer)
			got = append(got, buffer[:n]...)
			if readErr != nil {
				want, end := readFrames(data)
				refusal, _ := errors.AsType[Refusal](readErr)
				// The door may have ended the connection while the client was still sending.
				if !errors.Is(readErr, io.EOF) && refusal == 0 && err != nil {
					break
				}
				if refusal == 0 {
					// Of a frame that breaks off, the part that was asked for last is dropped.
					require.True(t, strings.HasPrefix(want, string(got)) && len(want)-len(got) < len(buffer), "%q is not %q", got, want)
				} else {
					require.Equal(t, want, string(got), "%v", readErr)
				}
				require.Contains(t, end, refusal, "%v", readErr)
				break
			}
		}
		conn.Abort()
		<-answered
	})
}

// readFrames is what a door has to make of a client's bytes: the payload, and how it ends (0: in order), of which some
// are as good as others.
func readFrames(data []byte) (payload string, ends []Refusal) {
	var out []byte
	var packets boundary
	inMessage, length, pings := false, 0, 0
	for {
		if len(data) > 0 && inMessage && data[0] == 0x88 {
			return string(out), []Refusal{0, FrameInvalid} // a goodbye, however it goes on
		}
		if len(data) < 2 {
			return string(out), []Refusal{0}
		}
		final, opcode, size := data[0]&0x80 != 0, data[0]&0x0F, uint64(data[1]&0x7F)
		isMasked, reserved := data[1]&0x80 != 0, data[0]&0x70 != 0
		head := 2
		for _, long := range []struct {
			code  uint64
			bytes int
		}{{126, 2}, {127, 8}} {
			if data[1]&0x7F == byte(long.code) {
				if len(data) < 2+long.bytes {
					return string(out), []Refusal{0}
				}
				var wide [8]byte
				copy(wide[8-long.bytes:], data[2:2+long.bytes])
				size, head = binary.BigEndian.Uint64(wide[:]), 2+long.bytes
			}
		}
		if size > 1<<63-1 {
			return string(out), []Refusal{FrameInvalid}
		}
		var mask [4]byte
		if isMasked {
			if len(data) < head+4 {
				return string(out), []Refusal{0}
			}
			copy(mask[:], data[head:])
			head += 4
		}
		if reserved || !isMasked {
			return string(out), []Refusal{FrameInvalid}
		}
		data = data[head:]
		isControl := opcode >= 8
		isKnown := opcode <= 2 || opcode >= 8 && opcode <= 10
		switch {
		case !isKnown, isControl && (!final || size > 125):
			return string(out), []Refusal{FrameInvalid}
		case isControl:
			if uint64(len(data)) < size {
				return string(out), []Refusal{0}
			}
			if opcode == 8 {
				// A code that may not be sent, or half of one, is an invalid frame.
				return string(out), []Refusal{0, FrameInvalid}
			}
			if opcode == 9 {
				if pings++; pings > maxPings {
					return string(out), []Refusal{FrameInvalid}
				}
			}
			data = data[size:]
			continue
		case opcode == 0 && !inMessage, opcode != 0 && inMessage:
			return string(out), []Refusal{FrameInvalid}
		case opcode == 1:
			return string(out), []Refusal{TextMessage}
		}
		if opcode != 0 {
			inMessage, length = true, 0
		}
		n := min(size, uint64(len(data)))
		for i := range n {
			if length == fuzzMaxMessage {
				if n < size {
					return string(out), []Refusal{MessageTooLong, 0}
				}
				return string(out), []Refusal{MessageTooLong}
			}
			b := data[i] ^ mask[i%4]
			out = append(out, b)
			packets.pass([]byte{b})
			length++
		}
		if n < size {
			return string(out), []Refusal{0}
		}
		data = data[size:]
		if final {
			if inMessage = false; length == 0 || !packets.isBetween() {
				return string(out), []Refusal{MessageNotWhole}
			}
		}
	}
}
