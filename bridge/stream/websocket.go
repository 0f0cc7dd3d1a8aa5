package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// webSocketConn is a stream of packets in binary messages.
//
// The library takes every failed read for the end of the connection, also one that met a deadline in the middle of a
// frame. So reads below it go on after a deadline if the Conn's owner says so (see ResumeReads), and the library notices
// deadlines only at the end.
type webSocketConn struct {
	*webConn
	socket   *websocket.Conn
	settings *WebSocket
	message  io.Reader // what the client is sending; nil between messages
	length   int       // bytes of it that have come
	hasLeft  bool      // the client has ended the connection below, while more of a frame was to come
	packets  boundary

	resumes func() bool           // the reader's
	failed  atomic.Pointer[error] // a Refusal, or what wraps one
	reads   atomic.Uint64         // reads that brought something
	isAtIt  atomic.Bool           // the reader waits for the client

	writing chan struct{} // full while somebody writes
	ended   context.Context
	end     context.CancelFunc

	// The reader's, of the last second:
	second       time.Time
	pings        int
	raw, payload int // bytes that came, and those of packets among them
}

// Resumer is a Conn that has to be told whether reads go on after a deadline. goOn is called by the goroutine that reads.
type Resumer interface {
	ResumeReads(goOn func() bool)
}

func newWebSocketConn(below *webConn, settings *WebSocket) *webSocketConn {
	ctx, cancel := context.WithCancel(context.Background())
	return &webSocketConn{webConn: below, settings: settings, writing: make(chan struct{}, 1), ended: ctx, end: cancel}
}

// begin takes the connection over from the HTTP server.
func (c *webSocketConn) begin(socket *websocket.Conn) {
	c.socket = socket
	c.webConn.socket = c
	socket.SetReadLimit(-1) // Read has one, which lets what is queued go out before the end
}

// watch begins to send pings, if it is to.
func (c *webSocketConn) watch() {
	if c.settings.PingInterval > 0 {
		c.listener.group.Go(c.askWhileSilent)
	}
}

func (c *webSocketConn) ResumeReads(goOn func() bool) { c.resumes = goOn }

// readBelow reads what the library is to see.
func (c *webSocketConn) readBelow(p []byte) (int, error) {
	c.isAtIt.Store(true)
	defer c.isAtIt.Store(false)
	for {
		n, err := c.Conn.Read(p)
		if n > 0 {
			c.reads.Add(1)
			return n, c.weigh(n) // an end that came with it comes again
		}
		c.hasLeft = c.hasLeft || errors.Is(err, io.EOF)
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.failed.Load() != nil || c.resumes == nil || !c.resumes() {
			return n, err
		}
	}
}

// Read reads to the end of one packet at most, and of a packet that is too long only its length: the library returns when
// all that it was asked for has come, and what is there already is not to wait for the rest of a message.
func (c *webSocketConn) Read(p []byte) (int, error) {
	got := 0
	for got < len(p) {
		if c.message == nil {
			kind, message, err := c.socket.Reader(context.Background())
			if err != nil {
				return got, c.refusalOf(err)
			}
			if kind == websocket.MessageText {
				return got, TextMessage
			}
			c.message, c.length = message, 0
		}
		n, err := c.message.Read(p[got:min(len(p), got+c.packets.wanted())])
		if err != nil && !errors.Is(err, io.EOF) || c.hasLeft {
			// What came of a frame that breaks off is still masked, and no message.
			return got, c.refusalOf(err)
		}
		if n > c.settings.MaxMessage-c.length {
			return got + c.settings.MaxMessage - c.length, MessageTooLong
		}
		c.packets.pass(p[got : got+n])
		c.payload += n
		got += n
		c.length += n
		if err != nil { // its end
			c.message = nil
			if c.length == 0 || !c.packets.isBetween() {
				return got, MessageNotWhole
			}
		}
		if got > 0 && (c.packets.isBetween() || c.packets.rest > c.listener.config.MaxPacketSize-lengthSize) {
			break
		}
	}
	return got, nil
}

// How much of what a client sends in a second may be no packets: frames take some bytes each, and a packet may be sent in
// many, but who sends far more than that costs time which no limit of packets or their bytes bounds.
const (
	freeOverhead     = 64 << 10
	overheadOfPacket = 8 // times its bytes
)

