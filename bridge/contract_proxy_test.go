package bridge

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The PROXY protocol, on every core and door: who may use it is believed, and nobody else.

// fromLoopback lets every client of a test use it.
func fromLoopback(config Config) Config {
	config.Proxies = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("::1/128")}
	return config
}

const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// proxyHeader2 is a header of version 2 with the bytes that stand for version and command, and family and transport.
func proxyHeader2(command, family byte, rest string) string {
	length := binary.BigEndian.AppendUint16(nil, uint16(len(rest)))
	return proxySignature + string([]byte{command, family}) + string(length) + rest
}

// proxyAddresses4 are the addresses of a header of version 2: the source 192.0.2.7:56324, and a destination.
const proxyAddresses4 = "\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x2b\x0d"

// proxyField is a field behind them: type, length, value.
func proxyField(kind byte, value string) string {
	return string([]byte{kind}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(value)))) + value
}

// proxyChecksums is the header of version 2 with a checksum (type 3) between two other fields.
func proxyChecksums(checksums ...string) string {
	fields := proxyField(0x02, "example")
	for _, checksum := range checksums {
		fields += proxyField(0x03, checksum)
	}
	return proxyHeader2(0x21, 0x11, proxyAddresses4+fields+proxyField(0x04, "\x00\x00"))
}

// rightProxyChecksum is that of proxyChecksums with one, computed by another program.
const rightProxyChecksum = "\x0c\x70\xa5\x81"

// What balancers send, and whose address it tells; empty: the socket's own.
var proxyHeaders = []struct{ name, header, address string }{
	{"version 1, IPv4", "PROXY TCP4 192.0.2.7 198.51.100.1 56324 11021\r\n", "192.0.2.7:56324"},
	{"version 1, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n", "[2001:db8::7]:1"},
	{"version 1, unknown", "PROXY UNKNOWN\r\n", ""},
	{"version 1, unknown with more", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ""},
	{"version 1, unknown with anything", "PROXY UNKNOWN a \r in\n it\r\n", ""},
	{"version 2, IPv4", proxyHeader2(0x21, 0x11, proxyAddresses4), "192.0.2.7:56324"},
	{"version 2, IPv6", proxyHeader2(0x21, 0x21, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07"+
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\xff\xff"), "[2001:db8::7]:1"},
	{"version 2, IPv4 and more", proxyHeader2(0x21, 0x11, proxyAddresses4+proxyField(0x04, "")+proxyField(0x02, "hello")),
		"192.0.2.7:56324"},
	{"version 2, IPv4 and 2,049 bytes", proxyHeader2(0x21, 0x11, proxyAddresses4+proxyField(0x28, strings.Repeat("c", 2034))),
		"192.0.2.7:56324"},
	{"version 2, IPv4 and a checksum", proxyChecksums(rightProxyChecksum), "192.0.2.7:56324"},
	{"version 2, unspecified", proxyHeader2(0x21, 0x00, ""), ""},
	{"version 2, unspecified with more", proxyHeader2(0x21, 0x00, "whatever follows"), ""},
	{"version 2, IPv4 without a protocol", proxyHeader2(0x21, 0x10, ""), ""},
	{"version 2, UDP", proxyHeader2(0x21, 0x12, proxyAddresses4+"\x04"), ""},
	{"version 2, Unix", proxyHeader2(0x21, 0x31, strings.Repeat("/", 216)), ""},
	{"version 2, of the balancer itself", proxyHeader2(0x20, 0x00, ""), ""},
	{"version 2, of the balancer itself, with anything", proxyHeader2(0x20, 0xff, "whatever follows"), ""},
}

func TestProxyHeaderTellsTheAddress(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(fromLoopback(testConfig()))
		for _, test := range proxyHeaders {
			s.proxyHeader = test.header
			c := s.dial()
			c.write(packetOf(1, []byte("after")))
			m := s.next()
			require.Equal(t, MessageConnection, m.kind, test.name)
			want := test.address
			if want == "" {
				want = c.address()
			}
			require.Equal(t, want, string(m.data), test.name)
			s.expectPacket(m.id, packetOf(1, []byte("after")))
			s.send(m.id, packetOf(2, nil))
			c.expect(packetOf(2, nil))
			c.write([]byte{0, 0})
			s.expectClose(m.id, ClosePacketTooShort)
			s.warned(want, ClosePacketTooShort.logText(s.kind))
			s.expectNothing()
		}
	})
}

