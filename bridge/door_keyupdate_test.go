package bridge

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// keyUpdater is a client of TLS 1.3 that asks for new keys (RFC 8446, 4.6.3), which crypto/tls does not do by itself.
type keyUpdater struct {
	t      *testing.T
	socket net.Conn
	secret []byte
	gcm    cipher.AEAD
	iv     []byte
	sealed uint64 // records with these keys
}

// newKeyUpdater shakes hands and has sent nothing yet.
func newKeyUpdater(t *testing.T, socket net.Conn) *keyUpdater {
	t.Helper()
	var log strings.Builder
	_, config := testCertificate()
	config = config.Clone()
	config.MinVersion, config.KeyLogWriter = tls.VersionTLS13, &log
	conn := tls.Client(socket, config)
	require.NoError(t, conn.Handshake())
	require.Equal(t, tls.TLS_AES_128_GCM_SHA256, conn.ConnectionState().CipherSuite)
	k := &keyUpdater{t: t, socket: socket}
	for line := range strings.Lines(log.String()) {
		if fields := strings.Fields(line); fields[0] == "CLIENT_TRAFFIC_SECRET_0" {
			secret, err := hex.DecodeString(fields[2])
			require.NoError(t, err)
			k.use(secret)
		}
	}
	require.NotNil(t, k.secret)
	return k
}

// expand is HKDF-Expand-Label (RFC 8446, 7.1) without a context.
func (k *keyUpdater) expand(secret []byte, label string, length int) []byte {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(length))
	info = append(append(info, byte(len(label))), label...)
	key, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), length)
	require.NoError(k.t, err)
	return key
}

func (k *keyUpdater) use(secret []byte) {
	block, err := aes.NewCipher(k.expand(secret, "key", 16))
	require.NoError(k.t, err)
	k.gcm, err = cipher.NewGCM(block)
	require.NoError(k.t, err)
	k.secret, k.iv, k.sealed = secret, k.expand(secret, "iv", 12), 0
}

// The types of records.
const (
	handshakeRecord   = 22
	applicationRecord = 23
)

// seal makes a record (RFC 8446, 5.2).
func (k *keyUpdater) seal(kind byte, content []byte) []byte {
	inner := append(append([]byte(nil), content...), kind)
	header := binary.BigEndian.AppendUint16([]byte{applicationRecord, 3, 3}, uint16(len(inner)+k.gcm.Overhead()))
	nonce := append([]byte(nil), k.iv...)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^k.sealed)
	k.sealed++
	return k.gcm.Seal(header, nonce, inner, header)
}

// update asks the server for new keys and uses new ones from then on.
func (k *keyUpdater) update() []byte {
	const keyUpdate, requested = 24, 1
	record := k.seal(handshakeRecord, []byte{keyUpdate, 0, 0, 1, requested})
	k.use(k.expand(k.secret, "traffic upd", sha256.Size))
	return record
}

// New keys are made for a client that wants some, but not for one that sends nothing else.
func TestDoorTooManyKeyUpdates(t *testing.T) {
	onDoors(t, []testDoor{tlsDoor}, func(t *testing.T, s *subject) {
		s.start(testConfig())
		c := s.dialBelow()
		k := newKeyUpdater(t, c.socket)
		id := s.expectConnection()
		go func() { _, _ = io.Copy(io.Discard, c.socket) }() // ends with the connection
		for range 100 {
			c.write(k.update(), k.seal(applicationRecord, packetOf(1, nil)))
			s.expectPacket(id, packetOf(1, nil))
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			packet := packetOf(1, make([]byte, 500))
			for i, err := 0, error(nil); err == nil; i++ {
				var updates []byte
				for range 15 { // crypto/tls ends more in a row
					updates = append(updates, k.update()...)
				}
				_, err = c.socket.Write(append(updates, k.seal(applicationRecord, packet[i%len(packet):][:1])...))
			}
		}()
		for m := s.next(); m.kind != MessageClose; m = s.next() {
			require.Equal(t, MessageRecv, m.kind)
		}
		require.EqualValues(t, 1, s.core.Stats().Closed[CloseFrameInvalid])
		s.warned(c.address(), "too many TLS records")
		s.expectNothing()
		<-ended
	})
}

// An answer that the client does not take holds up no end of its connection.
func TestDoorAnswerThatIsNotRead(t *testing.T) {
	ends := map[string]struct {
		idleTimeout time.Duration
		end         func(s *subject, id ConnectionID)
		reasons     []CloseReason
	}{
		"logic": {0, func(s *subject, id ConnectionID) { s.disconnect(id) }, []CloseReason{CloseLogic}},
		"silence": {200 * time.Millisecond, func(*subject, ConnectionID) {},
			[]CloseReason{CloseIdleTimeout, ClosePeerTimeout}}, // whether reader or writer notices
		"stop": {0, func(s *subject, _ ConnectionID) { require.NoError(s.t, s.core.BeginStop()) },
			[]CloseReason{CloseServerStop}},
	}
	t.Cleanup(func() { goleak.VerifyNone(t) })
	for name, test := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // all wait for a second
			onCore(t, testCore{path: CoreAuto, door: tlsDoor}, func(t *testing.T, s *subject) {
				config := testConfig()
				config.SendBufferSize, config.IdleTimeout = 64<<20, test.idleTimeout
				config.KeepAlive.Idle = 0 // nor does the system give up
				s.start(config)
				c := s.dialBelow()
				k := newKeyUpdater(t, c.socket)
				id := s.expectConnection()
				// More than the system takes, so that the writer waits, and the answer waits for the writer.
				for range 1000 {
					var batch SendBatch
					for range 32 {
						batch.Send(id, packetOf(2, make([]byte, 1000)))
					}
					require.NoError(t, s.core.Submit(&batch))
				}
				c.write(k.seal(applicationRecord, packetOf(1, nil)), k.update())
				s.expectPacket(id, packetOf(1, nil))
				test.end(s, id)
				s.expectClose(id, test.reasons...)
			})
		})
	}
}
