// Package serverrun runs a server program from its command line to its exit code: settings, log, core, logic loop,
// admin page, signals, reloads, and a stop that takes a bounded time.
package serverrun

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/settings"
)

// The exit codes of a server program.
const (
	ExitOK    = 0 // help or the configuration was shown, or the server was stopped
	ExitError = 1 // it could not start, its core failed, or it was told twice to stop
	ExitUsage = 2 // a setting is wrong
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
	// MinPacketSize is the smallest max-packet-size that makes sense.
	MinPacketSize int
	// DefaultRate is how much one client may send unless settings say otherwise. Its burst is not used.
	DefaultRate bridge.RateLimit
	// New makes the program's own part, with the default settings. It is called for each loading of the settings.
	New func() Part
}

// Part is the settings of one server program, and what is made of them.
type Part interface {
	// Declare adds the program's settings.
	Declare(set *settings.Set)
	// Check looks at the settings beside each other and the common ones. Its error is made with set.Refuse.
	Check(set *settings.Set, common *Options) error
	// NewLogic makes the logic.
	NewLogic(logger *zap.Logger) (Logic, error)
}

// Logic is the logic of a server.
type Logic interface {
	bridge.Handler
	// Summary is what the last log line tells of the logic. It is called after the last message.
	Summary() []zap.Field
}

// ReconfigurableLogic is Logic of a program that has settings which change while it runs.
type ReconfigurableLogic interface {
	Logic
	// Reconfigure takes over the live settings of part, which Check has found good. The logic loop calls it.
	Reconfigure(part Part)
}

// configuration is one loading of the settings.
type configuration struct {
	set     *settings.Set
	options Options
	part    Part
}

// defaults is the configuration if nobody sets anything.
func (p *Program) defaults() *configuration {
	c := &configuration{set: settings.New(p.Name), part: p.New()}
	c.options.declare(c.set, p.MinPacketSize, p.DefaultRate)
	c.part.Declare(c.set)
	return c
}

// configure loads the settings. Errors are sentences for people, or settings.ErrHelp.
func (p *Program) configure(arguments []string, isReload bool) (*configuration, error) {
	c := p.defaults()
	if isReload {
		c.set.RequireRegularFile() // a pipe that was read at the start is empty now
	}
	if err := c.set.Load(arguments, os.LookupEnv); err != nil {
		return c, err
	}
	if err := c.options.check(c.set); err != nil {
		return c, err
	}
	return c, c.part.Check(c.set, &c.options)
}

// Settings is every setting of the program with its default.
func (p *Program) Settings() []*settings.Setting { return p.defaults().set.All() }

// Main runs the program with the process's arguments and ends the process.
func (p *Program) Main() {
	os.Exit(p.command(os.Args[1:], os.Stdout, os.Stderr))
}

// command does what the first word asks for; without one it serves.
func (p *Program) command(arguments []string, stdout io.Writer, stderr *os.File) int {
	if len(arguments) > 0 {
		switch arguments[0] {
		case "--version":
			p.printVersion(stdout)
			return ExitOK
		case "certificate":
			return p.makeCertificate(arguments[1:], stdout, stderr)
		case "config":
			return p.printConfig(arguments[1:], stdout, stderr)
		case "service":
			return p.service(arguments[1:], stdout, stderr)
		}
	}
	if code, isService := p.runAsService(arguments, stdout, stderr); isService {
		return code
	}
	return p.run(arguments, catchSignals(), stdout, stderr)
}

// printVersion tells what the program was built from, as far as the Go command knows.
func (p *Program) printVersion(stdout io.Writer) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	fmt.Fprintf(stdout, "%s %s, %s %s/%s\n", p.Name, version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// printConfig shows what the server would run with, and where each value comes from.
func (p *Program) printConfig(arguments []string, stdout, stderr io.Writer) int {
	configuration, err := p.configure(arguments, false)
	if err != nil {
		return p.usage(configuration, err, stdout, stderr)
	}
	configuration.set.WriteConfig(stdout)
	return ExitOK
}

// run serves until a signal.
func (p *Program) run(arguments []string, caught signals, stdout io.Writer, stderr *os.File) int {
	c, err := p.configure(arguments, false)
	if err != nil {
		return p.usage(c, err, stdout, stderr)
	}
	options := &c.options
	ignoreBrokenPipes()
	level := zap.NewAtomicLevelAt(options.LogLevel)
	logger, queue := newLogger(stderr, options, level)
	defer queue.Close(flushTime)
	warnOfIneffective(c, logger)
	logic, err := c.part.NewLogic(logger)
	if err != nil {
		return p.usage(c, err, stdout, stderr)
	}

	core, opened, err := openCore(c, logger)
	if err != nil {
		// In the message rather than in a field: it has several lines, and tells what to do.
		logger.Error(fmt.Sprintf("%s cannot start: %v", p.Name, err))
		return ExitError
	}
	if err := enableMiniDump(core, c, logger); err != nil {
		logger.Error(fmt.Sprintf("%s cannot start: crash-dir: %v", p.Name, errors.Join(err, core.Close())))
		return ExitError
	}
	server := &server{
		name:          p.Name,
		configuration: c,
		startedWith:   c.set,
		stopTimeout:   options.StopTimeout,
		reconfigure:   func() (*configuration, error) { return p.configure(arguments, true) },
		level:         level,
		logger:        logger,
		core:          core,
		doors:         opened,
		logic:         logic,
		logQueue:      queue,
		loop:          bridge.NewLoop(core, logic),
		over:          make(chan struct{}),
		signals:       caught,
		stopAsked:     make(chan time.Duration),
		reloadQueue:   make(chan reloadRequest, 1),
		stdout:        stdout,
		forcedStop:    forcedStopTime,
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
func enableMiniDump(core bridge.Core, c *configuration, logger *zap.Logger) error {
	if c.options.CrashDir == "" {
		return nil
	}
	err := bridge.EnableMiniDump(core, c.options.CrashDir)
	if err != nil && c.set.Find("crash-dir").Source().IsDefault() {
		logger.Warn("a crash would leave no file; --crash-dir names a folder for it", zap.Error(err))
		return nil
	}
	return err
}

// usage answers a request for help, or says what is wrong with the settings.
func (p *Program) usage(c *configuration, err error, stdout, stderr io.Writer) int {
	if errors.Is(err, settings.ErrHelp) {
		fmt.Fprintf(stdout, "%s\n\nUsage: %s [options]\n       %s config [options]   show every setting and where it "+
			"comes from\n       %s certificate   make a certificate for trying out TLS\n       %s --version\n%s\n",
			p.About, p.Name, p.Name, p.Name, p.Name, serviceUsage(p.Name))
		c.set.WriteHelp(stdout)
		return ExitOK
	}
	fmt.Fprintf(stderr, "%s: %v\n%s --help lists the options.\n", p.Name, err, p.Name)
	return ExitUsage
}
