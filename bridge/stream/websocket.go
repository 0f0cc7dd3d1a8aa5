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

	// What comes from below:
	frames    frames
	saidClose bool // inside a message; the library has not seen it

	resumes func() bool           // the reader's
	failed  atomic.Pointer[error] // a Refusal, or what wraps one
	heard   atomic.Int64          // when something came last: since begun, in nanoseconds
	isAtIt  atomic.Bool           // the reader waits for the client

	writing chan struct{} // full while somebody writes
	begun   time.Time
	ended   context.Context
	end     context.CancelFunc

	// The reader's:
	overhead   overhead
	pingSecond time.Time // the second in which there were so many pings
	pings      int
}

// Resumer is a Conn that has to be told whether reads go on after a deadline. goOn is called by the goroutine that reads.
type Resumer interface {
	ResumeReads(goOn func() bool)
}

func newWebSocketConn(below *webConn, settings *WebSocket) *webSocketConn {
	ctx, cancel := context.WithCancel(context.Background())
	return &webSocketConn{webConn: below, settings: settings, writing: make(chan struct{}, 1), begun: time.Now(),
		ended: ctx, end: cancel}
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
//
// That is no Close frame inside a message, where it may come (RFC 6455, 5.4): the library (v1.8.15) closes then while it is
// still unpacking the message, uses what it has given back, and another client may get that meanwhile. So the stream ends
// before it.
func (c *webSocketConn) readBelow(p []byte) (int, error) {
	c.isAtIt.Store(true)
	defer c.isAtIt.Store(false)
	for {
		if c.saidClose {
			return 0, io.ErrUnexpectedEOF // the library takes io.EOF for the end of the message
		}
		var n int
		var err error
		if len(c.early) > 0 {
			n = c.early.take(p) // came with the request
		} else {
			n, err = c.Conn.Read(p)
		}
		if n > 0 {
			until := c.frames.untilClose(p[:n])
			c.saidClose = until < n
			if until == 0 {
				continue
			}
			return until, c.weigh(until) // an end that came with it comes again
		}
		c.hasLeft = c.hasLeft || errors.Is(err, io.EOF)
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.resumes == nil || !c.resumes() || c.failed.Load() != nil {
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
		if c.hasLeft {
			// What came of a frame that breaks off is still masked, and no message.
			return got, c.refusalOf(io.ErrUnexpectedEOF)
		}
		isEnd := errors.Is(err, io.EOF)
		breaksOff := c.saidClose && errors.Is(err, io.ErrUnexpectedEOF) // between two frames: what came is whole
		if err != nil && !isEnd && !breaksOff {
			return got, c.refusalOf(err)
		}
		if n > c.settings.MaxMessage-c.length {
			return got + c.settings.MaxMessage - c.length, MessageTooLong
		}
		c.packets.pass(p[got : got+n])
		c.overhead.payload += n
		got += n
		c.length += n
		if breaksOff {
			return got, c.refusalOf(err)
		}
		if isEnd {
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

// weigh counts bytes that came. The reader.
func (c *webSocketConn) weigh(n int) error {
	c.heard.Store(int64(time.Since(c.begun)))
	// The library keeps up to a packet until it is whole.
	if !c.overhead.addRaw(n, c.listener.config.MaxPacketSize) {
		c.fail(errTooManyFrames)
		return errTooManyFrames
	}
	return nil
}

var errTooManyFrames = fmt.Errorf("%w: too many frames without packets", FrameInvalid)

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
	if now := time.Now(); now.Sub(c.pingSecond) >= time.Second {
		c.pingSecond, c.pings = now, 0
	}
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
	interval := c.settings.PingInterval
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-c.ended.Done():
			return
		case <-timer.C:
		}
		heard := c.heard.Load()
		if silent := time.Since(c.begun) - time.Duration(heard); silent < interval {
			timer.Reset(interval - silent)
			continue
		}
		timer.Reset(interval)
		// While logic is behind nobody reads, and a client that does not read is the writer's business.
		if !c.isAtIt.Load() || len(c.writing) > 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(c.ended, interval)
		err := c.socket.Ping(ctx)
		cancel()
		if err != nil && c.ended.Err() == nil && c.isAtIt.Load() && c.heard.Load() == heard {
			c.fail(PongMissing)
			return
		}
		timer.Reset(interval)
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
	c.end()
	_ = c.socket.CloseNow()
}

func (c *webSocketConn) Close() error {
	c.end()
	if c.saidClose { // the library would have answered it
		_ = c.SetDeadline(time.Now().Add(farewellTime))
		_ = c.socket.Close(websocket.StatusNormalClosure, "")
	}
	return c.socket.CloseNow()
}
