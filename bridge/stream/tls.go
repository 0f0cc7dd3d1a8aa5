package stream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// tlsConn is a stream of packets in TLS.
type tlsConn struct {
	*tcpConn      // what is below
	*tlsDeadlines // instead of its own
	tls           *tls.Conn
	records       *records
}

// records is the connection that crypto/tls is given: it weighs what comes against what that makes of it, once the
// handshake is over. A client may ask for new keys in every record, which costs an answer each.
//
// Its deadlines are only the owner's: crypto/tls sets some of its own when it closes.
type records struct {
	*tcpConn
	isOpen   bool
	overhead overhead
}

func (*records) SetDeadline(time.Time) error      { return nil }
func (*records) SetReadDeadline(time.Time) error  { return nil }
func (*records) SetWriteDeadline(time.Time) error { return nil }

func (r *records) Read(p []byte) (int, error) {
	n, err := r.tcpConn.Read(p)
	if n > 0 && r.isOpen && !r.overhead.addRaw(n, 0) {
		return n, errTooManyRecords
	}
	return n, err
}

var errTooManyRecords = fmt.Errorf("%w: too many TLS records without packets", FrameInvalid)

// shakeHands does the server's side of a TLS handshake. What a client sent instead is told by the error.
func shakeHands(below *tcpConn, config *tls.Config) (*tlsConn, error) {
	r := &records{tcpConn: below}
	c := &tlsConn{below, &tlsDeadlines{below: below}, tls.Server(r, config), r}
	err := c.tls.HandshakeContext(context.Background()) // the deadlines below end it
	r.isOpen = true
	wrong, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok {
		return c, err
	}
	begin := wrong.RecordHeader[:]
	switch {
	case isHTTP(begin):
		// Somebody typed http instead of https, or a port for TLS into a browser.
		_, _ = io.WriteString(below, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"+
			"This port is for TLS.\n")
		return c, PlainHTTP
	case bytes.HasPrefix(proxySignature1, begin), bytes.HasPrefix(proxySignature2, begin):
		return c, ProxyHeaderNotAllowed
	}
	return c, err
}

// isHTTP reports whether a connection that begins so speaks HTTP.
func isHTTP(begin []byte) bool {
	return slices.Contains([]string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "CONNE", "TRACE", "PATCH", "PRI *"},
		string(begin))
}

var errTLSBroken = errors.New("TLS broke")

// Read takes an end of the TCP connection for an end in order, as many clients do not say goodbye in TLS: packets have
// a length, so one that was cut off is found.
func (c *tlsConn) Read(p []byte) (int, error) {
	c.beginRead()
	n, err := c.tls.Read(p)
	c.endRead()
	c.records.overhead.payload += n
	switch {
	case errors.Is(err, errTooManyRecords):
		return n, errTooManyRecords
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded), isBroken(err):
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, io.EOF
	default: // what came is no TLS, or the client says so of what it got
		return n, fmt.Errorf("%w: %w", errTLSBroken, err)
	}
}

func (c *tlsConn) Write(packets []byte) (int, error) { return c.tls.Write(packets) }

// Close says goodbye in TLS, if that needs no waiting to speak of.
func (c *tlsConn) Close() error {
	c.tlsDeadlines.end()
	_ = c.SetWriteDeadline(time.Now().Add(farewellTime))
	return c.tls.Close()
}

func (c *tlsConn) Abort() {
	c.tlsDeadlines.end()
	c.tcpConn.Abort()
}

func (c *tlsConn) Finish(_ Ending, discarded func(int)) {
	if c.tls.CloseWrite() == nil && c.CloseWrite() == nil {
		readAway(c, discarded)
	}
}
