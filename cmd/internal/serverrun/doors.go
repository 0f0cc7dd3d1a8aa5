package serverrun

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/bridge/stream"
	"iocpnetlib/cmd/internal/settings"
)

// noPort is what the settings of ports have for a door that is shut.
const noPort = -1

// doorOptions are the ports beside the one for plain TCP, and what their clients have to do.
type doorOptions struct {
	tlsPort, wsPort, wssPort int

	certificate, key, clientCA, clientCertificates, minVersion string
	protocols                                                  string // for ALPN, with commas

	origins      string // with commas
	maxMessage   int
	pingInterval time.Duration
	compression  string

	proxies string // with commas
}

// The words of settings, and what they mean.
var (
	tlsVersions  = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	compressions = map[string]stream.Compression{"off": stream.NoCompression, "message": stream.CompressMessages,
		"context": stream.CompressContext}
)

const clientCertificatesOptional = "optional"

// Most bytes of a WebSocket message: as many as a receive buffer may have.
const maxWebSocketMessage = 16 << 20

func (o *Options) declareDoors(set *settings.Set) {
	d, net := &o.doors, &o.Net
	*d = doorOptions{tlsPort: noPort, wsPort: noPort, wssPort: noPort, clientCertificates: "required", minVersion: "1.2",
		maxMessage: 64 << 10, pingInterval: 30 * time.Second, compression: "off"}
	set.Int(&d.tlsPort, noPort, 65535, settings.Setting{Name: "tls-port",
		Usage: "TCP `port` for the same packets inside TLS; 0: any free one; -1: none"})
	set.Int(&d.wsPort, noPort, 65535, settings.Setting{Name: "ws-port",
		Usage: "TCP `port` for the same packets in WebSocket messages (ws://host:port/ws), and for the browser's client if " +
			"the server has one; 0: any free one; -1: none"})
	set.Int(&d.wssPort, noPort, 65535, settings.Setting{Name: "wss-port",
		Usage: "TCP `port` for the same in TLS (wss, https); 0: any free one; -1: none"})
	set.Text(&d.certificate, nil, settings.Setting{Name: "tls-cert",
		Usage: "`file` with the certificate for tls-port and wss-port in PEM, and those that lead to its root; read again " +
			"when it changes"})
	set.Text(&d.key, nil, settings.Setting{Name: "tls-key", Usage: "`file` with the certificate's private key in PEM, the same"})
	set.Choice(&d.minVersion, []string{"1.2", "1.3"}, settings.Setting{Name: "tls-min-version",
		Usage: "lowest `version` of TLS that clients may have, 1.2 or 1.3"})
	set.Text(&d.clientCA, nil, settings.Setting{Name: "tls-client-ca",
		Usage: "`file` with certificates in PEM; clients of tls-port and wss-port have to show one that leads to one of these; " +
			"\"\": they need none"})
	set.Choice(&d.clientCertificates, []string{"required", clientCertificatesOptional}, settings.Setting{Name: "tls-client-cert",
		Usage: "`mode`, required or optional: with tls-client-ca, whether clients without a certificate are let in"})
	set.Text(&d.protocols, nil, settings.Setting{Name: "tls-alpn",
		Usage: "`names` of protocols for ALPN on tls-port, the preferred one first, with commas between them; a client that " +
			"asks for others only is refused; \"\": none"})
	set.Text(&d.origins, checkOrigins, settings.Setting{Name: "ws-origins",
		Usage: "`patterns` of web pages' origins that may connect besides the server's own, such as game.example or " +
			"https://*.game.example, with commas between them; \"*\": all"})
	set.Int(&d.maxMessage, 1<<10, maxWebSocketMessage, settings.Setting{Name: "ws-max-message",
		Usage: "most `bytes` of a WebSocket message from a client, unpacked"})
	set.Duration(&d.pingInterval, 0, time.Hour, settings.Setting{Name: "ws-ping-interval",
		Usage: "`time` of silence after which a WebSocket client is pinged; as long again without an answer ends it; 0s: never"})
	set.Choice(&d.compression, []string{"off", "message", "context"}, settings.Setting{Name: "ws-compression",
		Usage: "`how` WebSocket messages are packed for clients that want it: off, message (each by itself) or context " +
			"(better, up to 1.2 MB of memory a client)"})
	set.Duration(&net.HandshakeTimeout, 10*time.Millisecond, 10*time.Minute, settings.Setting{Name: "handshake-timeout",
		Usage: "`time` in which a client has to come through TLS and the request for a WebSocket"})
	set.Int(&net.MaxHandshakes, 1, 1_000_000, settings.Setting{Name: "max-handshakes",
		Usage: "`number` of clients of one door that may be at that at once; one more ends the oldest of the address that has most"})
	set.Text(&d.proxies, checkProxies, settings.Setting{Name: "proxy-from",
		Usage: "`addresses` and networks of load balancers, such as 10.0.0.0/8, with commas between them: their connections " +
			"have to begin with a PROXY header, version 1 or 2, on every door; from elsewhere such a header ends the connection"})
}

