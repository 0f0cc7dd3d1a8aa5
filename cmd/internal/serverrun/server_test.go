package serverrun

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds everything that a test waits for: far more than is needed, so that only a hang reaches it.
const patience = 30 * time.Second

// stubCore is a core without a network. Poll waits until the test, or a stop, gives it something.
type stubCore struct {
	bridge.Core // the rest must not be called
	startError  error
	stopError   error      // of BeginStop
	polls       chan error // what Poll returns
	wakes       chan struct{}
	onBeginStop func()
	onWake      func()

	mutex  sync.Mutex
	calls  []string
	drains []time.Duration
}

func newStubCore() *stubCore {
	c := &stubCore{polls: make(chan error, 1), wakes: make(chan struct{}, 1)}
	c.onBeginStop = func() { c.polls <- bridge.ErrStopped }
	c.onWake = func() { c.wakes <- struct{}{} }
	return c
}

func (c *stubCore) note(call string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.calls = append(c.calls, call)
}

func (c *stubCore) Name() string              { return "stub" }
func (c *stubCore) Start(bridge.Config) error { c.note("Start"); return c.startError }
func (c *stubCore) Port() int                 { return 4711 }
func (c *stubCore) Stats() bridge.Stats       { return bridge.Stats{ConnectionsAccepted: 3} }
func (c *stubCore) Close() error              { c.note("Close"); return nil }
func (c *stubCore) WakePoll()                 { c.note("WakePoll"); c.onWake() }
func (c *stubCore) BeginStop() error {
	c.note("BeginStop")
	c.onBeginStop()
	return c.stopError
}

func (c *stubCore) Stop(drain time.Duration) error {
	c.note("Stop")
	c.drains = append(c.drains, drain)
	return nil
}

func (c *stubCore) Poll([]bridge.Message, time.Duration) (int, error) {
	select {
	case err := <-c.polls:
		return 0, err
	case <-c.wakes:
		return 0, nil
	}
}

type stubLogic struct{}

func (stubLogic) HandleMessage(*bridge.Message, *bridge.SendBatch) {}
func (stubLogic) Summary() []zap.Field                             { return []zap.Field{zap.Int("jokes", 1)} }

type fixture struct {
	*server
	core    *stubCore
	logs    *observer.ObservedLogs
	signals chan os.Signal
	hangUps chan os.Signal
	stdout  *bytes.Buffer
	exits   chan int
}

func newFixture(stopTimeout time.Duration) *fixture {
	logCore, logs := observer.New(zapcore.DebugLevel)
	f := &fixture{core: newStubCore(), logs: logs, signals: make(chan os.Signal, 2),
		hangUps: make(chan os.Signal, 1), stdout: &bytes.Buffer{},
		exits: make(chan int, 1)}
	set := settings.New("stub")
	c := &configuration{set: set}
	c.options.declare(set, bridge.HeaderLength, bridge.RateLimit{})
	c.options.Admin = ""
	f.server = &server{
		name:          "stub",
		configuration: c,
		startedWith:   set,
		stopTimeout:   stopTimeout,
		level:         zap.NewAtomicLevel(),
		logger:        zap.New(logCore),
		core:          f.core,
		logic:         stubLogic{},
		loop:          bridge.NewLoop(f.core, stubLogic{}),
		signals:       signals{f.signals, f.hangUps},
		stopAsked:     make(chan time.Duration),
		reloadQueue:   make(chan reloadRequest, 1),
		over:          make(chan struct{}),
		stdout:        f.stdout,
		exit:          func(code int) { f.exits <- code },
		forcedStop:    patience,
	}
	return f
}

func TestServeUntilASignal(t *testing.T) {
	f := newFixture(time.Minute)
	f.signals <- os.Interrupt
	require.NoError(t, f.serve())
	assert.Equal(t, []string{"Start", "BeginStop", "Stop", "Close"}, f.core.calls)
	assert.InDelta(t, time.Minute, f.core.drains[0], float64(10*time.Second), "what is left of the drain")
	assert.Equal(t, "listening on port 4711\n", f.stdout.String())

	ready := f.logs.FilterMessage("ready").All()
	require.Len(t, ready, 1)
	assert.Equal(t, "stub", ready[0].ContextMap()["core"])
	assert.EqualValues(t, 4711, ready[0].ContextMap()["port"])
	totals := f.logs.FilterMessage("totals").All()
	require.Len(t, totals, 1)
	assert.EqualValues(t, 3, totals[0].ContextMap()["connections_accepted"])
	assert.EqualValues(t, 1, totals[0].ContextMap()["jokes"])
}

