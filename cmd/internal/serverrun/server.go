package serverrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

// forcedStopTime is how long the loop may take to finish its turn once the time for a stop is over. A turn takes
// microseconds; this is for a machine that stands still.
const forcedStopTime = 2 * time.Second

// sameSignalTime is how long after the first signal a second one is taken for its echo.
const sameSignalTime = 500 * time.Millisecond

// server is a program whose options were fine.
type server struct {
	options *Options
	logger  *zap.Logger
	core    bridge.Core
	logic   Logic
	signals <-chan os.Signal
	stdout  io.Writer

	forcedStop time.Duration  // forcedStopTime
	exit       func(code int) // ends the process
}

// errLoopStuck is the end of a server whose logic does not come back from a turn.
var errLoopStuck = errors.New("the logic loop does not end")

// serve runs from the start of the core to its end and returns nil if a signal stopped it.
func (s *server) serve() (err error) {
	defer func() {
		// Close frees what the logic may still be looking at when it does not end. The process ends anyway.
		if !errors.Is(err, errLoopStuck) {
			err = errors.Join(err, s.core.Close())
		}
	}()
	if err := s.core.Start(s.options.Net); err != nil {
		return err
	}
	s.logger.Info("ready",
		zap.String("address", s.address()),
		zap.Int("port", s.core.Port()),
		zap.String("core", s.core.Name()),
		zap.Int("io_threads", s.options.Net.WorkThreads),
		zap.Int("max_connections", s.options.Net.MaxConnections),
		zap.Int("max_packet_size", s.options.Net.MaxPacketSize))
	// The only line of standard output, for scripts that let the system choose the port.
	fmt.Fprintf(s.stdout, "listening on port %d\n", s.core.Port())

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(ctx, s.core, s.logic) }()

	select {
	case signal := <-s.signals:
		return s.stop(signal, cancel, ended)
	case err := <-ended:
		if err == nil {
			err = errors.New("the core stopped by itself")
		}
		return err
	}
}

// stop lets the logic handle what was received, sends what is queued, and ends within the time for a stop.
func (s *server) stop(signal os.Signal, cancel context.CancelFunc, ended <-chan error) error {
	limit := stopTime(signal, s.options.Drain)
	deadline := time.Now().Add(limit)
	s.logger.Info("stopping", zap.Stringer("signal", signal), zap.Stringer("at_most", limit))

	stopped := make(chan struct{})
	defer close(stopped)
	go s.watchForSecondSignal(stopped)

	if err := s.core.BeginStop(); err != nil {
		return err
	}
	err, inTime := receiveBefore(ended, limit)
	if !inTime {
		// The core may not free what the logic is looking at, so the loop has to end first.
		s.logger.Warn("the time for a stop is over before everything was handled")
		cancel()
		s.core.WakePoll()
		if _, inTime = receiveBefore(ended, s.forcedStop); !inTime {
			return errLoopStuck
		}
	} else if err != nil {
		return err
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
		case again := <-s.signals:
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

// receiveBefore waits for a value, and reports whether it came in time.
func receiveBefore(values <-chan error, wait time.Duration) (error, bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case value := <-values:
		return value, true
	case <-timer.C:
		return nil, false
	}
}

func (s *server) address() string {
	if s.options.Net.BindAddress == "" {
		return "all"
	}
	return s.options.Net.BindAddress
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
