package serverrun

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"iocpnetlib/bridge"
)

// Options are the options that every server program has.
type Options struct {
	Core     string        // what bridge.Open takes
	Net      bridge.Config // what the core is started with
	LogLevel zapcore.Level
	Drain    time.Duration // how long a stop may take

	crashDir crashDir
}

// defaultCrashDir is where crash files go unless the operator says otherwise.
const defaultCrashDir = "crash"

// crashDir is the folder for crash files; empty: there are to be none.
type crashDir struct {
	folder   string
	isChosen bool // the operator named it, so a server that cannot use it does not start
}

func (c *crashDir) String() string { return c.folder }

func (c *crashDir) Set(text string) error {
	*c = crashDir{text, true}
	return nil
}

// maxDrain is the longest drain that a core takes.
const maxDrain = 10 * time.Minute

// IntVar adds an option that is a whole number from low to high. A bad value is refused while the command line is
// read, with a message that names the option, the value and the range.
func IntVar(flags *flag.FlagSet, target *int, name string, value, low, high int, usage string) {
	*target = value
	flags.Var(&ranged{target, low, high}, name, usage)
}

// OptionalInt is an option like that of IntVar which has no default to show: target stays 0 unless it is given.
func OptionalInt(target *int, low, high int) flag.Value { return &ranged{target, low, high} }

type ranged struct {
	value     *int
	low, high int
}

func (r *ranged) String() string {
	if r.value == nil || *r.value == 0 && r.low > 0 { // nothing to show as a default
		return ""
	}
	return strconv.Itoa(*r.value)
}

func (r *ranged) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < r.low || value > r.high {
		return fmt.Errorf("allowed is a whole number from %d to %d", r.low, r.high)
	}
	*r.value = value
	return nil
}

// addFlags adds the options of o with their defaults; those of the rate limit are the program's.
func (o *Options) addFlags(flags *flag.FlagSet, minPacketSize int, rate bridge.RateLimit) {
	o.Net = bridge.DefaultConfig()
	o.LogLevel = zapcore.InfoLevel
	net := &o.Net
	net.WorkThreads = 0

	IntVar(flags, &net.Port, "port", net.Port, 0, 65535, "TCP `port` to listen on; 0: any free one")
	flags.Func("bind", "IP `address` to listen on (default all, IPv4 and IPv6)", func(text string) error {
		if text != "" {
			if _, err := netip.ParseAddr(text); err != nil {
				return errors.New("allowed is an IPv4 or IPv6 address without port, or nothing")
			}
		}
		net.BindAddress = text
		return nil
	})
	flags.StringVar(&o.Core, "core", "auto",
		"network `core`: auto for the native one, go for the one in pure Go, or the path of a core's library")
	IntVar(flags, &net.WorkThreads, "io-threads", net.WorkThreads, 0, 64,
		"`number` of I/O threads; 0: the logic loop does the I/O itself, which costs least for each message")
	flags.Func("io", "`backend` of the native core: auto, io_uring, epoll or iocp (default auto)", func(text string) (err error) {
		net.IOBackend, err = bridge.ParseIOBackend(text)
		return err
	})
	IntVar(flags, &net.MaxConnections, "max-connections", net.MaxConnections, 1, 1_000_000,
		"`number` of connections; further ones are closed at once")
	IntVar(flags, &net.MaxPacketSize, "max-packet-size", net.MaxPacketSize, minPacketSize, 65535,
		"largest packet in `bytes`, header included; a larger one closes its connection")
	IntVar(flags, &net.SendBufferSize, "send-buffer", net.SendBufferSize, 1<<16, 1<<26,
		"`bytes` that may wait for a client; one that reads so slowly that more would is disconnected")
	flags.Func("log-level", "least `level` of log lines: debug, info, warn, error (default info)",
		func(text string) error {
			switch text {
			case "debug", "info", "warn", "error":
				return o.LogLevel.UnmarshalText([]byte(text))
			}
			return errors.New("allowed is debug, info, warn or error")
		})
	o.crashDir = crashDir{folder: defaultCrashDir}
	flags.Var(&o.crashDir, "crash-dir",
		"`folder` for the file that a crash of the native core leaves, made when there is one; \"\": write none")
	o.Drain = 5 * time.Second
	durationVar(flags, &o.Drain, "drain", o.Drain, 0, maxDrain, "`time` that a stop may take to send what is queued")

	durationVar(flags, &net.FirstPacketTimeout, "login-timeout", time.Minute, 0, time.Hour,
		"`time` in which a client has to complete its first packet; 0s: for ever")
	durationVar(flags, &net.IdleTimeout, "idle-timeout", 0, 0, 24*time.Hour,
		"`time` after which a client that completes no packet is disconnected; 0s: never")
	durationVar(flags, &net.KeepAlive.Idle, "keepalive-idle", net.KeepAlive.Idle, 0, 32767*time.Second,
		"`time` of silence after which the system asks whether a client is still there; 0s: never")
	durationVar(flags, &net.KeepAlive.Interval, "keepalive-interval", net.KeepAlive.Interval, time.Second,
		32767*time.Second, "`time` between such questions")
	IntVar(flags, &net.KeepAlive.Count, "keepalive-count", net.KeepAlive.Count, 1, 127,
		"`number` of questions without an answer that end a connection")
	IntVar(flags, &net.Rate.PacketsPerSecond, "max-packet-rate", rate.PacketsPerSecond, 0, 1_000_000,
		"packets a `second` from one client; one that sends more is read more slowly; 0: no limit")
	IntVar(flags, &net.Rate.BytesPerSecond, "max-byte-rate", rate.BytesPerSecond, 0, 1<<30,
		"bytes a `second` from one client, the same; 0: no limit")
	durationVar(flags, &net.Rate.Burst, "rate-burst", net.Rate.Burst, 20*time.Millisecond, time.Minute,
		"`time` whose share at these rates a client may send at once")
}

