// Package stream turns the TCP connections of a door into streams of packets: it reads PROXY headers, does TLS
// handshakes, and speaks WebSocket. It knows the length in a packet's header, because a WebSocket message has whole
// packets, and nothing else of packets; connections of logic are the business of package bridge.
package stream

import (
	"fmt"
	"net"
	"time"
)

// Conn is one client's stream of packets. One goroutine reads, one writes; the deadlines may be set, and Abort called,
// by any goroutine. Its owner ends it with Close or Abort.
type Conn interface {
	// Read reads bytes of packets. io.EOF: the client has ended its side in order. An error that wraps a Refusal: the
	// client broke a rule of the door. With an error that wraps os.ErrDeadlineExceeded reading may go on.
	Read(p []byte) (int, error)

	// Write writes whole packets, cut by Piece. After an error nothing more can be written.
	Write(packets []byte) (int, error)

	// Piece is how many bytes at the start of packets, which are whole ones, one Write is to be given: size at most, but
	// at least one packet if it takes only whole ones.
	Piece(packets []byte, size int) int

	// The deadlines are those of net.Conn. Setting one in the past makes a call that waits return.
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error

	// Finish tells the client that nothing more comes, and why, and reads away what it still sends until it ends as well
	// or the read deadline is over. discarded is called with the bytes. The goroutine that reads, when no other writes.
	Finish(why Ending, discarded func(bytes int))

	// Abort ends the connection at once: what the system has not sent yet is dropped, and the client sees a reset.
	Abort()

	// Close gives the connection back to the system, which goes on sending what it was given.
	Close() error

	// RemoteAddr is the client's address: what a PROXY header told, or else the socket's. Nil if the client had gone
	// before it was asked for.
	RemoteAddr() net.Addr
}

// Ending is why a server ends a connection, as far as a client can be told.
type Ending int

// The endings. Their numbers are of no meaning.
const (
	EndedNormally     Ending = iota
	EndedByStop              // the server stops
	EndedByViolation         // the client broke a rule of the protocol
	EndedByText              // the client sent a text message
	EndedByLength            // the client sent a message that is too long
	EndedByFrameError        // the client broke a rule of WebSocket
)

// Refusal says why a connection never became a Conn, or which rule of its door a client has broken.
type Refusal int

// The refusals.
const (
	ProxyHeaderInvalid    Refusal = iota + 1 // from a source that has to send a PROXY header: none, or a wrong one
	ProxyHeaderNotAllowed                    // a PROXY header from any other source
	HandshakeFailed                          // TLS, or the request for a WebSocket
	PlainHTTP                                // HTTP where TLS was expected
	HandshakeTimeout                         // header and handshakes took too long
	HandshakesFull                           // the oldest of too many handshakes
	OtherOrigin                              // a web page from another server asked for a WebSocket
	TextMessage                              // a WebSocket message of text
	MessageTooLong                           // a WebSocket message over the limit
	MessageNotWhole                          // a WebSocket message that ends inside a packet
	FrameInvalid                             // no WebSocket frame, one that may not be there, or far too many of them, or of TLS records
	PongMissing                              // nothing came, and no ping was answered
)

var refusalTexts = [...]string{
	ProxyHeaderInvalid:    "no valid PROXY header from a source that has to send one",
	ProxyHeaderNotAllowed: "a PROXY header from a source that may not send one",
	HandshakeFailed:       "the handshake failed",
	PlainHTTP:             "plain HTTP on a port for TLS",
	HandshakeTimeout:      "the handshake took too long",
	HandshakesFull:        "too many handshakes at once",
	OtherOrigin:           "a page from another origin",
	TextMessage:           "a text message",
	MessageTooLong:        "a message over the limit",
	MessageNotWhole:       "a message that ends inside a packet",
	FrameInvalid:          "an invalid frame",
	PongMissing:           "no answer to a ping",
}

// Error is the refusal in words.
func (r Refusal) Error() string {
	if r > 0 && int(r) < len(refusalTexts) {
		return refusalTexts[r]
	}
	return fmt.Sprintf("refusal %d", int(r))
}
