package bridge

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"iocpnetlib/internal/doorclient"
)

// The contract of Core, as tests that every core has to pass: the files contract_*_test.go. They use real sockets, and
// wait for what happens, never for time to pass. What should happen and does not fails after patience.

const patience = 30 * time.Second

// testCore is a core that the contract is run against.
type testCore struct {
	name     string
	path     string // what Open takes
	io       IOBackend
	isInline bool // logic does the I/O: WorkThreads is 0
	door     testDoor
}

// coresUnderTest lists the cores: the pure-Go one, and the native one in each of its ways to do I/O, unless the program
// is built without cgo. A native core that is not there fails the tests: a run that tested half of it would look like a
// run that tested it.
func coresUnderTest() []testCore {
	cores := []testCore{{name: "go", path: CoreGo}}
	if nativeSupported {
		backends := []IOBackend{IOEpoll, IOUring}
		if runtime.GOOS == "windows" {
			backends = []IOBackend{IOCP}
		}
		for _, io := range backends {
			cores = append(cores, testCore{name: io.String(), path: CoreAuto, io: io},
				testCore{name: io.String() + "-inline", path: CoreAuto, io: io, isInline: true})
		}
	}
	return cores
}

func (c *testCore) open(t testing.TB, logger *zap.Logger) Core {
	if c.door != (testDoor{}) {
		return c.door.open(t, c.path, logger)
	}
	core, err := Open(c.path, logger)
	require.NoError(t, err)
	return core
}

// adapt is the config that makes the core do I/O in this way.
func (c *testCore) adapt(config Config) Config {
	config.IOBackend = c.io
	if c.isInline || c.door.beside {
		config.WorkThreads = 0
	}
	return config
}

// subject is a core in a test, and the logic side of it.
type subject struct {
	t    *testing.T
	kind testCore
	core Core
	logs *observer.ObservedLogs
	life life

	maxPacketSize int // as it was started

	proxyHeader string // what clients begin with, below what the door speaks
	cutsHeader  bool   // byte by byte

	isPolled   atomic.Bool // by runLogic
	earlyMutex sync.Mutex
	early      []got // taken by doIO, not yet by next
}

// got is a copy of a Message that stays valid.
type got struct {
	id     ConnectionID
	kind   MessageType
	data   []byte
	reason CloseReason
}

// onEachCore runs a test of the contract on every core. The core is closed, and has to leave nothing behind.
func onEachCore(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	onCores(t, append(coresUnderTest(), doorsUnderTest()...), test)
}

// onEachByteStream is onEachCore for what has no messages that keep bytes together.
func onEachByteStream(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	onCores(t, append(coresUnderTest(), testCore{name: "tls", door: testDoor{Kind: doorclient.Kind{TLS: true}}}), test)
}

// onEachTCPCore is onEachCore for what happens to the TCP connection below a door.
func onEachTCPCore(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	onCores(t, coresUnderTest(), test)
}

// onEachThreadedCore is onEachCore for what a core does while logic rests, or holds what it was given: without I/O
// threads nothing happens then.
func onEachThreadedCore(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	onCores(t, threaded(append(coresUnderTest(), doorsUnderTest()...)), test)
}

// onEachCoreAtOnce is onEachCore for tests that mostly wait for time to pass: the cores wait together.
func onEachCoreAtOnce(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	atOnce(t, append(coresUnderTest(), doorsUnderTest()...), test)
}

// onEachThreadedCoreAtOnce is onEachThreadedCore, likewise.
func onEachThreadedCoreAtOnce(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	atOnce(t, threaded(append(coresUnderTest(), doorsUnderTest()...)), test)
}

func threaded(cores []testCore) []testCore {
	return slices.DeleteFunc(cores, func(c testCore) bool { return c.isInline })
}

func atOnce(t *testing.T, cores []testCore, test func(t *testing.T, s *subject)) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
	for _, c := range cores {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onCore(t, c, test)
		})
	}
}

func onCores(t *testing.T, cores []testCore, test func(t *testing.T, s *subject)) {
	t.Helper()
	for _, c := range cores {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { goleak.VerifyNone(t) })
			onCore(t, c, test)
		})
	}
}

func onCore(t *testing.T, c testCore, test func(t *testing.T, s *subject)) {
	t.Helper()
	observed, logs := observer.New(zapcore.DebugLevel)
	s := &subject{t: t, kind: c, core: c.open(t, zap.New(observed)), logs: logs}
	t.Cleanup(func() { assert.NoError(t, s.core.Close()) })
	test(t, s)
}

