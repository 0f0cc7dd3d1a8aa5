package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/chat"
)

// quick are the pauses of links in tests.
var quick = backoff{time.Millisecond, time.Millisecond}

func loginAs(t *testing.T, id string) chat.LoginRequest {
	t.Helper()
	request, err := chat.NewLoginRequest(id, "")
	require.NoError(t, err)
	return request
}

func saying(t *testing.T, text string) chatCommand {
	t.Helper()
	request, err := chat.NewRoomChatRequest(text)
	require.NoError(t, err)
	return chatCommand{request}
}

// runningLink is a link whose events a test takes.
type runningLink struct {
	*link
	t *testing.T
}

// startLink runs a link with a server, for a user in a room, until the test ends.
func startLink(t *testing.T, address, user string, room int32, change func(*linkConfig)) *runningLink {
	t.Helper()
	config := linkConfig{address: address, reconnects: true, pauses: quick, answerTime: patience}
	if user != "" {
		request := loginAs(t, user)
		config.wishes = wishes{&request, &room}
	}
	if change != nil {
		change(&config)
	}
	l := &runningLink{newLink(config), t}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return l
}

// next is the next event that is not about connecting.
func (l *runningLink) next() linkEvent {
	l.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case event, open := <-l.events:
			require.True(l.t, open, "the link has ended")
			if change, ok := event.(connectionChanged); ok && (change.state == connecting || change.state == connected) {
				continue
			}
			return event
		case <-limit:
			require.Fail(l.t, "no event comes")
		}
	}
}

// expect requires that the next events are these; of a connectionChanged only the state and the reason count.
func (l *runningLink) expect(events ...linkEvent) {
	l.t.Helper()
	for _, want := range events {
		got := l.next()
		if change, ok := got.(connectionChanged); ok {
			got = connectionChanged{state: change.state, why: change.why}
		}
		require.Equal(l.t, want, got)
	}
}

const closedByServer = "the server closed the connection"

func TestALinkComesBack(t *testing.T) {
	server := startServerOn(t, 0)
	l := startLink(t, server.address, "앨리스", 5, nil)
	l.expect(loggedIn{"앨리스"}, enteredRoom{5, ""})
	l.requests <- saying(t, "안녕")
	l.expect(messageCame{"앨리스", "안녕", true})
	l.requests <- enterCommand{6}
	l.expect(enteredRoom{6, ""})

	server.stop()
	l.expect(connectionChanged{state: waiting, why: closedByServer})
	startServerOn(t, server.port)
	for {
		event := l.next()
		if event == (loggedIn{"앨리스"}) {
			break
		}
		require.Contains(t, event.(connectionChanged).why, "no connection: ")
	}
	l.expect(enteredRoom{6, ""}) // the room of then, not the one of the beginning
}

func TestALinkCountsItsAttempts(t *testing.T) {
	nowhere, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nowhere.Close())
	l := startLink(t, nowhere.Addr().String(), "", 0, nil)
	for want := 1; want < 6; want++ {
		change := l.next().(connectionChanged)
		assert.Equal(t, want, change.attempt)
		assert.NotContains(t, change.why, nowhere.Addr().String())
	}
}

func TestARoomThatRefusesSendsTheUserBack(t *testing.T) {
	address := startServer(t) // with rooms for two
	for _, id := range []string{"b", "c"} {
		startLink(t, address, id, 2, nil).expect(loggedIn{id}, enteredRoom{2, map[string]string{"c": "b"}[id]})
	}
	l := startLink(t, address, "a", 1, nil)
	l.expect(loggedIn{"a"}, enteredRoom{1, ""})
	l.requests <- enterCommand{2}
	l.expect(enterRefused{2, chat.ResultEnterRoomFullUser}, enteredRoom{1, ""})
	l.requests <- enterCommand{1}
	l.expect(inRoomAlready{1})
	l.requests <- leaveCommand{}
	l.requests <- leaveCommand{}
	l.expect(leftRoom{}, leaveRefused{chat.ResultLeaveRoomInvalidRoomIndex})
	l.requests <- saying(t, "nobody hears")
	l.expect(sayRefused{"nobody hears", chat.ResultChatRoomInvalidRoomNumber})
}

func TestWhatWasSaidBeforeTheEndIsSent(t *testing.T) {
	l := startLink(t, startServer(t), "a", 1, nil)
	l.requests <- saying(t, "bye")
	l.requests <- quitCommand{}
	l.expect(loggedIn{"a"}, enteredRoom{1, ""}, messageCame{"a", "bye", true}, linkEnded{})
	_, open := <-l.events
	assert.False(t, open)
}

