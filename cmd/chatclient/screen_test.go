package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/chat"
	"iocpnetlib/internal/scratchfolder"
)

// testScreen is a screen without a terminal, and what it wants of the link.
type testScreen struct {
	*screen
	t      testing.TB
	wanted chan command
	time   time.Time
}

func newTestScreen(t testing.TB, columns, rows int) *testScreen {
	s := &testScreen{t: t, wanted: make(chan command, 3), time: time.Date(2026, 1, 2, 9, 5, 0, 0, time.UTC)}
	s.screen = newScreen("127.0.0.1:11021", s.wanted, roomFile{filepath.Join(scratchfolder.New(t), "rooms.toml")}, true)
	s.now = func() time.Time { return s.time }
	s.Update(tea.WindowSizeMsg{Width: columns, Height: rows})
	return s
}

// inARoom is a screen whose user is in a room.
func inARoom(t testing.TB, columns, rows int, user string, room int32) *testScreen {
	s := newTestScreen(t, columns, rows)
	s.events(connectionChanged{state: connected}, loggedIn{user}, enteredRoom{room, ""})
	return s
}

func (s *testScreen) events(events ...linkEvent) tea.Cmd {
	_, then := s.Update(linkEvents(events))
	return then
}

// special are the keys of tests that are no letters.
var special = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "tab": {Code: tea.KeyTab}, "esc": {Code: tea.KeyEscape},
	"backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete},
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown},
	"ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+d": {Code: 'd', Mod: tea.ModCtrl}, "ctrl+n": {Code: 'n', Mod: tea.ModCtrl},
	"ctrl+p": {Code: 'p', Mod: tea.ModCtrl}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "ctrl+w": {Code: 'w', Mod: tea.ModCtrl},
	"alt+2": {Code: '2', Mod: tea.ModAlt}, "alt+9": {Code: '9', Mod: tea.ModAlt},
	"ctrl+home": {Code: tea.KeyHome, Mod: tea.ModCtrl},
}

