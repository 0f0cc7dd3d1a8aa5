package serverrun

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/settings"
)

// Options are the options that every server program has. They do not change once they are loaded; a reload makes new
// ones.
type Options struct {
	Core        string        // what bridge.Open takes
	Net         bridge.Config // what the core is started with
	LogLevel    zapcore.Level
	LogFormat   string        // auto, console or json
	LogSampling string        // on or off
	Drain       time.Duration // for clients to leave by themselves
	StopTimeout time.Duration // how long the stop itself may take
	CrashDir    string        // folder for crash files; empty: there are to be none
	Admin       string        // address of the admin page and API, host:port; empty: none
	AdminToken  string

	io, logLevel string
	doors        doorOptions
}

// What options may be beside the ranges of the core.
const (
	maxStopTimeout = 10 * time.Minute // what a core takes
	maxDrain       = 24 * time.Hour
	minAdminToken  = 16 // characters: what is shorter can be guessed
)

// The default address of the admin page: the port behind the server's own, on the loopback interface.
const defaultAdmin = "127.0.0.1:11022"

// declare adds the settings of o with their defaults; those of the rate limit are the program's.
func (o *Options) declare(set *settings.Set, minPacketSize int, rate bridge.RateLimit) {
	*o = Options{Core: "auto", Net: bridge.DefaultConfig(), LogFormat: "auto", LogSampling: "on", StopTimeout: 5 * time.Second,
		CrashDir: "crash", Admin: defaultAdmin, io: "auto", logLevel: "info"}
	net := &o.Net
	net.WorkThreads = 0
	net.FirstPacketTimeout = time.Minute
	net.Rate = bridge.RateLimit{PacketsPerSecond: rate.PacketsPerSecond, BytesPerSecond: rate.BytesPerSecond,
		Burst: net.Rate.Burst}

	set.Int(&net.Port, noPort, 65535, settings.Setting{Name: "port", Seed: "PortNumber",
		Usage: "TCP `port` for packets on plain TCP; 0: any free one; -1: none, only those below"})
	set.Text(&net.BindAddress, checkBindAddress, settings.Setting{Name: "bind", DefaultText: "all, IPv4 and IPv6",
		Usage: "IP `address` to listen on"})
	set.Text(&o.Core, nil, settings.Setting{Name: "core",
		Usage: "network `core`: auto for the native one, go for the one in pure Go, or the path of a core's library"})
	set.Choice(&o.io, []string{"auto", "io_uring", "epoll", "iocp"}, settings.Setting{Name: "io",
		Usage: "`backend` of the native core: auto, io_uring, epoll or iocp"})
	set.Int(&net.WorkThreads, 0, 64, settings.Setting{Name: "io-threads", Seed: "WorkThreadCount",
		Usage: "`number` of I/O threads; 0: the logic loop does the I/O itself, which costs least for each message"})
	set.Int(&net.MaxConnections, 1, 1_000_000, settings.Setting{Name: "max-connections", Seed: "MaxConnectionCount",
		Usage: "`number` of connections of each port; further ones are closed at once"})
	set.Int(&net.MaxPacketSize, minPacketSize, 65535, settings.Setting{Name: "max-packet-size", Seed: "MaxPacketSize",
		Usage: "largest packet in `bytes`, header included; a larger one closes its connection"})
	set.Int(&net.RecvBufferSize, 1<<10, 1<<24, settings.Setting{Name: "receive-buffer",
		Seed: "MaxRecvConnectionBufferSize", Usage: "`bytes` that a client may have sent and logic not handled; at " +
			"least two packets of max-packet-size are taken"})
	set.Int(&net.SendBufferSize, 1<<16, 1<<26, settings.Setting{Name: "send-buffer",
		Seed:  "MaxSendConnectionBufferSize",
		Usage: "`bytes` that may wait for a client; one that reads so slowly that more would is disconnected"})
	set.Int(&net.MessagePool, 1, 1<<24, settings.Setting{Name: "message-pool", Seed: "MaxMessagePoolCount",
		Usage: "`number` of packets that may wait for logic; reading pauses when they are used up"})
	set.Int(&net.ExtraMessagePool, 0, 1<<24, settings.Setting{Name: "extra-message-pool", Seed: "ExtraMessagePoolCount",
		Usage: "`number` of packets in the reserve behind them; using it is logged"})
	set.Duration(&net.PerformancePeriod, 0, 24*time.Hour, settings.Setting{Name: "performance-period",
		Seed: "PerformancePacketMillisecondsTime", Usage: "`time` between log lines with packets a second; 0s: none"})
	o.declareDoors(set)
	o.declareLimits(set)
	o.declareOperation(set)
}

