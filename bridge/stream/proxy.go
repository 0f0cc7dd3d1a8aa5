package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// The signatures that the two versions of the PROXY protocol begin with (HAProxy, doc/proxy-protocol.txt, 2.1 and 2.2; the
// sections named below are its).
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

// proxyBuffer is how much is read at once, at most; what follows the header is kept.
const proxyBuffer = 512

// readProxyHeader reads the header that c begins with. It takes and refuses the same headers as the native core
// (native/IocpNetLib/ProxyHeader.cpp). The error wraps ProxyHeaderInvalid, or is that of the connection.
func readProxyHeader(c *tcpConn) error {
	reader := bufio.NewReaderSize(c, proxyBuffer)
	source, err := readProxySource(reader)
	if err != nil {
		return err
	}
	c.peer.Store(source)
	c.early, _ = reader.Peek(reader.Buffered())
	return nil
}

// readProxySource returns whose connection it is; nil if the header does not tell (UNKNOWN, LOCAL, and what is not TCP):
// then the address of the socket counts.
func readProxySource(reader *bufio.Reader) (*net.TCPAddr, error) {
	for size := 1; ; size++ {
		head, err := reader.Peek(size)
		if err != nil {
			return nil, err
		}
		switch begins, mayBegin := BeginsWithProxyHeader(head); {
		case begins && head[0] == proxySignature1[0]:
			return readProxyLine(reader)
		case begins:
			return readBinaryProxyHeader(reader)
		case !mayBegin:
			return nil, invalidProxyHeader("no signature")
		}
	}
}

func invalidProxyHeader(format string, arguments ...any) error {
	return fmt.Errorf("%w: %w", ProxyHeaderInvalid, fmt.Errorf(format, arguments...))
}

// readProxyLine reads a header of version 1.
func readProxyLine(reader *bufio.Reader) (*net.TCPAddr, error) {
	const maxLine = 107 // with its CRLF (2.1)
	for size := len(proxySignature1) + 1; ; size++ {
		line, err := reader.Peek(size)
		if err != nil {
			return nil, err
		}
		// Only what UNKNOWN is followed by may be anything (2.1).
		mayBeAnything := bytes.HasPrefix(line, []byte("PROXY UNKNOWN "))
		switch {
		case bytes.HasSuffix(line, []byte("\r\n")):
			if mayBeAnything || string(line) == "PROXY UNKNOWN\r\n" {
				_, err = reader.Discard(size)
				return nil, err
			}
			// It reads only lines that lie in the buffer as a whole.
			header, err := proxyproto.Read(reader)
			if err != nil {
				return nil, invalidProxyHeader("%w", err)
			}
			source, _, _ := header.TCPAddrs()
			return source, nil
		case !mayBeAnything && (line[size-1] == '\n' || line[size-2] == '\r'):
			return nil, invalidProxyHeader("a line that does not end with CR LF")
		case size == maxLine:
			return nil, invalidProxyHeader("no line end in %d bytes", maxLine)
		}
	}
}

// What the two bytes behind the signature of version 2 may say: version and command; address family, and transport
// protocol (2.2).
const (
	proxyLocal     = 0x20
	proxyProxy     = 0x21
	proxyUnspec    = 0 // family and protocol
	proxyUnix      = 3 // the last of the families
	proxyDatagram  = 2 // the last of the protocols
	proxyFixedSize = 12 + 4
)

// proxyAddressSizes is how many bytes source and destination take, by family.
var proxyAddressSizes = [...]int{0, 2*4 + 2*2, 2*16 + 2*2, 2 * 108}

// readBinaryProxyHeader reads a header of version 2. What is of no interest in it may be anything.
func readBinaryProxyHeader(reader *bufio.Reader) (*net.TCPAddr, error) {
	header, err := readWhole(reader, proxyFixedSize)
	if err != nil {
		return nil, err
	}
	command, kind, length := header[12], header[13], int(binary.BigEndian.Uint16(header[14:]))
	if command != proxyLocal && command != proxyProxy {
		return nil, invalidProxyHeader("version and command are %#x, allowed are %#x and %#x", command, proxyLocal, proxyProxy)
	}
	family, protocol := kind>>4, kind&0x0F
	tells := command == proxyProxy && family != proxyUnspec && protocol != proxyUnspec
	if command == proxyProxy && (family > proxyUnix || protocol > proxyDatagram) {
		return nil, invalidProxyHeader("no such address family and protocol: %#x", kind)
	}
	if tells && length < proxyAddressSizes[family] {
		return nil, invalidProxyHeader("%d bytes for addresses of %d", length, proxyAddressSizes[family])
	}
	rest, err := readWhole(reader, length)
	if err != nil || !tells || family == proxyUnix || protocol == proxyDatagram {
		return nil, err
	}
	return parseProxyAddresses(append(header, rest...), proxyFixedSize+proxyAddressSizes[family])
}

// readWhole reads so many bytes.
func readWhole(reader io.Reader, size int) ([]byte, error) {
	bytes := make([]byte, size)
	_, err := io.ReadFull(reader, bytes)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return bytes, err
}

// parseProxyAddresses reads a header of version 2 that has addresses of TCP, and then fields from an offset on.
func parseProxyAddresses(header []byte, fieldsAt int) (*net.TCPAddr, error) {
	fields, err := proxyproto.SplitTLVs(header[fieldsAt:])
	if err != nil {
		return nil, invalidProxyHeader("%w", err)
	}
	if err := checkProxyChecksum(header, fieldsAt, fields); err != nil {
		return nil, err
	}
	// The library has a bound for the fields that is less than their length may be; they are read.
	binary.BigEndian.PutUint16(header[proxyFixedSize-2:], uint16(fieldsAt-proxyFixedSize))
	parsed, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(header[:fieldsAt])))
	if err != nil {
		return nil, invalidProxyHeader("%w", err)
	}
	source, _, _ := parsed.TCPAddrs()
	return source, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkProxyChecksum compares the CRC32c of a header with the field that has it, if there is one; that counts as 0 (2.2.3).
func checkProxyChecksum(header []byte, fieldsAt int, fields []proxyproto.TLV) error {
	const fieldHead = 3 // bytes: type and length
	valueAt := 0        // no field is there
	for _, field := range fields {
		if field.Type == proxyproto.PP2_TYPE_CRC32C {
			if len(field.Value) != crc32.Size || valueAt > 0 {
				return invalidProxyHeader("a checksum of %d bytes, or a second one", len(field.Value))
			}
			valueAt = fieldsAt + fieldHead
		}
		fieldsAt += fieldHead + len(field.Value)
	}
	if valueAt == 0 {
		return nil
	}
	sum := crc32.Checksum(header[:valueAt], castagnoli)
	sum = crc32.Update(sum, castagnoli, make([]byte, crc32.Size))
	sum = crc32.Update(sum, castagnoli, header[valueAt+crc32.Size:])
	if told := binary.BigEndian.Uint32(header[valueAt:]); told != sum {
		return invalidProxyHeader("the checksum is %#x, computed is %#x", told, sum)
	}
	return nil
}
