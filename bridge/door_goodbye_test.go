package bridge

import (
	"bytes"
	"compress/flate"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/doorclient"
)

// Clients that say goodbye in the middle of a message, where a Close frame may come, do no harm to others whose messages
// are being unpacked, and get their answer.
func TestDoorGoodbyeInsideAMessage(t *testing.T) {
	const request = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
	const firstOfMany, packed = 0x02, 0x40
	goodbye := append(doorclient.FrameHeader(doorclient.WholeClose, 2), 0x03, 0xE8) // 1000
	packet := packetOf(1, []byte("abcabcabcabcabcabcabcabc"))
	message := pack(t, packet)
	for name, mode := range map[string]stream.Compression{"off": stream.NoCompression, "message": stream.CompressMessages,
		"context": stream.CompressContext} {
		t.Run(name, func(t *testing.T) {
			core := NewDoor(Door{Name: "ws", WebSocket: &stream.WebSocket{MaxMessage: 4096, Compression: mode}}, nil)
			s := &subject{t: t, kind: testCore{door: wsDoor}, core: core}
			s.start(testConfig())
			t.Cleanup(func() { assert.NoError(t, core.Close()) })
			s.runLogic(echo)
			opcode, payload := byte(firstOfMany), packet
			if mode != stream.NoCompression {
				opcode, payload = firstOfMany|packed, message
			}
			comeIn := func() *client {
				c := s.dialBelow()
				c.write([]byte(request))
				response, err := http.ReadResponse(c.reader, nil)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
				return c
			}
			innocent := comeIn()
			for range 50 {
				for _, length := range []int{0, 1, len(payload) / 2} {
					c := comeIn()
					c.write(doorclient.FrameHeader(opcode, length), payload[:length], goodbye)
					answer := make([]byte, 4)
					_, err := io.ReadFull(c.reader, answer)
					require.NoError(t, err)
					require.Equal(t, []byte{doorclient.WholeClose, 2, 0x03, 0xE8}, answer)
					c.expectEOF()
				}
				innocent.write(doorclient.FrameHeader(opcode|0x80, len(payload)), payload)
				first, err := innocent.reader.ReadByte()
				require.NoError(t, err)
				require.Equal(t, byte(doorclient.WholeBinary), first, "short messages are not packed")
				length, err := innocent.reader.ReadByte()
				require.NoError(t, err)
				answer := make([]byte, length)
				_, err = io.ReadFull(innocent.reader, answer)
				require.NoError(t, err)
				require.Equal(t, packet, answer)
			}
			require.EqualValues(t, 150, s.core.Stats().Closed[ClosePeerClosed])
		})
	}
}

// pack is how RFC 7692 packs a message.
func pack(t *testing.T, message []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer, err := flate.NewWriter(&packed, flate.BestCompression)
	require.NoError(t, err)
	_, err = writer.Write(message)
	require.NoError(t, err)
	require.NoError(t, writer.Flush())
	return bytes.TrimSuffix(packed.Bytes(), []byte{0, 0, 0xFF, 0xFF})
}
