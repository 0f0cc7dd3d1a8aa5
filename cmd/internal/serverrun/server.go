package serverrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/admin"
	"iocpnetlib/cmd/internal/settings"
)

// forcedStopTime is how long the loop may take to finish its turn once the time for a stop is over. A turn takes
// microseconds; this is for a machine that stands still.
const forcedStopTime = 2 * time.Second

// sameSignalTime is how long after the first signal a second one is taken for its echo.
const sameSignalTime = 500 * time.Millisecond

// server is a program whose settings were fine.
type server struct {
	name        string
	reconfigure func() (*configuration, error) // loads the settings again
	level       zap.AtomicLevel
	logger      *zap.Logger
	logQueue    *logQueue
	core        bridge.Core
	doors       *doors
	logic       Logic
	loop        *bridge.Loop
	signals     signals
	stopAsked   chan time.Duration // by the admin page, with the time for a drain; no room
	reloadQueue chan reloadRequest // one may wait
	over        chan struct{}      // closed when nobody takes requests any more
	overOnce    sync.Once
	startedWith *settings.Set
	stopTimeout time.Duration // the core's connections are started with it, so it cannot change
	stdout      io.Writer

	forcedStop time.Duration  // forcedStopTime
	exit       func(code int) // ends the process

	mutex         sync.Mutex
	configuration *configuration // what holds now; itself it does not change
	state         admin.State

	applying  sync.Mutex // held while a reload touches loop and core
	isClosing bool       // with applying: nothing may touch them any more
}

func (s *server) closeOver() { s.overOnce.Do(func() { close(s.over) }) }

// errLoopStuck is the end of a server whose logic does not come back from a turn.
var errLoopStuck = errors.New("the logic loop does not end")

// current is the configuration that holds now.
func (s *server) current() *configuration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.configuration
}

// State tells how far the server has come. Any goroutine.
func (s *server) State() admin.State {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.state
}

// setState tells whoever asks, and systemd. atMost is how long the state may last, 0: for ever.
func (s *server) setState(state admin.State, atMost time.Duration) {
	s.mutex.Lock()
	s.state = state
	s.mutex.Unlock()
	notifySystemd(state, atMost, s.logger)
}

// loopRun is the logic loop while it runs.
type loopRun struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // why it ended; to be read after done
}

func (s *server) startLoop() *loopRun {
	ctx, cancel := context.WithCancel(context.Background())
	run := &loopRun{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(run.done)
		run.err = s.loop.Run(ctx)
	}()
	return run
}

// endsWithin reports whether the loop ends within a time.
func (r *loopRun) endsWithin(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.done:
		return true
	case <-timer.C:
		return false
	}
}

// endLoop ends the loop after the turn that it is in, whatever is left to do. The error is errLoopStuck.
func (s *server) endLoop(run *loopRun) error {
	run.cancel()
	select {
	case <-run.done: // its core may be stopped: nobody is to be woken
		return nil
	default:
	}
	s.core.WakePoll()
	if !run.endsWithin(s.forcedStop) {
		return errLoopStuck
	}
	return nil
}

// serve runs from the start of the core to its end and returns nil if it was told to stop.
func (s *server) serve() (err error) {
	defer func() {
		// Close frees what the logic may still be looking at when it does not end. The process ends anyway.
		if !errors.Is(err, errLoopStuck) {
			err = errors.Join(err, s.core.Close())
		}
	}()
	s.setState(admin.StateStarting, 0)
	net := &s.current().options.Net
	page, err := s.startAdmin()
	if err != nil {
		return err
	}
	if page != nil {
		defer page.Close()
	}
	defer s.closeOver()
	s.warnOfDescriptors(&s.current().options)
	if err := s.core.Start(*net); err != nil {
		return err
	}
	run := s.startLoop()
	defer func() {
		if !errors.Is(err, errLoopStuck) {
			err = errors.Join(err, s.endLoop(run)) // before the core is closed, also after an error
		}
	}()
	endReloads := s.startReloads()
	defer endReloads()
	stopWatchdog := s.startWatchdog()
	defer stopWatchdog()

	fields := []zap.Field{
		zap.String("address", addressText(net.BindAddress)),
		zap.Int("port", s.core.Port()),
		zap.String("core", s.core.Name()),
		zap.Int("io_threads", net.WorkThreads),
		zap.Int("max_connections", s.current().options.Places()),
		zap.Int("max_packet_size", net.MaxPacketSize),
	}
	if s.current().options.doorCount() > 1 || net.Port == noPort {
		fields = append(fields, zap.Any("ports", ports(s.core)))
	}
	if page != nil {
		fields = append(fields, zap.String("admin", page.URL()))
	}
	s.logger.Info("ready", fields...)
	s.setState(admin.StateReady, 0)
	// The only line of standard output, for scripts that let the system choose the port: of plain TCP, or else of the
	// first door. The log has all.
	fmt.Fprintf(s.stdout, "listening on port %d\n", s.core.Port())

	for {
		select {
		case signal := <-s.signals.stop:
			return s.end(signal.String(), s.drainTime(signal), stopTime(signal, s.stopTimeout), run)
		case <-s.signals.hangUp:
			if isTerminalGone() {
				return s.end("the terminal is gone", s.current().options.Drain, s.stopTimeout, run)
			}
			s.askForReload(reloadRequest{reason: "hangup"})
		case drain := <-s.stopAsked:
			return s.end("admin page", drain, s.stopTimeout, run)
		case <-run.done:
			return run.endedByItself()
		}
	}
}

