package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"
)

// linkConfig says whom a link connects to, and how patient it is.
type linkConfig struct {
	address     string
	wishes      wishes
	reconnects  bool
	pauses      backoff
	loginPauses []time.Duration
	answerTime  time.Duration
}

// usualLoginPauses are several seconds in all: a server needs a moment to notice the end of a connection.
var usualLoginPauses = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
	4 * time.Second}

// stableTime is how long a connection must last for the next pause to be a short one again: a server that is full, or
// does not want this client, accepts connections only to close them.
const stableTime = 10 * time.Second

// The capacities of the channels. A full channel of events stops the reading from the server, which then slows down.
const (
	maxRequests = 16
	maxEvents   = 64
	maxPackets  = 64
)

// link keeps a connection to the server: it connects, logs in and enters the room again by itself.
type link struct {
	config   linkConfig
	wishes   wishes
	requests chan command   // wanted of the link
	events   chan linkEvent // told by the link; closed at its end
}

func newLink(config linkConfig) *link {
	return &link{
		config:   config,
		wishes:   config.wishes,
		requests: make(chan command, maxRequests),
		events:   make(chan linkEvent, maxEvents),
	}
}

// Why a conversation ends, other than by the connection.
var (
	errReconnect = errors.New("a new connection was asked for")
	errQuit      = errors.New("the end was asked for")
)

// run connects again and again until ctx ends or a quitCommand came. Nothing of it is left when it returns.
func (l *link) run(ctx context.Context) {
	defer close(l.events)
	attempt, again := 0, false
	for ctx.Err() == nil {
		l.tell(ctx, connectionChanged{state: connecting, attempt: attempt})
		began := time.Now()
		why, heard := l.connect(ctx, again)
		if errors.Is(why, errQuit) {
			return
		}
		again = again || heard
		if heard && time.Since(began) >= stableTime {
			attempt = 0
		}
		if errors.Is(why, errReconnect) {
			attempt = 0
			continue
		}
		attempt++
		change := connectionChanged{state: closed, why: inSentence(why)}
		var timer <-chan time.Time
		if l.config.reconnects {
			pause := l.config.pauses.pause(attempt, rand.Float64())
			change = connectionChanged{waiting, attempt, time.Now().Add(pause), change.why}
			timer = time.After(pause)
		}
		l.tell(ctx, change)
		switch why := l.wait(ctx, timer); {
		case errors.Is(why, errQuit):
			return
		case errors.Is(why, errReconnect):
			attempt = 0
		}
	}
}

// inSentence says what happened to a connection. Errors of the network are text from outside, too.
func inSentence(why error) string {
	if errors.Is(why, io.EOF) {
		return "the server closed the connection"
	}
	return printable([]byte(why.Error()))
}

// cause is what the system says about a connection, without the names of its calls and addresses, which are on the
// screen already.
func cause(err error) error {
	var number syscall.Errno
	var network net.Error
	switch {
	case errors.As(err, &number):
		return number
	case errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	}
	return err
}

// tell passes an event on.
func (l *link) tell(ctx context.Context, events ...linkEvent) {
	for _, event := range events {
		select {
		case l.events <- event:
		case <-ctx.Done():
			return
		}
	}
}

// wait returns when it is time for the next attempt (nil), or somebody wants it now or not at all.
func (l *link) wait(ctx context.Context, timer <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer:
			return nil
		case wanted := <-l.requests:
			switch w := wanted.(type) {
			case reconnectCommand:
				return errReconnect
			case quitCommand:
				l.tell(ctx, linkEnded{})
				return errQuit
			case chatCommand:
				said := sayStep(w)
				l.tell(ctx, notDelivered{typed(&said)})
			case loginCommand:
				l.wishes.login = &w.request
				l.tell(ctx, postponed{w})
			case enterCommand:
				l.wishes.room = &w.room
				l.tell(ctx, postponed{w})
			case leaveCommand:
				l.wishes.room = nil
				l.tell(ctx, leftRoom{})
			}
		}
	}
}

// connect makes a connection and talks over it until it ends, and returns why it did, and whether the server said
// anything.
func (l *link) connect(ctx context.Context, again bool) (why error, heard bool) {
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, "tcp", l.config.address)
	if err != nil {
		return fmt.Errorf("no connection: %w", cause(err)), false
	}
	packets := make(chan received, maxPackets)
	done, readerEnded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(readerEnded)
		readPackets(conn, packets, done)
	}()
	release := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends a write that hangs
	l.tell(ctx, connectionChanged{state: connected})
	conversation := newConversation(&l.wishes, l.config.loginPauses, again)
	why, heard = l.talk(ctx, conn, conversation, packets)
	release()
	close(done)
	_ = conn.Close() // ends the reader
	<-readerEnded
	l.tell(ctx, conversation.undelivered()...)
	return why, heard
}

// readPackets passes on what comes, up to the first error, until done is closed.
func readPackets(conn net.Conn, packets chan<- received, done <-chan struct{}) {
	reader := bufio.NewReader(conn)
	for {
		packet, err := readPacket(reader)
		select {
		case packets <- received{packet, err}:
		case <-done:
			return
		}
		if err != nil {
			return
		}
	}
}

// talk carries the conversation on until it or the connection ends. Heard says whether the server sent anything.
func (l *link) talk(ctx context.Context, conn net.Conn, c *conversation, packets <-chan received) (why error, heard bool) {
	answer, retry := stoppedTimer(), stoppedTimer()
	defer answer.Stop()
	defer retry.Stop()
	resting := false // until retry
	for {
		packet, events := c.next()
		for _, event := range events {
			l.tell(ctx, event)
			if event == (linkEnded{}) {
				return errQuit, heard
			}
		}
		if packet != nil {
			_ = conn.SetWriteDeadline(time.Now().Add(l.config.answerTime)) // an error is Write's, too
			if _, err := conn.Write(packet); err != nil {
				return fmt.Errorf("the connection was lost: %w", cause(err)), heard
			}
			answer.Reset(l.config.answerTime)
		}
		requests, late := l.requests, answer.C
		if c.busy() {
			requests = nil
		}
		if !c.asked {
			late = nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err(), heard
		case <-late:
			return fmt.Errorf("the server did not answer within %v", l.config.answerTime), heard
		case <-retry.C:
			c.pause, resting = 0, false
		case wanted := <-requests:
			if wanted == (reconnectCommand{}) {
				return errReconnect, heard
			}
			c.request(wanted)
		case r := <-packets:
			if r.err != nil {
				if errors.Is(r.err, io.EOF) {
					return r.err, heard
				}
				return fmt.Errorf("the connection was lost: %w", cause(r.err)), heard
			}
			events, err := c.handle(r.packet)
			if err != nil {
				return err, heard
			}
			heard = true
			l.tell(ctx, events...)
			if c.pause > 0 && !resting {
				retry.Reset(c.pause)
				resting = true
			}
		}
	}
}

func stoppedTimer() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}