// keys presses keys; what is no name of one is typed letter by letter.
func (s *testScreen) keys(keys ...string) (last tea.Cmd) {
	for _, key := range keys {
		if press, ok := special[key]; ok {
			_, last = s.Update(press)
			continue
		}
		for _, r := range key {
			_, last = s.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return last
}

// lines are what is on the screen, without colours, and without the spaces at the ends of lines.
func (s *testScreen) lines() []string {
	lines := strings.Split(ansi.Strip(s.View().Content), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

func (s *testScreen) text() string { return strings.Join(s.lines(), "\n") }

// inputRow is the line that is typed.
func (s *testScreen) inputRow() string { return s.lines()[s.View().Cursor.Y] }

// next is what the screen wants of the link.
func (s *testScreen) next() command {
	s.t.Helper()
	select {
	case wanted := <-s.wanted:
		return wanted
	default:
		require.Fail(s.t, "nothing is wanted of the link", "%s", s.text())
		return nil
	}
}

func TestTheWholeScreen(t *testing.T) {
	s := inARoom(t, 64, 9, "앨리스", 3)
	s.keys("/room add 5 잡담", "enter")
	s.events(messageCame{"bob", "hi", false}, messageCame{"앨리스", "안녕하세요 여러분 오늘은 날씨가 정말 좋네요 그렇죠?", true})
	s.keys("네")
	assert.Equal(t, strings.Join([]string{
		" 127.0.0.1:11021  ✓ connected  앨리스  room 3",
		" Rooms        |",
		"> 3           | 09:05 * entered room 3, nobody is there yet",
		"  5 잡담      | 09:05 bob: hi",
		"              | 09:05 앨리스: 안녕하세요 여러분 오늘은 날씨가",
		"              |       정말 좋네요 그렇죠?",
		"",
		"> 네",
		"/help  PgUp PgDn scroll  ^N ^P room  Tab list  ^C end",
	}, "\n"), s.text())
	assert.Equal(t, tea.Position{X: 4, Y: 7}, s.View().Cursor.Position)
}

func TestWhatIsTypedOfflineStays(t *testing.T) {
	s := inARoom(t, 70, 12, "a", 1)
	s.events(connectionChanged{waiting, 2, s.time.Add(2500 * time.Millisecond), closedByServer})
	assert.Contains(t, s.lines()[0], "! reconnecting in 3 s (attempt 2)")
	assert.Contains(t, s.text(), "* the server closed the connection")
	s.keys("기다려", "enter")
	assert.Equal(t, "> 기다려", s.inputRow())
	assert.Contains(t, s.text(), "not connected: what you typed stays here")
	assert.Contains(t, s.lines()[0], "(a)  room 1")
	s.events(connectionChanged{state: connecting, attempt: 2}, connectionChanged{waiting, 3, s.connection.until, "refused"},
		connectionChanged{state: connecting, attempt: 3}, connectionChanged{waiting, 2, s.connection.until, "refused"})
	assert.Equal(t, 1, strings.Count(s.text(), "* refused"), "one line, not one for each attempt")
	s.time = s.time.Add(time.Second)
	assert.Contains(t, s.lines()[0], "reconnecting in 2 s", "the countdown goes on")
	_, then := s.Update(countdown{})
	assert.NotNil(t, then, "and is drawn again and again")
	s.events(connectionChanged{state: connecting, attempt: 2})
	assert.Contains(t, s.lines()[0], "~ connecting (attempt 2)")
	_, then = s.Update(countdown{})
	assert.Nil(t, then)
	s.events(connectionChanged{state: connected})
	s.keys("enter")
	assert.Contains(t, s.text(), "log in first")
	s.events(loggedIn{"a"}, enteredRoom{1, "b"})
	s.keys("enter")
	assert.Equal(t, saying(t, "기다려"), s.next())
}

func TestNotDeliveredIsSeenAndComesBack(t *testing.T) {
	s := inARoom(t, 70, 12, "a", 1)
	s.keys("하나", "enter", "//둘", "enter", "셋")
	s.events(notDelivered{"하나"}, notDelivered{"/둘"}, connectionChanged{state: closed, why: closedByServer})
	assert.Contains(t, s.text(), "* not delivered: 하나")
	assert.Contains(t, s.text(), "* not delivered: /둘")
	assert.Contains(t, s.lines()[0], "✗ closed")
	assert.Equal(t, "> 셋", s.inputRow(), "what is being typed stays")
	s.keys("up")
	assert.Equal(t, "> //둘", s.inputRow())
	s.keys("up", "up", "up", "down", "down", "down", "down", "down")
	assert.Equal(t, "> 셋", s.inputRow())

	s = inARoom(t, 70, 12, "a", 1)
	s.events(sayRefused{"hello", chat.ResultRoomTooManyPacket})
	assert.Equal(t, "> hello", s.inputRow())
	assert.Contains(t, s.text(), "message refused: the text is not allowed")
}

func TestScrolling(t *testing.T) {
	s := inARoom(t, 70, 10, "a", 1) // 6 rows of text
	for i := range 20 {
		s.events(messageCame{"b", fmt.Sprintf("message %d", i), false})
	}
	assert.Contains(t, s.text(), "message 19")
	s.keys("pgup")
	assert.Contains(t, s.text(), "message 14")
	assert.NotContains(t, s.text(), "message 15")
	assert.Contains(t, s.text(), "v more below (End)")
	before := s.lines()[1:7]
	s.events(messageCame{"b", "new", false}, loginRefused{})
	assert.Contains(t, s.text(), "v 1 new message below (End)")
	assert.Contains(t, s.text(), "> 1         +1 |", "the list tells of it, too")
	assert.Equal(t, strings.Join(before[2:], "\n"), strings.Join(s.lines()[3:7], "\n"), "what is read stands still")
	s.events(messageCame{"a", "mine", true})
	assert.Contains(t, s.text(), "v 2 new messages below (End)")
	s.keys("end")
	assert.Contains(t, s.text(), "a: mine")
	assert.NotContains(t, s.text(), "below")

	s.keys("ctrl+home")
	assert.Contains(t, s.lines()[1], "entered room 1", "the first line is at the top")
	s.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	assert.Contains(t, s.lines()[1], "message 2")
	s.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	assert.Contains(t, s.lines()[1], "entered room 1")
	s.keys("pgdown", "pgdown", "pgdown", "pgdown", "pgdown")
	assert.False(t, s.book().held)
	s.keys("pgup", "hello", "enter")
	assert.False(t, s.book().held, "who speaks wants to hear the answer")
}

func TestTheScrollbackIsBounded(t *testing.T) {
	s := inARoom(t, 70, 10, "a", 1)
	for i := range maxEntries / 2 {
		s.events(messageCame{"b", fmt.Sprintf("message %d", i), false})
	}
	s.keys("pgup")
	for i := range maxEntries {
		s.events(messageCame{"b", fmt.Sprintf("later %d", i), false})
	}
	assert.Len(t, s.book().entries, maxEntries)
	assert.Contains(t, s.lines()[1], "later 0", "what was read is gone, and the oldest there is follows")
	s.keys("ctrl+home")
	assert.Contains(t, s.lines()[1], "later 0")
}

func TestRoomsOfOnesOwn(t *testing.T) {
	s := inARoom(t, 70, 10, "a", 1)
	s.keys("/room add 7 우리 방", "enter", "/room add -3", "enter")
	assert.Contains(t, s.text(), "  7 우리 방    |")
	s.keys("ctrl+n")
	assert.Equal(t, enterCommand{7}, s.next())
	s.events(enteredRoom{7, ""})
	assert.Contains(t, s.lines()[0], "room 7 우리 방")
	assert.Contains(t, s.text(), "> 7 우리 방")
	assert.NotContains(t, s.text(), "entered room 1", "each room has a scrollback of its own")
	for i := range 20 {
		s.events(messageCame{"b", fmt.Sprintf("message %d", i), false})
	}
	s.keys("ctrl+p", "pgup")
	assert.Equal(t, enterCommand{1}, s.next())
	s.events(enteredRoom{1, ""})
	assert.Equal(t, 2, strings.Count(s.text(), "entered room 1"))
	s.events(enteredRoom{7, "b"})
	assert.Contains(t, s.text(), "entered room 7, b is there", "who comes back is at the end")
	s.keys("alt+2")
	assert.Equal(t, enterCommand{7}, s.next())
	s.keys("alt+9")
	assert.Contains(t, s.text(), "there are 3 rooms in the list")
	s.keys("tab", "home", "down", "down", "enter")
	assert.Equal(t, enterCommand{-3}, s.next())
	s.Update(tea.MouseClickMsg{X: 3, Y: 2, Button: tea.MouseLeft})
	assert.Equal(t, enterCommand{1}, s.next())
	s.keys("tab", "home", "down", "delete", "글")
	assert.Equal(t, "> 글", s.inputRow(), "typing leaves the list")
	s.keys("ctrl+u", "/room remove -3", "enter")
	rooms, err := s.file.load()
	require.NoError(t, err)
	assert.Equal(t, []listedRoom{{Number: 1}}, rooms)
	s.keys("/leave", "enter")
	assert.Equal(t, leaveCommand{}, s.next())
	s.events(leftRoom{})
	assert.Contains(t, s.lines()[0], "no room")
	s.keys("hello", "enter")
	assert.Contains(t, s.text(), "you are in no room")
}