// logText is what the log of a core calls a reason.
func (r CloseReason) logText(kind testCore) string {
	if kind.path == CoreGo || kind.door != (testDoor{}) {
		return r.String()
	}
	return map[CloseReason]string{
		ClosePacketTooShort:        "PacketLength under 5",
		CloseProxyHeaderInvalid:    "PROXY",
		CloseProxyHeaderNotAllowed: "PROXY",
	}[r]
}

func TestProxyHeaderInPieces(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(fromLoopback(testConfig()))
		s.cutsHeader = true
		for _, test := range proxyHeaders {
			s.proxyHeader = test.header
			c := s.dial()
			c.write(packetOf(1, nil))
			m := s.next()
			require.Equal(t, MessageConnection, m.kind, test.name)
			if test.address != "" {
				require.Equal(t, test.address, string(m.data), test.name)
			}
			s.expectPacket(m.id, packetOf(1, nil))
			c.close()
			s.expectClose(m.id, ClosePeerClosed)
		}
	})
}

// As long as its length can say.
func TestProxyHeaderThatIsTheLongest(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(fromLoopback(testConfig()))
		s.proxyHeader = proxyHeader2(0x21, 0x11, proxyAddresses4+proxyField(0x04, strings.Repeat("x", 65535-12-3)))
		require.Len(t, s.proxyHeader, 16+65535)
		c := s.dial()
		c.write(packetOf(1, []byte("after")))
		m := s.next()
		require.Equal(t, MessageConnection, m.kind)
		require.Equal(t, "192.0.2.7:56324", string(m.data))
		s.expectPacket(m.id, packetOf(1, []byte("after")))
	})
}

// A balancer that sends no header, or a wrong one, is not believed, and logic hears nothing of it.
func TestProxyHeaderThatIsNone(t *testing.T) {
	onEachCoreAtOnce(t, func(t *testing.T, s *subject) {
		s.start(fromLoopback(testConfig()))
		for i, header := range []string{
			string(packetOf(201, []byte("no header"))),
			"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
			"PROXY TCP4 192.0.2.700 198.51.100.1 56324 11021\r\n",
			"PROXY TCP4 192.0.2.7 198.51.100.1 56324 65536\r\n",
			"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
			"PROXY TCP4 192.0.2.7 198.51.100.1 56324 11021\n",
			"PROXY UNKNOWN\n",
			"PROXY UDP4 192.0.2.7 198.51.100.1 56324 11021\r\n",
			"PROXY TCP4 192.0.2.7 198.51.100.1 56324 11021 and far too much that has no business in a line of a header of a proxy" +
				"\r\n",
			proxyHeader2(0x11, 0x11, proxyAddresses4),
			proxyHeader2(0x22, 0x11, proxyAddresses4),
			proxyHeader2(0x21, 0x11, "\xc0\x00\x02\x07"),
			proxyHeader2(0x21, 0x41, proxyAddresses4),
			proxyHeader2(0x21, 0x13, proxyAddresses4),
			proxyHeader2(0x21, 0x12, proxyAddresses4[1:]),
			proxyHeader2(0x21, 0x11, proxyAddresses4+"\x04"),
			proxyHeader2(0x21, 0x11, proxyAddresses4+"\x04\x00"),
			proxyHeader2(0x21, 0x11, proxyAddresses4+"\x04\x00\x01"),
			proxyHeader2(0x21, 0x11, proxyAddresses4+proxyField(0x04, "hello")+"\x04\xff\xff hello"),
			proxyChecksums("\x00\x00\x00\x00"),
			proxyChecksums("\x00\x00\x00"),
			proxyChecksums(rightProxyChecksum, rightProxyChecksum),
		} {
			c := s.dialBelow()
			c.write([]byte(header))
			s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[CloseProxyHeaderInvalid] == uint64(i+1) })
			c.expectEnd()
			s.warned(c.address(), CloseProxyHeaderInvalid.logText(s.kind))
		}
		s.eventually("the slots are free", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
		s.expectNothing()
		require.Zero(t, s.core.Stats().ConnectionsAccepted)
	})
}