// durationVar adds an option that is a time from low to high.
func durationVar(flags *flag.FlagSet, target *time.Duration, name string, value, low, high time.Duration,
	usage string) {
	*target = value
	flags.Var(&rangedDuration{target, low, high}, name, usage)
}

type rangedDuration struct {
	value     *time.Duration
	low, high time.Duration
}

func (d *rangedDuration) String() string {
	if d.value == nil {
		return ""
	}
	return d.value.String()
}

func (d *rangedDuration) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value < d.low || value > d.high {
		return fmt.Errorf("allowed is a time from %v to %v, such as 1500ms or 5s", d.low, d.high)
	}
	*d.value = value
	return nil
}

// parse reads the command line. It returns flag.ErrHelp when help was asked for.
func parse(flags *flag.FlagSet, arguments []string) error {
	flags.SetOutput(io.Discard) // package flag prints all options with every error, which hides the error
	flags.Usage = func() {}
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return optionError(err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return nil
}

// optionError says in the words of this program, and with two dashes, what package flag has found.
func optionError(err error) error {
	text := err.Error()
	if name, found := strings.CutPrefix(text, "flag provided but not defined: -"); found {
		return fmt.Errorf("unknown option --%s", name)
	}
	if name, found := strings.CutPrefix(text, "flag needs an argument: -"); found {
		return fmt.Errorf("option --%s needs a value", name)
	}
	if argument, found := strings.CutPrefix(text, "bad flag syntax: "); found {
		return fmt.Errorf("unexpected argument %q", argument)
	}
	return errors.New(strings.Replace(text, "flag -", "option --", 1))
}

// writeHelp lists the options with two dashes, as the documentation does; one dash works too.
func writeHelp(to io.Writer, flags *flag.FlagSet, about string) {
	fmt.Fprintf(to, "%s\n\nUsage: %s [options]\n\n", about, flags.Name())
	flags.VisitAll(func(f *flag.Flag) {
		argument, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(to, "  --%s %s\n        %s", f.Name, argument, usage)
		if f.DefValue != "" {
			fmt.Fprintf(to, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(to)
	})
}