func (r *loopRun) endedByItself() error {
	if r.err == nil {
		return errors.New("the core stopped by itself")
	}
	return r.err
}

// end lets clients leave, and then stops.
func (s *server) end(reason string, drain, limit time.Duration, run *loopRun) error {
	if drain > 0 {
		if err := s.drain(reason, drain, run); err != nil {
			return err
		}
	}
	return s.stop(reason, limit, run)
}

// drainTick is how often a drain looks whether everybody has left.
const drainTick = 50 * time.Millisecond

// drain lets nobody in any more, and waits until all clients have left, the time is over or the server is told again
// to stop.
func (s *server) drain(reason string, limit time.Duration, run *loopRun) error {
	begin := time.Now()
	s.logger.Info("draining: nobody comes in any more, clients may leave by themselves", zap.String("reason", reason),
		zap.Stringer("at_most", limit), zap.Uint64("connections", s.core.Stats().ConnectionsCurrent))
	s.setState(admin.StateDraining, limit+s.stopTimeout+2*s.forcedStop)
	if err := s.core.StopAccepting(); err != nil {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	ticker := time.NewTicker(drainTick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if s.core.Stats().ConnectionsCurrent == 0 {
				s.logger.Info("drained: all clients have left", zap.Stringer("after", time.Since(begin)))
				return nil
			}
		case <-timer.C:
			s.logger.Info("the time to leave is over", zap.Uint64("connections", s.core.Stats().ConnectionsCurrent))
			return nil
		case again := <-s.signals.stop:
			if time.Since(begin) < sameSignalTime {
				continue // see watchForSecondSignal
			}
			s.logger.Info("told again to stop: clients are disconnected now", zap.Stringer("signal", again))
			return nil
		case <-s.signals.hangUp:
			if !isTerminalGone() {
				s.askForReload(reloadRequest{reason: "hangup"})
			}
		case <-s.stopAsked:
			s.logger.Info("told again to stop: clients are disconnected now", zap.String("reason", "admin page"))
			return nil
		case <-run.done:
			return run.endedByItself()
		}
	}
}

// stop lets the logic handle what was received, sends what is queued, and ends within the time for a stop.
func (s *server) stop(reason string, limit time.Duration, run *loopRun) error {
	deadline := time.Now().Add(limit)
	s.logger.Info("stopping", zap.String("reason", reason), zap.Stringer("at_most", limit))
	s.setState(admin.StateStopping, limit+2*s.forcedStop)
	s.closeOver()

	stopped := make(chan struct{})
	defer close(stopped)
	go s.watchForSecondSignal(stopped)

	if err := s.core.BeginStop(); err != nil {
		return err
	}
	if !run.endsWithin(limit) {
		// The core may not free what the logic is looking at, so the loop has to end first.
		s.logger.Warn("the time for a stop is over before everything was handled")
		if err := s.endLoop(run); err != nil {
			return err
		}
	} else if run.err != nil {
		return run.err
	}
	if err := s.core.Stop(max(time.Until(deadline), 0)); err != nil {
		return err
	}
	s.logSummary()
	return nil
}

// watchForSecondSignal ends the process when it is told again to stop. What comes right after the first signal is the
// same one: Ctrl+C reaches a process twice if its parent passes it on, as timeout and some supervisors do.
func (s *server) watchForSecondSignal(stopped <-chan struct{}) {
	first := time.Now()
	for {
		select {
		case again := <-s.signals.stop:
			if time.Since(first) < sameSignalTime {
				continue
			}
			s.logger.Warn("told to stop again, ending at once", zap.Stringer("signal", again))
			s.exit(ExitError)
			return
		case <-stopped:
			return
		}
	}
}

// ports are the ports of all doors, by name.
func ports(core bridge.Core) map[string]int {
	ports := make(map[string]int)
	for _, door := range bridge.Doors(core) {
		ports[door.Name] = door.Port
	}
	return ports
}

func addressText(bind string) string {
	if bind == "" {
		return "all"
	}
	return bind
}

func (s *server) logSummary() {
	stats := s.core.Stats()
	fields := []zap.Field{
		zap.Uint64("connections_accepted", stats.ConnectionsAccepted),
		zap.Uint64("connections_refused", stats.ConnectionsRefused),
		zap.Uint64("connections_refused_at_stop", stats.RefusedAtStop),
		zap.Uint64("accept_errors", stats.AcceptErrors),
		zap.Uint64("packets_received", stats.PacketsReceived),
		zap.Uint64("packets_sent", stats.PacketsSent),
		zap.Uint64("bytes_received", stats.BytesReceived),
		zap.Uint64("bytes_sent", stats.BytesSent),
		zap.Uint64("bytes_discarded", stats.BytesDiscardedOnClose),
		zap.Uint64("bytes_received_discarded", stats.BytesReceivedDiscarded),
		zap.Any("sends_dropped", NonZero[bridge.SendDrop](stats.SendsDropped[:])),
		zap.Uint64("receives_throttled", stats.ReceivesThrottled),
		zap.Uint64("receives_paused", stats.ReceivesPaused),
		zap.Uint64("message_pool_exhausted", stats.MessagePoolExhausted),
		zap.Uint64("close_timeouts", stats.CloseTimeouts),
		zap.Any("closed", NonZero[bridge.CloseReason](stats.Closed[:])),
	}
	s.logger.Info("totals", append(fields, s.logic.Summary()...)...)
}
