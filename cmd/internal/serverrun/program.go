// Package serverrun runs a server program from its command line to its exit code: options, log, core, logic loop,
// signals, and a stop that takes a bounded time.
package serverrun

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

// The exit codes of a server program.
const (
	ExitOK    = 0 // help was shown, or the server was stopped
	ExitError = 1 // it could not start, its core failed, or it was told twice to stop
	ExitUsage = 2 // an option is wrong
)

// How long the end of the program waits for the last log lines, when it has time and when it is to end at once. Only a
// log that nobody reads takes longer.
const (
	flushTime       = time.Second
	flushTimeAtOnce = 100 * time.Millisecond
)

// Program is what one server program adds to the common part.
type Program struct {
	Name  string // as the user types it
	About string // a sentence for the help
	// MinPacketSize is the smallest --max-packet-size that makes sense.
	MinPacketSize int
	// DefaultRate is how much one client may send unless options say otherwise. Its burst is not used.
	DefaultRate bridge.RateLimit
	// AddFlags adds options; it may be nil.
	AddFlags func(flags *flag.FlagSet)
	// NewLogic makes the logic, once the options are known. Its error is one of the options.
	NewLogic func(options *Options, logger *zap.Logger) (Logic, error)
}

// Logic is the logic of a server.
type Logic interface {
	bridge.Handler
	// Summary is what the last log line tells of the logic. It is called after the last message.
	Summary() []zap.Field
}

// Main runs the program with the process's arguments and ends the process.
func (p *Program) Main() { os.Exit(p.run(os.Args[1:], os.Stdout, os.Stderr)) }

func (p *Program) run(arguments []string, stdout io.Writer, stderr *os.File) int {
	var options Options
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	options.addFlags(flags, p.MinPacketSize, p.DefaultRate)
	if p.AddFlags != nil {
		p.AddFlags(flags)
	}
	if err := parse(flags, arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			writeHelp(stdout, flags, p.About)
			return ExitOK
		}
		return p.usageError(stderr, err)
	}
	// The receive buffer holds a few packets of any size, so that a large one does not stall those behind it.
	options.Net.RecvBufferSize = max(options.Net.RecvBufferSize, 2*options.Net.MaxPacketSize)

	// A core cuts a closing connection off after CloseTimeout, also while it stops.
	options.Net.CloseTimeout = max(options.Net.CloseTimeout, options.Drain)

	ignoreBrokenPipes()
	logger, queue := newLogger(stderr, options.LogLevel)
	defer queue.Close(flushTime)
	logic, err := p.NewLogic(&options, logger)
	if err != nil {
		return p.usageError(stderr, err)
	}

	// From here on a signal means an orderly stop, also one that comes while the core starts.
	signals, release := stopSignals()
	defer release()

	core, err := bridge.Open(options.Core, logger)
	if err != nil {
		// In the message rather than in a field: it has several lines, and tells what to do.
		logger.Error(fmt.Sprintf("%s cannot start: %v", p.Name, err))
		return ExitError
	}
	if err := enableMiniDump(core, &options.crashDir, logger); err != nil {
		logger.Error(fmt.Sprintf("%s cannot start: --crash-dir: %v", p.Name, errors.Join(err, core.Close())))
		return ExitError
	}
	server := &server{options: &options, logger: logger, core: core, logic: logic, signals: signals, stdout: stdout,
		forcedStop: forcedStopTime,
		exit: func(code int) {
			queue.Close(flushTimeAtOnce)
			os.Exit(code)
		}}
	if err := server.serve(); err != nil {
		logger.Error(fmt.Sprintf("%s failed: %v", p.Name, err))
		return ExitError
	}
	return ExitOK
}

// enableMiniDump lets crashes leave a file. A server that was not told where does not depend on it: its working
// directory may be one that it cannot write to.
func enableMiniDump(core bridge.Core, dir *crashDir, logger *zap.Logger) error {
	if dir.folder == "" {
		return nil
	}
	err := bridge.EnableMiniDump(core, dir.folder)
	if err != nil && !dir.isChosen {
		logger.Warn("a crash would leave no file; --crash-dir names a folder for it", zap.Error(err))
		return nil
	}
	return err
}

func (p *Program) usageError(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "%s: %v\n%s --help lists the options.\n", p.Name, err, p.Name)
	return ExitUsage
}