// testConfig is for small tests: loopback, any port, a close that hangs is cut off within a test's patience.
func testConfig() Config {
	config := DefaultConfig()
	config.BindAddress = "127.0.0.1"
	config.Port = 0
	config.WorkThreads = 2
	config.MaxConnections = 100
	return config
}

func (s *subject) start(config Config) {
	s.t.Helper()
	s.life, s.early = life{}, nil
	s.maxPacketSize = config.MaxPacketSize
	require.NoError(s.t, s.core.Start(s.kind.adapt(config)))
	require.NotZero(s.t, s.port())
}

// port is where clients connect.
func (s *subject) port() int { return s.kind.door.port(s.core) }

// next is the next message, copied. Each message is given back to the core one by one, at the latest by the next call.
func (s *subject) next() got {
	s.t.Helper()
	message, err := s.nextOrError()
	require.NoError(s.t, err)
	return message
}

func (s *subject) nextOrError() (got, error) {
	s.t.Helper()
	if m, found := s.takeEarly(); found {
		return m, nil
	}
	var messages [1]Message
	n, err := s.core.Poll(messages[:], patience)
	if err != nil {
		return got{}, err
	}
	require.Equal(s.t, 1, n, "no message came")
	return s.take(&messages[0]), nil
}

func (s *subject) take(m *Message) got {
	s.t.Helper()
	require.NoError(s.t, s.life.see(m))
	return got{m.ID, m.Type, bytes.Clone(m.Data), m.Reason}
}

func (s *subject) takeEarly() (m got, found bool) {
	s.earlyMutex.Lock()
	defer s.earlyMutex.Unlock()
	if len(s.early) == 0 {
		return got{}, false
	}
	m, s.early = s.early[0], s.early[1:]
	return m, true
}

// doIO lets a core without threads of its own do what there is to do. What comes of it is kept for next.
func (s *subject) doIO() {
	s.t.Helper()
	if !s.kind.isInline || s.isPolled.Load() {
		return
	}
	s.earlyMutex.Lock()
	defer s.earlyMutex.Unlock()
	var messages [1]Message
	n, err := s.core.Poll(messages[:], 0)
	if !errors.Is(err, ErrStopped) && !errors.Is(err, ErrNotStarted) && !errors.Is(err, ErrBusy) { // a loop is at it
		require.NoError(s.t, err)
	}
	if n == 1 {
		s.early = append(s.early, s.take(&messages[0]))
	}
}

func (s *subject) expectConnection() ConnectionID {
	s.t.Helper()
	m := s.next()
	require.Equal(s.t, MessageConnection, m.kind)
	return m.id
}

func (s *subject) expectPacket(id ConnectionID, packet []byte) {
	s.t.Helper()
	m := s.next()
	require.Equal(s.t, MessageRecv, m.kind, "reason %v", m.reason)
	require.Equal(s.t, id, m.id)
	require.Equal(s.t, packet, m.data)
}

func (s *subject) expectClose(id ConnectionID, reasons ...CloseReason) {
	s.t.Helper()
	m := s.next()
	require.Equal(s.t, MessageClose, m.kind)
	require.Equal(s.t, id, m.id)
	require.Contains(s.t, reasons, m.reason)
}

// expectNothing takes what is there without waiting, and requires it to be nothing. It gives the last message back.
func (s *subject) expectNothing() {
	s.t.Helper()
	require.Empty(s.t, s.early)
	var messages [1]Message
	n, err := s.core.Poll(messages[:], 0)
	require.NoError(s.t, err)
	require.Zero(s.t, n, "%+v", messages[0])
}

func (s *subject) send(id ConnectionID, packets ...[]byte) {
	s.t.Helper()
	var batch SendBatch
	for _, packet := range packets {
		batch.Send(id, packet)
	}
	require.NoError(s.t, s.core.Submit(&batch))
}

func (s *subject) disconnect(id ConnectionID) {
	s.t.Helper()
	var batch SendBatch
	batch.Disconnect(id)
	require.NoError(s.t, s.core.Submit(&batch))
}

// eventually waits until the counters are as they should be, without polling messages.
func (s *subject) eventually(what string, is func(stats Stats) bool) Stats {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s.doIO()
		stats := s.core.Stats()
		if is(stats) {
			return stats
		}
		if time.Now().After(deadline) {
			require.Fail(s.t, "never came true: "+what, "%+v", stats)
		}
	}
}

