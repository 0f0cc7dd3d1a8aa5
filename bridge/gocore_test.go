package bridge

import (
	"errors"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// What is the pure-Go core's own. What it promises to everybody is in contract_*_test.go.

// failingListener is a listen socket whose first accepts fail, as they do when there are no file handles left.
type failingListener struct {
	net.Listener
	mu   sync.Mutex
	left int // accepts to fail; negative: all
}

func (l *failingListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	fails := l.left != 0
	if l.left > 0 {
		l.left--
	}
	l.mu.Unlock()
	if fails {
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func startOn(t *testing.T, listener *failingListener, logger *zap.Logger) *goServer {
	t.Helper()
	config := testConfig()
	inner, err := goListen(&config)
	require.NoError(t, err)
	listener.Listener = inner
	server := newGoServer(config, logger, listener, nil, make([]uint32, config.MaxConnections))
	server.run()
	return server
}

func TestGoCoreAcceptsAgainAfterFailures(t *testing.T) {
	observed, logs := observer.New(zapcore.WarnLevel)
	server := startOn(t, &failingListener{left: 3}, zap.New(observed))
	defer server.stop(0)
	c, err := connect(t, "127.0.0.1", server.port)
	require.NoError(t, err)
	defer c.close()
	messages := make([]Message, 1)
	n, err := server.queue.poll(messages, patience)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, MessageConnection, messages[0].Type)
	assert.Equal(t, uint64(3), server.stats().AcceptErrors)
	assert.Equal(t, 1, logs.Len(), "one line for a row of failures")
}

func TestGoCoreStopsWhileAcceptsFail(t *testing.T) {
	server := startOn(t, &failingListener{left: -1}, zap.NewNop())
	for server.stats().AcceptErrors < 2 {
		time.Sleep(time.Millisecond)
	}
	within(t, "stop", func() { server.stop(0) })
}

// The generation of a slot wraps around, and 0 is left out: no id is ever 0.
func TestGoCoreGenerationWraps(t *testing.T) {
	core := NewGoCore(nil).(*goCore)
	core.generations = []uint32{math.MaxUint32 - 1}
	config := testConfig()
	config.MaxConnections = 1
	s := &subject{t: t, core: core}
	s.start(config)
	defer func() { assert.NoError(t, core.Close()) }()
	for _, generation := range []uint32{math.MaxUint32, 1, 2} {
		c, id := s.dialUntilServed()
		require.Equal(t, generation, id.Generation())
		c.close()
		s.expectClose(id, ClosePeerClosed, ClosePeerReset)
		s.expectNothing()
	}
}

func TestGoCoreLogsPerformance(t *testing.T) {
	observed, logs := observer.New(zapcore.DebugLevel)
	core := NewGoCore(zap.New(observed))
	config := testConfig()
	config.PerformancePeriod = 100 * time.Millisecond
	s := &subject{t: t, core: core}
	s.start(config)
	s.eventually("two lines", func(Stats) bool { return logs.FilterMessage("performance").Len() >= 2 })
	require.NoError(t, core.Close())
	require.NotZero(t, logs.FilterMessage("listening").Len())
	require.NotZero(t, logs.FilterMessage("stopped").Len())
}

// Idle connections keep no memory for sending.
func TestGoCoreGivesSendBuffersBack(t *testing.T) {
	core := NewGoCore(nil).(*goCore)
	s := &subject{t: t, core: core}
	s.start(testConfig())
	defer func() { assert.NoError(t, core.Close()) }()
	c, id := s.connected()
	for range 10 {
		s.send(id, numbered(1, 1, 1000))
		c.expect(numbered(1, 1, 1000))
	}
	connection := core.server.Load().connection(id)
	s.eventually("the writer is idle", func(Stats) bool {
		connection.mu.Lock()
		defer connection.mu.Unlock()
		return connection.writerIdle && connection.pending == nil && connection.queued == 0
	})
}

func TestGoCoreReadsNoMoreThanItMay(t *testing.T) {
	config := Config{RecvBufferSize: 10 << 20, MaxPacketSize: 65535}
	require.Equal(t, maxChunkSize, newChunkPool(&config).size)
	config = Config{RecvBufferSize: 100, MaxPacketSize: 100}
	require.Equal(t, 100, newChunkPool(&config).size)
}

func TestGoCoreRecvBuffer(t *testing.T) {
	config := Config{RecvBufferSize: 100, MaxPacketSize: 60}
	pool := newChunkPool(&config)
	b := recvBuffer{chunk: pool.get()}
	first := b.chunk
	require.Len(t, b.space(), 100)

	// Logic has nothing: the front is used again.
	b.end, b.start = 50, 50
	require.Len(t, b.space(), 100)
	require.Same(t, first, b.chunk)

	// Logic has a packet: what follows is received behind it.
	b.chunk.users.Add(1)
	b.end, b.start = 50, 50
	require.Len(t, b.space(), 50)
	require.Same(t, first, b.chunk)

	// The next packet has begun and does not fit behind it: it moves to a chunk of its own, and not one byte changes.
	copy(first.memory[50:], []byte{60, 0, 1, 2, 3})
	b.end = 55
	require.Len(t, b.space(), 95)
	require.NotSame(t, first, b.chunk)
	require.Equal(t, []byte{60, 0, 1, 2, 3}, b.unframed())
	require.Equal(t, []byte{60, 0, 1, 2, 3}, first.memory[50:55])
	require.EqualValues(t, 1, first.users.Load())

	// It moves within its chunk when logic has nothing there.
	second := b.chunk
	copy(second.memory[50:], []byte{60, 0, 1, 2, 3})
	b.start, b.end = 50, 55
	require.Len(t, b.space(), 95)
	require.Same(t, second, b.chunk)
	require.Equal(t, []byte{60, 0, 1, 2, 3}, b.unframed())

	// A packet that fits is not moved, however little space there is.
	b.start, b.end = 0, 99
	require.Len(t, b.space(), 1)
}

// Readers wait in line for the pool: what is given back goes to the first, also when others come meanwhile.
func TestGoCorePoolIsFair(t *testing.T) {
	config := Config{RecvBufferSize: 100, MaxPacketSize: 60}
	chunks := newChunkPool(&config)
	q := newLogicQueue(1, 0)
	packet := packetOf(1, nil)
	reader := func() (*goConn, *recvBuffer) {
		b := &recvBuffer{chunk: chunks.get()}
		for range 3 {
			b.end += copy(b.chunk.memory[b.end:], packet)
		}
		return &goConn{resume: make(chan struct{}, 1)}, b
	}
	first, firstBuffer := reader()
	second, secondBuffer := reader()
	third, thirdBuffer := reader()
	add := func(c *goConn, b *recvBuffer) int { return q.addPackets(c, b, 60, &RateLimit{}).bytes / len(packet) }
	require.Equal(t, 1, add(first, firstBuffer))
	require.Zero(t, add(second, secondBuffer))
	require.Zero(t, add(third, thirdBuffer))
	require.Zero(t, add(second, secondBuffer), "a reader that looks again stays where it is")
	require.Equal(t, []*goConn{first, second, third}, q.inLine)
	messages := make([]Message, 10)
	for _, next := range []struct {
		c *goConn
		b *recvBuffer
	}{{first, firstBuffer}, {second, secondBuffer}, {third, thirdBuffer}, {first, firstBuffer}} {
		n, err := q.poll(messages, 0)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = q.poll(messages, 0) // gives it back: the first in line gets it
		require.NoError(t, err)
		require.Zero(t, n)
		require.Len(t, next.c.resume, 1)
		<-next.c.resume
		for _, other := range []struct {
			c *goConn
			b *recvBuffer
		}{{first, firstBuffer}, {second, secondBuffer}, {third, thirdBuffer}} {
			if other.c != next.c {
				require.Zero(t, add(other.c, other.b), "it is not its turn")
			}
		}
		require.Equal(t, 1, add(next.c, next.b))
	}

	// One that ends while it waits, or has been granted its turn, gives it to the next.
	_, err := q.poll(messages, 0)
	require.NoError(t, err)
	_, err = q.poll(messages, 0)
	require.NoError(t, err)
	require.Equal(t, 1, second.granted)
	q.open = 2
	q.addClose(second, CloseLogic)
	require.Equal(t, 1, third.granted)
	require.Equal(t, 1, add(third, thirdBuffer))
	q.addClose(third, CloseLogic)
	n, err := q.poll(messages, 0)
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

func TestPeerText(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:50000":           "127.0.0.1:50000",
		"[::1]:50000":               "[::1]:50000",
		"[::ffff:10.1.2.3]:50000":   "10.1.2.3:50000",
		"[2001:db8::1]:1":           "[2001:db8::1]:1",
		"something that is no addr": "something that is no addr",
	} {
		require.Equal(t, want, peerText(textAddr(address)))
	}
}

type textAddr string

func (textAddr) Network() string  { return "tcp" }
func (a textAddr) String() string { return string(a) }