func TestACoreThatDoesNotStart(t *testing.T) {
	f := newFixture(time.Second)
	f.core.startError = errors.New("port in use")
	assert.ErrorIs(t, f.serve(), f.core.startError)
	assert.Equal(t, []string{"Start", "Close"}, f.core.calls)
	assert.Empty(t, f.stdout.String())
}

func TestACoreThatFails(t *testing.T) {
	f := newFixture(time.Second)
	broken := errors.New("broken")
	f.core.polls <- broken
	assert.ErrorIs(t, f.serve(), broken)
	assert.Equal(t, []string{"Start", "Close"}, f.core.calls)

	f = newFixture(time.Second)
	f.core.polls <- bridge.ErrStopped
	assert.EqualError(t, f.serve(), "the core stopped by itself")
}

// The logic may be looking at the core's memory, so the loop ends before the core does, also when time is over.
func TestAStopThatTakesTooLong(t *testing.T) {
	f := newFixture(20 * time.Millisecond)
	f.core.onBeginStop = func() {} // never delivers everything
	f.signals <- os.Interrupt
	require.NoError(t, f.serve())
	assert.Equal(t, []string{"Start", "BeginStop", "WakePoll", "Stop", "Close"}, f.core.calls)
	assert.Zero(t, f.core.drains[0])
	assert.Equal(t, 1, f.logs.FilterLevelExact(zap.WarnLevel).Len())
}

// A logic that does not end may still be looking at the core's memory, so the core is not closed.
func TestALogicThatDoesNotEnd(t *testing.T) {
	f := newFixture(time.Millisecond)
	f.server.forcedStop = time.Millisecond
	f.core.onBeginStop = func() {} // never delivers everything
	f.core.onWake = func() {}      // and never lets Poll return
	f.signals <- os.Interrupt
	assert.EqualError(t, f.serve(), "the logic loop does not end")
	f.core.mutex.Lock()
	assert.Equal(t, []string{"Start", "BeginStop", "WakePoll"}, f.core.calls)
	f.core.mutex.Unlock()
	f.core.polls <- bridge.ErrStopped // the process would be gone; let the test end
}

// The loop still polls then, so it has to end before the core is closed.
func TestACoreThatCannotStop(t *testing.T) {
	f := newFixture(time.Minute)
	f.core.stopError = errors.New("broken")
	f.core.onBeginStop = func() {}
	f.signals <- os.Interrupt
	require.ErrorIs(t, f.serve(), f.core.stopError)
	assert.Equal(t, []string{"Start", "BeginStop", "WakePoll", "Close"}, f.core.calls)
}

func TestASecondSignal(t *testing.T) {
	f := newFixture(time.Minute)
	f.core.onBeginStop = func() {
		// The same Ctrl+C, passed on by a parent, does not count; one that comes later does.
		f.signals <- os.Interrupt
		for {
			select {
			case f.signals <- os.Interrupt:
				time.Sleep(time.Millisecond) // gently
			case code := <-f.exits:
				assert.Equal(t, ExitError, code)
				f.core.polls <- bridge.ErrStopped // the process would be gone; let the test end
				return
			}
		}
	}
	start := time.Now()
	f.signals <- os.Interrupt
	require.NoError(t, f.serve())
	assert.GreaterOrEqual(t, time.Since(start), sameSignalTime)
}

func TestStopTime(t *testing.T) {
	assert.Equal(t, time.Minute, stopTime(os.Interrupt, time.Minute))
	assert.LessOrEqual(t, stopTime(syscall.SIGTERM, time.Minute), time.Minute)
	assert.Equal(t, time.Second, stopTime(syscall.SIGTERM, time.Second))
}

func TestTheLogIsJSONWhereNobodyReadsIt(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	logger, queue := newLogger(writer, &Options{LogFormat: "auto"}, zapcore.InfoLevel)
	logger.Debug("not this")
	logger.Info("this", zap.Int("n", 1))
	require.True(t, queue.Close(patience))
	require.NoError(t, writer.Close())
	content, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	assert.Regexp(t, `^\{"level":"info","ts":"[^"]+","msg":"this","n":1\}\n$`, string(content))
}
