package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"iocpnetlib/chat"
)

// session is one conversation with a server. All of it but the reading of the two streams happens on one goroutine.
type session struct {
	conn    net.Conn
	stdout  io.Writer
	stderr  io.Writer
	opening []command // done before the first line

	pending  awaited
	refused  bool // the server refused a command, or a line was not understood
	notifies int  // chat messages that came
	wanted   int  // chat messages that /wait waits for
	sent     chat.MessageField
	user     chat.NameField // who is logged in
	asked    chat.NameField // who wants to be
	room     int32          // that was asked for
}

// awaited is what the session waits for before it takes the next line.
type awaited int

const (
	nothing awaited = iota
	loginAnswer
	enterAnswer
	leaveAnswer
	chatAnswer
	ownNotify // what was said is to come back to the sender, as to all others
	moreNotifies
)

func newSession(conn net.Conn, stdout, stderr io.Writer) *session {
	return &session{conn: conn, stdout: stdout, stderr: stderr}
}

// received is what the reading goroutine passes on.
type received struct {
	packet incoming
	err    error
}

// runScript does what the lines of an input say. The goroutine that reads them may stay behind: a read may not be
// interruptible.
func (s *session) runScript(ctx context.Context, input io.Reader) int {
	done := make(chan struct{})
	defer close(done)
	lines := make(chan string)
	inputErrors := make(chan error, 1)
	go readLines(input, lines, inputErrors, done)
	code := s.run(ctx, lines, inputErrors)
	if code == exitOK && s.refused {
		return exitRefused
	}
	return code
}

// run talks until the input or the connection ends, closes the connection and returns the exit code. When allLines is
// closed, inputErrors has or will have the reason, nil for the usual end.
func (s *session) run(ctx context.Context, allLines <-chan string, inputErrors <-chan error) int {
	done := make(chan struct{})
	packets := make(chan received)
	readerEnded := make(chan struct{})
	defer func() {
		close(done)
		_ = s.conn.Close() // ends the reader
		<-readerEnded
	}()
	go func() {
		defer close(readerEnded)
		reader := bufio.NewReader(s.conn)
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
	}()
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	for {
		if s.pending == nothing && len(s.opening) > 0 {
			limit, err := s.do(s.opening[0])
			if err != nil {
				return s.connectionEnded(err)
			}
			s.opening = s.opening[1:]
			timer.Reset(limit)
		}
		// While something is awaited no line is taken, and while nothing is, there is nothing to be late.
		lines, late := allLines, (<-chan time.Time)(nil)
		if s.pending != nothing {
			lines, late = nil, timer.C
		}
		select {
		case <-ctx.Done():
			return exitInterrupted
		case r := <-packets:
			if r.err != nil {
				return s.connectionEnded(r.err)
			}
			if err := s.handle(r.packet); err != nil {
				return s.fail("%v", err)
			}
		case <-late:
			if s.pending == moreNotifies {
				return s.fail("%d of %d chat messages came in time", s.notifies, s.wanted)
			}
			return s.fail("the server did not answer within %v", answerTime)
		case line, ok := <-lines:
			if !ok {
				if err := <-inputErrors; err != nil {
					return s.fail("%v", err)
				}
				return exitOK
			}
			command, err := parseCommand(line)
			if err != nil {
				fmt.Fprintf(s.stderr, "%v\n", err)
				s.refused = true
				continue
			}
			if _, quit := command.(quitCommand); quit {
				return exitOK
			}
			limit, err := s.do(command)
			if err != nil {
				return s.connectionEnded(err)
			}
			timer.Reset(limit)
		}
	}
}

// do carries a command out, up to the answer, and returns how long that may take. The error is the connection's.
func (s *session) do(command command) (limit time.Duration, err error) {
	var packet []byte
	switch c := command.(type) {
	case loginCommand:
		s.pending, s.asked = loginAnswer, c.request.UserID
		packet = c.request.Append(nil)
	case enterCommand:
		s.pending, s.room = enterAnswer, c.room
		packet = (&chat.RoomEnterRequest{RoomNumber: c.room}).Append(nil)
	case leaveCommand:
		s.pending = leaveAnswer
		packet = (&chat.RoomLeaveRequest{}).Append(nil)
	case chatCommand:
		s.pending, s.sent = chatAnswer, c.request.Message
		packet = c.request.Append(nil)
	case waitCommand:
		if s.notifies < c.messages {
			s.pending, s.wanted = moreNotifies, c.messages
		}
		return c.limit, nil
	case helpCommand:
		s.printf("%s", strings.TrimSuffix(helpText, "\n"))
		return 0, nil
	default:
		return 0, nil
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(answerTime)) // an error is Write's, too
	_, err = s.conn.Write(packet)
	return answerTime, err
}

var errNotAsked = errors.New("the server answered what was not asked: it does not speak this protocol")

// handle takes one packet of the server.
func (s *session) handle(packet incoming) error {
	switch p := packet.(type) {
	case *chat.LoginResponse:
		if s.pending != loginAnswer {
			return errNotAsked
		}
		if p.Result == chat.ResultNone {
			s.user = s.asked
			s.printf("* logged in as %s", fieldWords(&s.user))
		} else {
			s.refuse("login", p.Result)
		}
		s.pending = nothing
	case *chat.RoomEnterResponse:
		if s.pending != enterAnswer {
			return errNotAsked
		}
		switch rival := fieldWords(&p.RivalUserID); {
		case p.Result != chat.ResultNone:
			s.refuse("enter", p.Result)
		case rival == "":
			s.printf("* entered room %d, nobody is there yet", s.room)
		default:
			s.printf("* entered room %d, %s is there", s.room, rival)
		}
		s.pending = nothing
	case *chat.RoomLeaveResponse:
		if s.pending != leaveAnswer {
			return errNotAsked
		}
		if p.Result == chat.ResultNone {
			s.printf("* left the room")
		} else {
			s.refuse("leave", p.Result)
		}
		s.pending = nothing
	case *chat.RoomChatResponse:
		if s.pending != chatAnswer {
			return errNotAsked
		}
		s.pending = ownNotify
		if p.Result != chat.ResultNone {
			s.refuse("message", p.Result)
			s.pending = nothing
		}
	case *chat.RoomChatNotify:
		s.notifies++
		s.printf("[%s] %s", fieldWords(&p.UserID), fieldWords(&p.Msg))
		if s.pending == ownNotify && sameText(&p.UserID, &s.user) && sameText(&p.Msg, &s.sent) ||
			s.pending == moreNotifies && s.notifies >= s.wanted {
			s.pending = nothing
		}
	}
	return nil
}

// sameText reports whether two text fields, one of them the client's own, say the same.
func sameText(a, b textField) bool {
	left, leftErr := a.Text()
	right, rightErr := b.Text()
	return leftErr == nil && rightErr == nil && bytes.Equal(left, right)
}

// printf prints a line.
func (s *session) printf(format string, arguments ...any) {
	fmt.Fprintf(s.stdout, format+"\n", arguments...)
}

// refuse tells that the server refused a request. The session goes on.
func (s *session) refuse(what string, why chat.ErrorCode) {
	s.refused = true
	s.printf("* %s refused: %s", what, inWords(why))
}

// fail tells why the session ends.
func (s *session) fail(format string, arguments ...any) int {
	fmt.Fprintf(s.stderr, "chatclient: "+format+"\n", arguments...)
	return exitError
}

func (s *session) connectionEnded(err error) int {
	if errors.Is(err, io.EOF) {
		return s.fail("the server closed the connection")
	}
	return s.fail("the connection was lost: %v", err)
}
