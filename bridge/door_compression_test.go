package bridge

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge/stream"
)

// With every way to pack messages, and clients that want it or do not, the packets are the same.
func TestDoorCompression(t *testing.T) {
	ours := map[string]stream.Compression{"off": stream.NoCompression, "message": stream.CompressMessages,
		"context": stream.CompressContext}
	theirs := map[string]websocket.CompressionMode{"off": websocket.CompressionDisabled,
		"message": websocket.CompressionNoContextTakeover, "context": websocket.CompressionContextTakeover}
	for name, mode := range ours {
		core := NewDoor(Door{Name: "ws", WebSocket: &stream.WebSocket{MaxMessage: 4096, Compression: mode}}, nil)
		s := &subject{t: t, kind: testCore{door: wsDoor}, core: core}
		s.start(testConfig())
		t.Cleanup(func() { assert.NoError(t, core.Close()) })
		for client, clientMode := range theirs {
			t.Run(fmt.Sprintf("server=%s/client=%s", name, client), func(t *testing.T) {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				conn, response, err := websocket.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%d/ws", s.port()),
					&websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}, CompressionMode: clientMode})
				require.NoError(t, err)
				if response.Body != nil {
					require.NoError(t, response.Body.Close())
				}
				isPacked := response.Header.Get("Sec-WebSocket-Extensions") != ""
				require.Equal(t, name != "off" && client != "off", isPacked)
				id := s.expectConnection()
				for number := range 10 {
					packet := packetOf(1, make([]byte, 1000)) // packs well
					require.NoError(t, conn.Write(ctx, websocket.MessageBinary, packet))
					s.expectPacket(id, packet)
					s.send(id, packet, numbered(0, number, 600))
					var got []byte
					for len(got) < 1605 {
						kind, message, err := conn.Read(ctx)
						require.NoError(t, err)
						require.Equal(t, websocket.MessageBinary, kind)
						got = append(got, message...)
					}
					require.Equal(t, append(packet, numbered(0, number, 600)...), got)
				}
				// The limit is for what it unpacks to.
				require.NoError(t, conn.Write(ctx, websocket.MessageBinary, manyPackets(5000)))
				for m := s.next(); m.kind == MessageRecv; m = s.next() {
					require.Equal(t, id, m.id)
				}
				s.expectNothing()
				_, _, err = conn.Read(ctx)
				require.Equal(t, websocket.StatusMessageTooBig, websocket.CloseStatus(err))
				_ = conn.CloseNow() // the library has closed it already
			})
		}
		require.EqualValues(t, 3, s.core.Stats().Closed[CloseMessageTooLong])
	}
}
