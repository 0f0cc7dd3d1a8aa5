package bridge

import (
	"fmt"
	"net/netip"
	"time"
)

// Config is what a core is started with. DefaultConfig gives every field a value; the native core's header and
// NetResult name the ranges.
type Config struct {
	// BindAddress is an IPv4 or IPv6 address without port; empty: all addresses of both families.
	BindAddress string
	// Port is 0 to 65535; 0: any free port, Core.Port tells which.
	Port int
	// WorkThreads is the number of I/O threads, 0 to 64. With 0 the logic loop does the I/O itself, inside Poll: no
	// hand-over between threads, and nothing happens while logic is busy. The pure-Go core leaves threads to the Go
	// runtime.
	WorkThreads int
	// IOBackend is how a native core does I/O; the pure-Go core has one way only.
	IOBackend IOBackend
	// MaxRecvOverlapped and MaxSendOverlapped bound the bytes of one receive and one send call, each 1 to the size of
	// its ring. 0: the size of the ring.
	MaxRecvOverlapped, MaxSendOverlapped int
	// RecvBufferSize is the bytes a connection may have received and logic not given back, MaxPacketSize to 16 MiB.
	RecvBufferSize int
	// SendBufferSize is the bytes a connection may have queued for sending, MaxPacketSize to 64 MiB; what the core has
	// offered to the system does not count. A client that reads so slowly that it would be exceeded is disconnected
	// with CloseSendBufferFull.
	SendBufferSize int
	// MaxPacketSize is in bytes, header included, 5 to 65535.
	MaxPacketSize int
	// MaxConnections is 1 to 1,000,000. Further ones are closed at once and counted.
	MaxConnections int
	// MessagePool is how many packets may wait for logic, 1 to 16,777,216, and ExtraMessagePool the reserve behind
	// them, 0 to 16,777,216. When both are used up reading pauses, and TCP slows the clients down.
	MessagePool, ExtraMessagePool int
	// PerformancePeriod is the period of the log line with packets a second, 100 ms to 24 h; 0: no such line.
	PerformancePeriod time.Duration
	// CloseTimeout bounds the sending of what is queued when a connection closes, 0 to 10 minutes.
	CloseTimeout time.Duration
	// Limits may change later, see Core.SetLimits.
	Limits
	// KeepAlive is how the system finds a peer that has vanished without a word (ClosePeerTimeout).
	KeepAlive KeepAlive
	// Nagle turns Nagle's algorithm on; TCP_NODELAY is the default.
	Nagle bool
	// Proxies are the networks whose connections have to begin with a PROXY header (version 1 or 2 of HAProxy's PROXY
	// protocol), 64 at most: logic is told of such a client when its header has come, and of the address in it. From
	// elsewhere such a header breaks the protocol.
	Proxies []netip.Prefix
	// HandshakeTimeout, 10 ms to 10 minutes, bounds what comes before the packets on a door or a pure-Go core: PROXY
	// header, TLS, the request for a WebSocket. A native core knows only the header, and bounds it by FirstPacketTimeout.
	HandshakeTimeout time.Duration
	// MaxHandshakes is how many clients of a door may be at that at once, 1 to 1,000,000. One more ends the one that has
	// been at it for longest (CloseHandshakesFull). Browsers that load pages are among them.
	MaxHandshakes int
}

// KeepAlive are the settings of TCP keepalive, in whole seconds: other times are rounded up. What was sent and is not
// acknowledged, which keepalive does not ask about, breaks a connection after the same time in all:
// Idle + Count×Interval. The ranges are those of Linux (tcp(7), include/net/tcp.h).
type KeepAlive struct {
	Idle     time.Duration // silence until the first question, up to 32,767 s; 0: no keepalive
	Interval time.Duration // between questions, 1 s to 32,767 s
	Count    int           // unanswered ones until the connection is broken, 1 to 127
}

// DefaultConfig returns the defaults of a laptop's server: port 11021, one I/O thread, packets up to 1,024 bytes, 1,000
// connections, rings of 16 KiB and 256 KiB, 65,536 + 8,192 messages, 5 s to close, keepalive after a minute and three
// questions every 10 s, handshakes of 10 s and 256 at once; no other timeouts and no rate limit (a burst of 250 ms if
// there is one).
func DefaultConfig() Config {
	return Config{
		Port:             11021,
		WorkThreads:      1,
		RecvBufferSize:   16 << 10,
		SendBufferSize:   256 << 10,
		MaxPacketSize:    1024,
		MaxConnections:   1000,
		MessagePool:      65536,
		ExtraMessagePool: 8192,
		CloseTimeout:     5 * time.Second,
		KeepAlive:        KeepAlive{Idle: time.Minute, Interval: 10 * time.Second, Count: 3},
		HandshakeTimeout: 10 * time.Second,
		MaxHandshakes:    256,
		Limits:           Limits{Rate: RateLimit{Burst: 250 * time.Millisecond}},
	}
}