// declareLimits adds what a client is held to.
func (o *Options) declareLimits(set *settings.Set) {
	net := &o.Net
	set.Duration(&net.FirstPacketTimeout, 0, time.Hour, settings.Setting{Name: "login-timeout", Live: true,
		Usage: "`time` in which a client has to complete its first packet; 0s: for ever"})
	set.Duration(&net.IdleTimeout, 0, 24*time.Hour, settings.Setting{Name: "idle-timeout", Live: true,
		Usage: "`time` after which a client that completes no packet is disconnected; 0s: never"})
	set.Int(&net.Rate.PacketsPerSecond, 0, 1_000_000, settings.Setting{Name: "max-packet-rate", Live: true,
		Usage: "`number` of packets a second from one client; one that sends more is read more slowly; 0: no limit"})
	set.Int(&net.Rate.BytesPerSecond, 0, 1<<30, settings.Setting{Name: "max-byte-rate", Live: true,
		Usage: "`number` of bytes a second from one client, the same; 0: no limit"})
	set.Duration(&net.Rate.Burst, 20*time.Millisecond, time.Minute, settings.Setting{Name: "rate-burst", Live: true,
		Usage: "`time` whose share at these rates a client may send at once"})
	set.Duration(&net.KeepAlive.Idle, 0, 32767*time.Second, settings.Setting{Name: "keepalive-idle",
		Usage: "`time` of silence after which the system asks whether a client is still there; 0s: never"})
	set.Duration(&net.KeepAlive.Interval, time.Second, 32767*time.Second, settings.Setting{Name: "keepalive-interval",
		Usage: "`time` between such questions"})
	set.Int(&net.KeepAlive.Count, 1, 127, settings.Setting{Name: "keepalive-count",
		Usage: "`number` of questions without an answer that end a connection"})
}

// declareOperation adds what matters to whoever operates the server.
func (o *Options) declareOperation(set *settings.Set) {
	set.Choice(&o.logLevel, []string{"debug", "info", "warn", "error"}, settings.Setting{Name: "log-level", Live: true,
		Usage: "least `level` of log lines: debug, info, warn or error"})
	set.Choice(&o.LogFormat, []string{"auto", "console", "json"}, settings.Setting{Name: "log-format",
		Usage: "`form` of log lines: console for people, json for programs; auto: console on a terminal"})
	set.Choice(&o.LogSampling, []string{"on", "off"}, settings.Setting{Name: "log-sampling",
		Usage: "`on` or off: of lines that say the same, on logs a hundred in a second and then every hundredth"})
	set.Duration(&o.Drain, 0, maxDrain, settings.Setting{Name: "drain", Live: true,
		Usage: "`time` that a stop gives clients to leave by themselves before they are disconnected; nobody comes in " +
			"meanwhile"})
	set.Duration(&o.StopTimeout, 0, maxStopTimeout, settings.Setting{Name: "stop-timeout",
		Usage: "`time` that a stop may take after that, to send what is queued"})
	set.Text(&o.CrashDir, nil, settings.Setting{Name: "crash-dir",
		Usage: "`folder` for the file that a crash of the native core leaves, made when there is one; \"\": write none"})
	set.Text(&o.Admin, checkAdminAddress, settings.Setting{Name: "admin",
		Usage: "`address` of the admin page, its API, the metrics and the health checks, host:port; other computers " +
			"reach it only if it is not a loopback address, which needs a token; \"\": none"})
	set.Text(&o.AdminToken, checkAdminToken, settings.Setting{Name: "admin-token", Secret: true,
		Usage: "`secret` that the admin page and API ask for; better given in the environment or the file than in the " +
			"command line, which others see"})
}

func checkBindAddress(text string) error {
	if text == "" {
		return nil
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return errors.New("an IPv4 or IPv6 address without port, or nothing")
	}
	return nil
}

func checkAdminAddress(text string) error {
	if text == "" {
		return nil
	}
	if _, err := netip.ParseAddrPort(text); err != nil {
		return errors.New("an IP address and a port, such as 127.0.0.1:11022 or [::1]:11022, or nothing")
	}
	return nil
}

// checkAdminToken: what a header of HTTP cannot carry unchanged would be a token that nobody can give.
func checkAdminToken(text string) error {
	isPlain := !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
	if text != "" && (len(text) < minAdminToken || !isPlain) {
		return fmt.Errorf("at least %d letters, digits and signs of ASCII, without spaces", minAdminToken)
	}
	return nil
}

// check looks at settings beside each other, and at those whose words were only read.
func (o *Options) check(set *settings.Set) error {
	if err := o.LogLevel.UnmarshalText([]byte(o.logLevel)); err != nil {
		return set.Refuse("log-level", err.Error())
	}
	var err error
	if o.Net.IOBackend, err = bridge.ParseIOBackend(o.io); err != nil {
		return set.Refuse("io", err.Error())
	}
	if period := o.Net.PerformancePeriod; period != 0 && period < 100*time.Millisecond {
		return set.Refuse("performance-period", "0s, or 100ms at least")
	}
	if o.Admin != "" && o.AdminToken == "" {
		if address, err := netip.ParseAddrPort(o.Admin); err != nil || !address.Addr().IsLoopback() {
			return set.Refuse("admin", "a loopback address, or an admin-token beside it")
		}
	}
	if err := o.checkDoors(set); err != nil {
		return err
	}
	// The receive buffer holds a few packets of any size, so that a large one does not stall those behind it.
	o.Net.RecvBufferSize = max(o.Net.RecvBufferSize, 2*o.Net.MaxPacketSize)
	// A core cuts a closing connection off after CloseTimeout, also while it stops.
	o.Net.CloseTimeout = max(o.Net.CloseTimeout, o.StopTimeout)
	return nil
}
