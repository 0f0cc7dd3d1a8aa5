package doorclient

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire is what is below a WebSocket: what comes, and what was sent.
type wire struct {
	io.Reader
	bytes.Buffer
}

func (w *wire) Read(p []byte) (int, error) { return w.Reader.Read(p) }

func newWire(comes string) (*WebSocket, *wire) {
	w := &wire{Reader: strings.NewReader("HTTP/1.1 101 Switching Protocols\r\n\r\n" + comes)}
	c, err := upgrade(w, 1024)
	if err != nil {
		panic(err)
	}
	w.Reset() // the request
	return c, w
}

// messages takes frames apart, each of which has to be a whole binary message.
func messages(t *testing.T, frames []byte) (payloads [][]byte) {
	t.Helper()
	for len(frames) > 0 {
		require.EqualValues(t, WholeBinary, frames[0])
		length, header := int(frames[1]&0x7f), 6
		if length == 126 {
			length, header = int(binary.BigEndian.Uint16(frames[2:])), 8
		}
		payload := bytes.Clone(frames[header : header+length])
		for i := range payload {
			payload[i] ^= frames[header-4+i%4]
		}
		payloads = append(payloads, payload)
		frames = frames[header+length:]
	}
	return payloads
}

// However packets are cut, messages have whole ones, and no more of them than servers take at once.
func TestMessagesHaveWholePackets(t *testing.T) {
	var packets []byte
	for i := range 300 {
		packet := make([]byte, headerLength+i*3)
		binary.LittleEndian.PutUint16(packet, uint16(len(packet)))
		packets = append(packets, packet...)
	}
	for _, piece := range []int{1, 2, 7, 1021, 40_000, len(packets)} {
		c, w := newWire("")
		for rest := packets; len(rest) > 0; {
			n := min(piece, len(rest))
			written, err := c.Write(rest[:n])
			require.NoError(t, err)
			require.Equal(t, n, written)
			rest = rest[n:]
		}
		var all []byte
		for _, message := range messages(t, w.Bytes()) {
			require.LessOrEqual(t, len(message), longMessage)
			all = append(all, message...)
			for len(message) > 0 {
				length := int(binary.LittleEndian.Uint16(message))
				require.LessOrEqual(t, length, len(message))
				message = message[length:]
			}
		}
		require.True(t, bytes.Equal(packets, all), "in pieces of %d bytes", piece)
	}
}

// What breaks the protocol is a message as it is, behind the packets before it.
func TestWhatIsNoPacketIsSent(t *testing.T) {
	for _, wrong := range []string{"\x04\x00\xc9\x00", "\x01\x04\xc9\x00\x00", "\x00\x00"} {
		c, w := newWire("")
		_, err := c.Write([]byte("\x05\x00\xd1\x00\x00" + wrong))
		require.NoError(t, err)
		assert.Equal(t, [][]byte{[]byte("\x05\x00\xd1\x00\x00"), []byte(wrong)}, messages(t, w.Bytes()))
	}
}

// A ping and a goodbye are answered, but never inside a message that is half sent.
func TestAnswersDoNotCutAMessage(t *testing.T) {
	const comes = "\x89\x01p" + "\x82\x02hi" + "\x88\x02\x03\xe8"
	for sent, answers := range map[string]string{
		"": "\x8a\x81\x00\x00\x00\x00p" + "\x88\x82\x00\x00\x00\x00\x03\xe8", "\x05\x00": "",
	} {
		c, w := newWire(comes)
		_, err := c.Write([]byte(sent))
		require.NoError(t, err)
		w.Reset()
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.Equal(t, "hi", string(got))
		assert.Equal(t, 1000, c.CloseCode())
		assert.Equal(t, answers, w.String())
	}
}
