package serverrun

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// signals are what asks the process for something.
type signals struct {
	stop <-chan os.Signal
	// hangUp: SIGHUP asks for a reload, or tells that the terminal is gone. On a channel of its own, so that many of them
	// cannot take the place of one that stops.
	hangUp <-chan os.Signal
}

// catchSignals delivers what asks the process to end, Ctrl+C (on Windows also Ctrl+Break) and SIGTERM, and SIGHUP. On
// Windows the Go runtime turns the console's close, log-off and shutdown events into SIGTERM, and lets the system wait
// as long as somebody listens. Delivery never ends: a signal that comes while the process is about to exit would end it
// with another exit code than that of its stop.
func catchSignals() signals {
	stop := make(chan os.Signal, 2) // the second one counts too
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	hangUp := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it on purpose
		signal.Notify(hangUp, syscall.SIGHUP)
	}
	return signals{stop, hangUp}
}

// hadTerminal: the process began with a terminal that could be closed.
var hadTerminal = hasTerminal()

// isTerminalGone reports whether a SIGHUP was the system's, because the terminal that the process runs on was closed:
// that is a wish to stop.
func isTerminalGone() bool { return hadTerminal && !hasTerminal() }

// ignoreBrokenPipes lets a write to a pipe whose reader has ended fail with an error. Otherwise the Go runtime ends the
// process when the pipe is standard output or error, so that Ctrl+C at "chatserver 2>&1 | tee log", which ends tee as
// well, would cut the stop off. Windows knows no such signal.
func ignoreBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }

// closeEventTime is what a stop may take after the console's close event: Windows ends the process after 5 s, whatever
// it is doing, and then with another exit code than 0.
const closeEventTime = 4 * time.Second

// isHurried reports whether the system leaves no time for a drain.
func isHurried(signal os.Signal) bool { return runtime.GOOS == "windows" && signal == syscall.SIGTERM }

// stopTime is how long a stop may take that a signal asked for.
func stopTime(signal os.Signal, limit time.Duration) time.Duration {
	if isHurried(signal) {
		return min(limit, closeEventTime)
	}
	return limit
}

// drainTime is how long clients may take to leave after a signal.
func (s *server) drainTime(signal os.Signal) time.Duration {
	if isHurried(signal) {
		return 0
	}
	return s.current().options.Drain
}