// warned waits for a log line of level Warn that has every one of the texts in it or its fields.
func (s *subject) warned(texts ...string) {
	s.t.Helper()
	s.eventually("a warning", func(Stats) bool {
		return slices.ContainsFunc(s.logs.FilterLevelExact(zapcore.WarnLevel).All(), func(e observer.LoggedEntry) bool {
			line, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "message"}).EncodeEntry(e.Entry, e.Context)
			require.NoError(s.t, err)
			return !slices.ContainsFunc(texts, func(text string) bool { return !bytes.Contains(line.Bytes(), []byte(text)) })
		})
	})
}

// logic is a logic loop in its own goroutine.
type logic struct {
	s     *subject
	ended chan struct{}
	once  sync.Once
}

// runLogic polls until the core stops and lets handle answer each message. The core is stopped and the loop has ended
// when the test ends; await does it earlier.
func (s *subject) runLogic(handle func(m *Message, batch *SendBatch)) *logic {
	l := &logic{s: s, ended: make(chan struct{})}
	s.isPolled.Store(true)
	s.t.Cleanup(l.stop)
	go func() {
		defer close(l.ended)
		defer s.isPolled.Store(false)
		if core, ok := s.core.(threadBound); ok && core.bindsThread() { // as Loop.Run does
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
		}
		messages := make([]Message, 64)
		var batch SendBatch
		for {
			n, err := s.core.Poll(messages, WaitForever)
			if errors.Is(err, ErrStopped) || errors.Is(err, ErrNotStarted) {
				return
			}
			if !assert.NoError(s.t, err) {
				return
			}
			for i := range messages[:n] {
				assert.NoError(s.t, s.life.see(&messages[i]))
				handle(&messages[i], &batch)
			}
			// Stop may have come meanwhile: a call during it may be told so, or find that it has ended.
			if err := s.core.Submit(&batch); !errors.Is(err, ErrNotStarted) && !errors.Is(err, ErrStopped) {
				assert.NoError(s.t, err)
			}
			batch.Reset()
		}
	}()
	return l
}

// stop stops the core, without a drain, and waits for the loop to end.
func (l *logic) stop() {
	l.once.Do(func() {
		if err := l.s.core.Stop(0); !errors.Is(err, ErrNotStarted) {
			assert.NoError(l.s.t, err)
		}
	})
	l.wait()
}

// wait waits for the loop to end.
func (l *logic) wait() {
	select {
	case <-l.ended:
	case <-time.After(patience):
		assert.Fail(l.s.t, "the logic loop did not end")
	}
}

// echo is logic that sends every packet back.
func echo(m *Message, batch *SendBatch) {
	if m.Type == MessageRecv {
		batch.Send(m.ID, m.Data)
	}
}

// within fails the test if f does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		require.Fail(t, "did not return: "+what)
	}
}

// life checks what logic is told of the connections: for each one Connection, packets, one Close, nothing after it,
// and at most one connection in a slot.
type life struct {
	mu          sync.Mutex
	inSlot      map[int]ConnectionID
	ended       map[ConnectionID]bool
	connections int
	closes      int
	reasons     [CloseReasonCount]int
}

func (l *life) see(m *Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inSlot == nil {
		l.inSlot, l.ended = map[int]ConnectionID{}, map[ConnectionID]bool{}
	}
	slot := m.ID.Index()
	switch {
	case m.ID == 0 || m.ID.Generation() == 0:
		return errors.New("a message without a connection")
	case l.ended[m.ID]:
		return errors.New("a message after Close")
	case m.Type == MessageConnection:
		if _, taken := l.inSlot[slot]; taken {
			return errors.New("a Connection in a slot that is in use")
		}
		l.inSlot[slot] = m.ID
		l.connections++
	case l.inSlot[slot] != m.ID:
		return errors.New("a message before Connection")
	case m.Type == MessageClose:
		if m.Reason == CloseNone || m.Reason >= CloseReasonCount || len(m.Data) != 0 {
			return errors.New("a Close without a reason, or with data")
		}
		delete(l.inSlot, slot)
		l.ended[m.ID] = true
		l.closes++
		l.reasons[m.Reason]++
	case m.Type != MessageRecv:
		return errors.New("a message of no known type")
	}
	return nil
}

func (l *life) counts() (connections, closes int, reasons [CloseReasonCount]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connections, l.closes, l.reasons
}
