package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// maxProxyHeader is how long a PROXY header may be. Version 2 could have 16 bytes and 65,535 more; addresses take 36 of
// them at most, and what load balancers add is a few hundred (HAProxy, doc/proxy-protocol.txt, 2.2).
const maxProxyHeader = 16 + 2048

// The signatures that the two versions of the PROXY protocol begin with (the same, 2.1 and 2.2).
var (
	proxySignature1 = []byte("PROXY ")
	proxySignature2 = []byte("\r\n\r\n\x00\r\nQUIT\n")
)

// BeginsWithProxyHeader reports whether data begins with a signature of the PROXY protocol, and if it does not, whether
// more data could make it one. A single byte decides nothing, because any packet's length can begin with it.
func BeginsWithProxyHeader(data []byte) (begins, mayBegin bool) {
	for _, signature := range [][]byte{proxySignature1, proxySignature2} {
		if bytes.HasPrefix(data, signature) {
			return true, false
		}
		if bytes.HasPrefix(signature, data) {
			mayBegin = true
		}
	}
	return false, mayBegin
}

// contains reports whether one of the networks has the address. A client that has gone before it was asked for is nobody's
// proxy: what it sent may not choose its address.
func contains(networks []netip.Prefix, address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap()
	for _, network := range networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// readProxyHeader reads the header that c begins with. The error wraps ProxyHeaderInvalid, or is that of the connection.
func readProxyHeader(c *tcpConn) error {
	reader := bufio.NewReaderSize(c, maxProxyHeader)
	if err := awaitProxyHeader(reader); err != nil {
		return err
	}
	header, err := proxyproto.Read(reader)
	if err != nil {
		return fmt.Errorf("%w: %w", ProxyHeaderInvalid, err)
	}
	// LOCAL, and what is not TCP, keep the address of the socket.
	if source, _, ok := header.TCPAddrs(); ok && header.Command.IsProxy() {
		c.peer = source
	}
	c.early, _ = reader.Peek(reader.Buffered())
	return nil
}

// awaitProxyHeader returns when a whole header lies in the buffer, or what is there cannot become one: proxyproto reads
// only those that come in one piece.
func awaitProxyHeader(reader *bufio.Reader) error {
	const (
		maxLine  = 107 // with its CRLF (2.1)
		fixed    = 16  // bytes before the addresses, of which the last two are a length, big-endian (2.2)
		lengthAt = 14
	)
	wanted := 1
	for {
		head, err := reader.Peek(wanted)
		if err != nil {
			return err
		}
		if begins, mayBegin := BeginsWithProxyHeader(head); !begins && mayBegin {
			wanted++
			continue
		} else if !begins {
			return fmt.Errorf("%w: no signature", ProxyHeaderInvalid)
		}
		switch {
		case head[0] == proxySignature1[0]:
			if head[wanted-1] == '\n' {
				return nil
			}
			if wanted == maxLine {
				return fmt.Errorf("%w: no line end in %d bytes", ProxyHeaderInvalid, maxLine)
			}
			wanted++
		case wanted < fixed:
			wanted = fixed
		default:
			length := fixed + int(binary.BigEndian.Uint16(head[lengthAt:]))
			if length > maxProxyHeader {
				return fmt.Errorf("%w: %d bytes, %d may be", ProxyHeaderInvalid, length, maxProxyHeader)
			}
			_, err := reader.Peek(length)
			return err
		}
	}
}