// What the fields of Config may be, together with the ranges in Config.validate.
const (
	maxRecvBufferSize = 16 << 20
	maxSendBufferSize = 64 << 20
	maxPacketSize     = 65535
	maxConnections    = 1_000_000
	maxMessagePool    = 1 << 24
	maxTimeout        = 10 * time.Minute // CloseTimeout, and the drain of Stop
	maxKeepAlive      = 32767 * time.Second
	maxKeepAliveCount = 127
	maxProxies        = 64

	minHandshakeTimeout = 10 * time.Millisecond

	// The native core's buffer for the address, less the terminator.
	maxBindAddressLength = 63
)

// validate checks every field against its range and returns a *StartError for the first that is wrong. Every core runs
// it before anything else: all cores say the same about a setting, and after it every number fits the native core's
// 32 bits.
func (c *Config) validate() error {
	// A field whose range depends on another comes after it: the sentence names the one that is really wrong.
	fields := []struct {
		name       string
		value      int64
		min, max   int64
		zeroIsFine bool
		result     NetResult
	}{
		{"WorkThreads", int64(c.WorkThreads), 0, 64, false, ResultWorkThreads},
		{"Port", int64(c.Port), 0, 65535, false, ResultPort},
		{"MaxPacketSize", int64(c.MaxPacketSize), HeaderLength, maxPacketSize, false, ResultMaxPacketSize},
		{"RecvBufferSize", int64(c.RecvBufferSize), int64(c.MaxPacketSize), maxRecvBufferSize, false,
			ResultRecvBufferSize},
		{"SendBufferSize", int64(c.SendBufferSize), int64(c.MaxPacketSize), maxSendBufferSize, false,
			ResultSendBufferSize},
		{"MaxRecvOverlapped", int64(c.MaxRecvOverlapped), 1, int64(c.RecvBufferSize), true,
			ResultMaxRecvOverlapped},
		{"MaxSendOverlapped", int64(c.MaxSendOverlapped), 1, int64(c.SendBufferSize), true,
			ResultMaxSendOverlapped},
		{"MaxConnections", int64(c.MaxConnections), 1, maxConnections, false, ResultMaxConnections},
		{"MessagePool", int64(c.MessagePool), 1, maxMessagePool, false, ResultMessagePool},
		{"ExtraMessagePool", int64(c.ExtraMessagePool), 0, maxMessagePool, false, ResultExtraMessagePool},
		{"KeepAlive.Count", int64(c.KeepAlive.Count), 1, maxKeepAliveCount, false, ResultInvalidArgument},
		{"Proxies", int64(len(c.Proxies)), 0, maxProxies, false, ResultInvalidArgument},
		{"MaxHandshakes", int64(c.MaxHandshakes), 1, maxConnections, false, ResultInvalidArgument},
		{"IOBackend", int64(c.IOBackend), int64(IOAuto), int64(IOUring), false, ResultInvalidArgument},
	}
	for _, f := range fields {
		if f.value >= f.min && f.value <= f.max || f.zeroIsFine && f.value == 0 {
			continue
		}
		orZero := ""
		if f.zeroIsFine {
			orZero = "0 or "
		}
		return &StartError{f.result, fmt.Sprintf("%s is %d, must be %s%d to %d", f.name, f.value, orZero, f.min, f.max)}
	}
	if p := c.PerformancePeriod; p != 0 && (p < 100*time.Millisecond || p > 24*time.Hour) {
		return &StartError{ResultPerformancePeriod,
			fmt.Sprintf("PerformancePeriod is %v, must be 0 or 100ms to 24h", p)}
	}
	if outside := firstOutside([]durationRange{
		{"CloseTimeout", c.CloseTimeout, 0, maxTimeout},
		{"HandshakeTimeout", c.HandshakeTimeout, minHandshakeTimeout, maxTimeout},
		{"KeepAlive.Idle", c.KeepAlive.Idle, 0, maxKeepAlive},
		{"KeepAlive.Interval", c.KeepAlive.Interval, time.Second, maxKeepAlive},
	}); outside != "" {
		return &StartError{ResultInvalidArgument, outside}
	}
	if outside := c.Limits.outside(); outside != "" {
		return &StartError{ResultInvalidArgument, outside}
	}
	for _, proxy := range c.Proxies {
		if !proxy.IsValid() || proxy != proxy.Masked() || proxy.Addr().Is4In6() {
			return &StartError{ResultInvalidArgument, fmt.Sprintf("Proxies has %v, must be a network such as 10.0.0.0/8 or "+
				"fd00::/8 without bits behind its length", proxy)}
		}
	}
	if _, err := c.bindAddr(); err != nil {
		return &StartError{ResultBadBindAddress,
			fmt.Sprintf("BindAddress is %q, must be an IPv4 or IPv6 address without port, or empty", c.BindAddress)}
	}
	return nil
}

// roundedUp is how many units a duration is, a part of one counted whole.
func roundedUp(d, unit time.Duration) int64 {
	units := int64(d / unit)
	if d%unit > 0 {
		units++
	}
	return units
}

// bindAddr is BindAddress parsed; the zero Addr stands for all addresses of both families.
func (c *Config) bindAddr() (netip.Addr, error) {
	if c.BindAddress == "" {
		return netip.Addr{}, nil
	}
	if len(c.BindAddress) > maxBindAddressLength {
		return netip.Addr{}, fmt.Errorf("longer than %d bytes", maxBindAddressLength)
	}
	address, err := netip.ParseAddr(c.BindAddress)
	return address.Unmap(), err
}