// weigh counts bytes that came. The reader.
func (c *webSocketConn) weigh(n int) error {
	c.newSecond()
	c.raw += n
	// The library keeps up to a packet until it is whole.
	overhead := c.raw - c.payload - c.listener.config.MaxPacketSize
	if overhead > freeOverhead && overhead > overheadOfPacket*c.payload {
		c.fail(errTooMuch)
		return errTooMuch
	}
	return nil
}

var errTooMuch = fmt.Errorf("%w: too many frames without packets", FrameInvalid)

// newSecond begins to count anew when a second is over. The reader.
func (c *webSocketConn) newSecond() {
	if now := time.Now(); now.Sub(c.second) >= time.Second {
		c.second, c.pings, c.raw, c.payload = now, 0, 0, 0
	}
}

// refusalOf says what a failed read means.
func (c *webSocketConn) refusalOf(err error) error {
	if why := c.failed.Load(); why != nil {
		return *why
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), isBroken(err):
		return err
	case websocket.CloseStatus(err) != -1, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	default:
		return fmt.Errorf("%w: %w", FrameInvalid, err)
	}
}

// fail makes the read that waits, or else the next one, return why. Any goroutine.
func (c *webSocketConn) fail(why error) {
	c.failed.CompareAndSwap(nil, &why)
	_ = c.SetReadDeadline(time.Unix(1, 0))
}

func (c *webSocketConn) Piece(packets []byte, size int) int { return wholePackets(packets, size) }

func (c *webSocketConn) Write(packets []byte) (int, error) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	if err := c.socket.Write(context.Background(), websocket.MessageBinary, packets); err != nil {
		return 0, err
	}
	return len(packets), nil
}

// maxPings is how many pings of a client are answered in a second. Browsers send none, tools one in some seconds; each
// costs a write, which no limit of packets bounds.
const maxPings = 10

// pongPatience is how long a ping waits for a write that is under way before it is not answered: its sender reads too
// slowly to get the answer in time.
const pongPatience = time.Second

// onPing decides whether a ping is answered. The reader.
func (c *webSocketConn) onPing(context.Context, []byte) bool {
	c.newSecond()
	if c.pings++; c.pings > maxPings {
		c.fail(FrameInvalid)
		return false
	}
	timer := time.NewTimer(pongPatience)
	defer timer.Stop()
	select {
	case c.writing <- struct{}{}:
		<-c.writing // the pong takes its own turn
		return true
	case <-timer.C:
		return false
	}
}

// askWhileSilent sends pings to a client from which nothing comes.
func (c *webSocketConn) askWhileSilent() {
	ticker := time.NewTicker(c.settings.PingInterval)
	defer ticker.Stop()
	seen := uint64(0)
	for {
		select {
		case <-c.ended.Done():
			return
		case <-ticker.C:
		}
		reads := c.reads.Load()
		isSilent := reads == seen
		seen = reads
		// While logic is behind nobody reads, and a client that does not read is the writer's business.
		if !isSilent || !c.isAtIt.Load() || len(c.writing) > 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(c.ended, c.settings.PingInterval)
		err := c.socket.Ping(ctx)
		cancel()
		if err != nil && c.ended.Err() == nil && c.isAtIt.Load() && c.reads.Load() == seen {
			c.fail(PongMissing)
			return
		}
	}
}

// statusOf is what RFC 6455, 7.4.1 has for an ending.
var statusOf = map[Ending]websocket.StatusCode{
	EndedNormally:     websocket.StatusNormalClosure,
	EndedByStop:       websocket.StatusGoingAway,
	EndedByViolation:  websocket.StatusPolicyViolation,
	EndedByText:       websocket.StatusUnsupportedData,
	EndedByLength:     websocket.StatusMessageTooBig,
	EndedByFrameError: websocket.StatusProtocolError,
}

// Finish closes as WebSocket does: both sides say so. What the client still sends is not counted.
func (c *webSocketConn) Finish(why Ending, _ func(int)) {
	c.resumes = nil
	_ = c.socket.Close(statusOf[why], "")
	c.end()
}

func (c *webSocketConn) Abort() {
	c.Conn.Abort()
	_ = c.Close()
}

func (c *webSocketConn) Close() error {
	c.end()
	return c.socket.CloseNow()
}