// Who leaves before its header is whole has not been there.
func TestProxyHeaderThatDoesNotCome(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(fromLoopback(testConfig()))
		var addresses []string // of whom logic heard
		closed := make(map[CloseReason]int)
		l := s.runLogic(func(m *Message, batch *SendBatch) {
			switch m.Type {
			case MessageConnection:
				addresses = append(addresses, string(m.Data))
			case MessageClose:
				closed[m.Reason]++
			}
			echo(m, batch)
		})
		for _, begin := range []string{"", "P", "PROXY TCP4 192.0.2.7", proxySignature, proxySignature + "\x21\x11\x00\x0c1234"} {
			c := s.dialBelow()
			c.write([]byte(begin))
			c.closeWrite()
			c.expectEnd()
			c = s.dialBelow()
			c.write([]byte(begin))
			c.reset()
		}
		s.proxyHeader = proxyHeaders[0].header
		c := s.dial()
		c.write(packetOf(1, nil))
		c.expect(packetOf(1, nil))
		c.close()
		s.eventually("the slots are free", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
		l.stop()

		require.Contains(t, addresses, proxyHeaders[0].address)
		for _, address := range addresses {
			// Who was reset before it was asked for its address has none that could be in a list.
			require.Contains(t, []string{proxyHeaders[0].address, "unknown address"}, address)
		}
		require.Positive(t, closed[ClosePeerClosed])
		stats := s.core.Stats()
		require.EqualValues(t, len(addresses), stats.ConnectionsAccepted)
		require.Zero(t, stats.Closed[CloseProxyHeaderInvalid])
		require.Zero(t, stats.Closed[CloseProxyHeaderNotAllowed], "of a balancer that has gone")
	})
}

// A header from anywhere else is a lie.
func TestProxyHeaderFromElsewhere(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.Proxies = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
		s.start(config)
		for i, test := range proxyHeaders {
			c := s.dialBelow()
			c.write([]byte(test.header), packetOf(1, nil))
			if s.kind.door == (testDoor{}) {
				s.expectClose(s.expectConnection(), CloseProxyHeaderNotAllowed)
				s.expectNothing()
			}
			s.eventually("it is counted", func(stats Stats) bool { return stats.Closed[CloseProxyHeaderNotAllowed] == uint64(i+1) })
			c.expectEnd()
			s.warned(c.address(), CloseProxyHeaderNotAllowed.logText(s.kind))
		}
		c, id := s.connected()
		c.write(packetOf(1, nil))
		s.expectPacket(id, packetOf(1, nil))
	})
}

// Packets that only begin like a header are packets.
func TestPacketsThatLookLikeAProxyHeader(t *testing.T) {
	onEachByteStream(t, func(t *testing.T, s *subject) {
		config := testConfig()
		config.MaxPacketSize, config.RecvBufferSize = 0x5250, 0x5250
		s.start(config)
		for _, begin := range []string{"PROXX", "PR", "\r\n\r\n\x00\r\nQUIT!", "\r\nX"} {
			c, id := s.connected()
			packet := append([]byte(begin), make([]byte, int(begin[0])|int(begin[1])<<8-len(begin))...)
			for _, b := range packet[:len(begin)] {
				c.write([]byte{b})
			}
			c.write(packet[len(begin):])
			s.expectPacket(id, packet)
			c.close()
			s.expectClose(id, ClosePeerClosed)
		}
		// What could still become a header when the client ends is judged as it is.
		for begin, reason := range map[string]CloseReason{"PRO": ClosePeerClosed, "P": ClosePeerClosed} {
			c, id := s.connected()
			c.write([]byte(begin))
			c.closeWrite()
			s.expectClose(id, reason)
		}
		require.NoError(t, s.core.Stop(0))
		s.start(testConfig())
		c, id := s.connected()
		c.write([]byte("PRO"))
		c.closeWrite()
		s.expectClose(id, ClosePacketTooLong)
	})
}