// answering serves one connection after another. For each there are the answers to its requests; after the last it is
// closed, unless that is empty: then it is left without an answer.
func answering(t *testing.T, connections ...[]string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	serve := func(conn net.Conn, answers []string) {
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		for _, answer := range answers {
			if _, err := readRequest(conn); err != nil {
				return
			}
			if answer == "" {
				_, _ = io.Copy(io.Discard, conn)
			}
			_, _ = io.WriteString(conn, answer)
		}
	}
	go func() {
		defer close(ended)
		for _, answers := range connections {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn, answers)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

// readRequest reads one packet as it is.
func readRequest(conn net.Conn) ([]byte, error) {
	header := make([]byte, 5)
	if _, err := io.ReadFull(conn, header); err != nil {
		return nil, err
	}
	packet := make([]byte, int(header[0])|int(header[1])<<8)
	copy(packet, header)
	_, err := io.ReadFull(conn, packet[len(header):])
	return packet, err
}

// The answers of servers.
func loginAnswer31() string {
	return string((&chat.LoginResponse{Result: chat.ResultLoginUserAlready}).Append(nil))
}

var (
	loginOK = string((&chat.LoginResponse{}).Append(nil))
	enterOK = string((&chat.RoomEnterResponse{}).Append(nil))
	chatOK  = string((&chat.RoomChatResponse{}).Append(nil))
)

func TestTheServerStillTakesTheLastConnectionForAlive(t *testing.T) {
	pauses := func(c *linkConfig) { c.loginPauses = []time.Duration{time.Millisecond, time.Millisecond} }
	address := answering(t, []string{loginOK, enterOK}, []string{loginAnswer31(), loginAnswer31(), loginOK, enterOK})
	l := startLink(t, address, "a", 1, pauses)
	again := loginRefused{chat.ResultLoginUserAlready, true}
	l.expect(loggedIn{"a"}, enteredRoom{1, ""}, connectionChanged{state: waiting, why: closedByServer},
		again, again, loggedIn{"a"}, enteredRoom{1, ""})

	given := answering(t, []string{loginOK, enterOK},
		[]string{loginAnswer31(), loginAnswer31(), loginAnswer31(), ""})
	l = startLink(t, given, "a", 1, pauses)
	l.expect(loggedIn{"a"}, enteredRoom{1, ""}, connectionChanged{state: waiting, why: closedByServer},
		again, again, loginRefused{chat.ResultLoginUserAlready, false})
}

func TestTheFirstLoginIsNotTriedAgain(t *testing.T) {
	l := startLink(t, answering(t, []string{loginAnswer31(), ""}), "a", 1, func(c *linkConfig) {
		c.loginPauses = []time.Duration{time.Millisecond}
	})
	l.expect(loginRefused{chat.ResultLoginUserAlready, false}) // somebody else has that name
}

func TestNotDelivered(t *testing.T) {
	for name, answers := range map[string][]string{
		"not answered":        {loginOK, enterOK, "\x06\x00\x2c\x01\x00?"},
		"taken, but not told": {loginOK, enterOK, chatOK},
	} {
		t.Run(name, func(t *testing.T) {
			l := startLink(t, answering(t, answers), "a", 1, nil)
			l.expect(loggedIn{"a"}, enteredRoom{1, ""})
			l.requests <- saying(t, "하나")
			l.requests <- saying(t, "둘")
			l.expect(notDelivered{"하나"})
			for { // the other one may have been wanted a moment before or after the end of the connection
				event := l.next()
				if event == (notDelivered{"둘"}) {
					return
				}
				require.IsType(t, connectionChanged{}, event)
			}
		})
	}
}

func TestALinkThatDoesNotReconnect(t *testing.T) {
	address := answering(t, []string{loginOK, enterOK}, []string{loginOK, enterOK, ""})
	l := startLink(t, address, "a", 1, func(c *linkConfig) { c.reconnects = false })
	l.expect(loggedIn{"a"}, enteredRoom{1, ""}, connectionChanged{state: closed, why: closedByServer})
	l.requests <- saying(t, "hello?")
	l.expect(notDelivered{"hello?"})
	l.requests <- loginCommand{loginAs(t, "b")}
	l.expect(postponed{loginCommand{loginAs(t, "b")}})
	l.requests <- enterCommand{9}
	l.expect(postponed{enterCommand{9}})
	l.requests <- reconnectCommand{}
	l.expect(loggedIn{"b"}, enteredRoom{9, ""})
	l.requests <- quitCommand{}
	l.expect(linkEnded{})
}

func TestServersALinkCannotTalkTo(t *testing.T) {
	for name, test := range map[string]struct{ answer, why string }{
		"silent":          {"", "the server did not answer within 20ms"},
		"another answer":  {chatOK, errNotAsked.Error()},
		"no packet":       {"\x04\x00\xca\x00\x00", "the connection was lost: the server sent a packet of 4 bytes"},
		"half a packet":   {loginOK[:6], "the connection was lost: unexpected EOF"},
		"another service": {"HTTP/1.1 400 Bad Request\r\n\r\n", "the connection was lost: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			l := startLink(t, answering(t, []string{test.answer}), "a", 1, func(c *linkConfig) {
				c.reconnects = false
				if test.answer == "" {
					c.answerTime = 20 * time.Millisecond
				}
			})
			l.expect(connectionChanged{state: closed, why: test.why})
		})
	}
}

// TestALinkEndsWhileNobodyTakesItsEvents: a screen that is gone must not keep anything alive. That nothing is left is
// checked when all tests are done.
func TestALinkEndsWhileNobodyTakesItsEvents(t *testing.T) {
	notify := (&chat.RoomChatNotify{}).Append(nil)
	flood := strings.Repeat(string(notify), 10*maxEvents)
	startLink(t, answering(t, []string{loginOK + flood, ""}), "a", 1, nil).expect(loggedIn{"a"})
}

func TestPausesGrow(t *testing.T) {
	for attempt, milliseconds := range map[int]int{1: 500, 2: 1000, 3: 2000, 5: 8000, 6: 15000, 1000: 15000} {
		want := time.Duration(milliseconds) * time.Millisecond
		assert.Equal(t, want, usualBackoff.pause(attempt, 0.5), "attempt %d", attempt)
		for _, chance := range []float64{0, 0.25, 0.999} {
			pause := usualBackoff.pause(attempt, chance)
			assert.GreaterOrEqual(t, pause, 500*time.Millisecond)
			assert.LessOrEqual(t, pause, 15*time.Second)
			assert.InDelta(t, want, pause, float64(want)*jitter)
		}
		assert.NotEqual(t, usualBackoff.pause(attempt, 0), usualBackoff.pause(attempt, 0.999))
	}
}