// list splits a setting at its commas.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func checkOrigins(text string) error {
	for _, pattern := range list(text) {
		scheme, host, hasScheme := strings.Cut(strings.ToLower(pattern), "://")
		if !hasScheme {
			host = scheme
		}
		isUsual := scheme == "https" && strings.HasSuffix(host, ":443") || scheme == "http" && strings.HasSuffix(host, ":80")
		if _, err := path.Match(pattern, ""); err != nil || isUsual || host == "" || strings.ContainsAny(host, "/[]") {
			return errors.New("hosts, with their ports if those are not the usual ones, or scheme://host, with * for any part")
		}
	}
	return nil
}

// parseProxies reads addresses and networks.
func parseProxies(text string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, entry := range list(text) {
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			address, err := netip.ParseAddr(entry)
			if err != nil {
				return nil, err
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		if prefix != prefix.Masked() || prefix.Addr().Is4In6() || prefix.Addr().Zone() != "" {
			return nil, fmt.Errorf("%s is no network", entry)
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

// maxProxies is how many a core takes.
const maxProxies = 64

func checkProxies(text string) error {
	if proxies, err := parseProxies(text); err != nil || len(proxies) > maxProxies {
		return fmt.Errorf("up to %d IP addresses and networks, such as 10.0.0.0/8 or fd00::/8 without bits behind their length",
			maxProxies)
	}
	return nil
}

// checkDoors looks at the settings of doors beside the others.
func (o *Options) checkDoors(set *settings.Set) error {
	d := &o.doors
	if o.doorCount() == 0 {
		return set.Refuse("port", "-1 only if tls-port, ws-port or wss-port is open")
	}
	hasTLS, hasWebSocket := d.has()
	if hasTLS {
		if d.certificate == "" {
			return set.Refuse("tls-cert", "a file, because tls-port or wss-port is open; "+set.Program()+
				" certificate makes one for trying out")
		}
		if d.key == "" {
			return set.Refuse("tls-key", "a file, because tls-port or wss-port is open")
		}
	}
	if d.maxMessage < o.Net.MaxPacketSize && hasWebSocket {
		return set.Refuse("ws-max-message", fmt.Sprintf("%d at least, the value of max-packet-size", o.Net.MaxPacketSize))
	}
	if d.pingInterval != 0 && d.pingInterval < time.Second {
		return set.Refuse("ws-ping-interval", "0s, or 1s at least")
	}
	var err error
	o.Net.Proxies, err = parseProxies(d.proxies)
	return err
}

// doorCount is how many ports are open.
func (o *Options) doorCount() int {
	count := len(o.doors.open())
	if o.Net.Port != noPort {
		count++
	}
	return count
}

// Places is how many connections there may be: each door has max-connections.
func (o *Options) Places() int { return o.Net.MaxConnections * o.doorCount() }

// handshakes is how many clients may be at their handshakes.
func (o *Options) handshakes() int {
	// On plain TCP nothing comes before the packets but a PROXY header, for which a client has its place already.
	return len(o.doors.open()) * o.Net.MaxHandshakes
}

// WebPart is a Part whose server has pages for browsers on its doors for WebSocket.
type WebPart interface {
	Part
	// Pages answers requests for everything but WebSockets.
	Pages() http.Handler
}

// doors are the ports beside the one for plain TCP.
type doors struct {
	all          []bridge.Door
	certificates []*stream.Certificates // of those with TLS
}

// certificateExpires is when the first certificate ends, the zero Time if there is none.
func (d *doors) certificateExpires() time.Time {
	var first time.Time
	for _, certificates := range d.certificates {
		if expires := certificates.Expires(); first.IsZero() || expires.Before(first) {
			first = expires
		}
	}
	return first
}

// doorKind is a kind of door beside the port for plain TCP.
type doorKind struct {
	name                 string
	port                 int
	hasTLS, hasWebSocket bool
	protocols            []string // for ALPN
}

// open are the doors that the settings ask for. This is the place where a kind of door is added.
func (d *doorOptions) open() []doorKind {
	return slices.DeleteFunc([]doorKind{
		{name: "tls", port: d.tlsPort, hasTLS: true, protocols: list(d.protocols)},
		{name: "ws", port: d.wsPort, hasWebSocket: true},
		{name: "wss", port: d.wssPort, hasTLS: true, hasWebSocket: true, protocols: []string{"http/1.1"}},
	}, func(kind doorKind) bool { return kind.port == noPort })
}

// has reports what there is at least one open door with.
func (d *doorOptions) has() (hasTLS, hasWebSocket bool) {
	for _, kind := range d.open() {
		hasTLS, hasWebSocket = hasTLS || kind.hasTLS, hasWebSocket || kind.hasWebSocket
	}
	return hasTLS, hasWebSocket
}

// openDoors makes the doors that the settings ask for.
func openDoors(c *configuration, logger *zap.Logger) (*doors, error) {
	options, opened := &c.options.doors, &doors{}
	web := options.webSocket(c.part)
	for _, kind := range options.open() {
		door := bridge.Door{Name: kind.name, Port: kind.port}
		if kind.hasWebSocket {
			door.WebSocket = web
		}
		if kind.hasTLS {
			certificates, err := options.loadCertificates(logger, kind.protocols)
			if err != nil {
				return nil, err
			}
			door.TLS = certificates.Config()
			opened.certificates = append(opened.certificates, certificates)
		}
		opened.all = append(opened.all, door)
	}
	return opened, nil
}

func (d *doorOptions) loadCertificates(logger *zap.Logger, protocols []string) (*stream.Certificates, error) {
	return stream.LoadCertificates(stream.TLSFiles{
		Certificate:        d.certificate,
		Key:                d.key,
		ClientCA:           d.clientCA,
		ClientsMayHaveNone: d.clientCertificates == clientCertificatesOptional,
		MinVersion:         tlsVersions[d.minVersion],
		Protocols:          protocols,
	}, logger)
}

func (d *doorOptions) webSocket(part Part) *stream.WebSocket {
	web := &stream.WebSocket{
		Origins:      list(d.origins),
		MaxMessage:   d.maxMessage,
		PingInterval: d.pingInterval,
		Compression:  compressions[d.compression],
	}
	if pages, ok := part.(WebPart); ok {
		web.Pages = pages.Pages()
	}
	return web
}

// openCore makes the core with all its doors.
func openCore(c *configuration, logger *zap.Logger) (bridge.Core, *doors, error) {
	opened, err := openDoors(c, logger)
	if err != nil {
		return nil, nil, err
	}
	var core bridge.Core // none if the native port is shut: then nobody needs its library
	if c.options.Net.Port != noPort {
		if core, err = bridge.Open(c.options.Core, logger); err != nil {
			return nil, nil, err
		}
	}
	return bridge.Join(core, logger, opened.all...), opened, nil
}
