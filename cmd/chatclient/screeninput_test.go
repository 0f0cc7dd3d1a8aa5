package main

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTypingKorean(t *testing.T) {
	s := inARoom(t, 70, 12, "a", 1)
	s.keys("안녕a하세요", "left", "left", "left", "left", "backspace")
	assert.Equal(t, "> 안a하세요", s.inputRow(), "a letter is erased, not one of its bytes or columns")
	assert.Equal(t, 4, s.View().Cursor.X)
	s.keys("home", "delete", "end", "!")
	assert.Equal(t, "> a하세요!", s.inputRow())
	assert.Equal(t, 2+1+6+1, s.View().Cursor.X)
	s.keys("ctrl+u", "\u1112\u1161\u11ab", "글", "left", "backspace")
	assert.Equal(t, "> 글", s.inputRow(), "a syllable that is spelt in parts is one letter")
	s.keys("end", "ctrl+u", "두 낱말", "ctrl+w", "말", "enter")
	assert.Equal(t, saying(t, "두 말"), s.next())
	assert.Equal(t, ">", s.inputRow())
}

func TestPastedTextIsOneHarmlessLine(t *testing.T) {
	s := inARoom(t, 70, 12, "a", 1)
	s.Update(tea.PasteMsg{Content: "한 줄\r\n두\t줄\x1b[2J\u202e끝"})
	assert.Equal(t, "> 한 줄 두 줄[2J끝", s.inputRow())
}

func TestALongLineScrollsSideways(t *testing.T) {
	s := inARoom(t, 20, 8, "a", 1)
	s.keys(strings.Repeat("가", 8))
	assert.Equal(t, "> "+strings.Repeat("가", 8), s.inputRow())
	s.keys("나다")
	assert.Equal(t, "< 다", s.inputRow()[:2]+s.inputRow()[len(s.inputRow())-3:])
	assert.LessOrEqual(t, s.View().Cursor.X, 19)
	s.keys("home")
	assert.Equal(t, "> "+strings.Repeat("가", 8)+"나", s.inputRow())
	assert.Equal(t, 2, s.View().Cursor.X)
}

func TestTheBytesOfAMessage(t *testing.T) {
	s := inARoom(t, 70, 12, "a", 1)
	s.keys(strings.Repeat("가", 64))
	assert.NotContains(t, s.text(), "bytes")
	s.keys("가")
	assert.Contains(t, s.text(), "195/256 bytes")
	s.keys(strings.Repeat("가", 21), "enter")
	assert.Contains(t, s.text(), "258/256 bytes")
	assert.Contains(t, s.text(), "not sent: the message has 258 bytes")
	assert.Contains(t, s.inputRow(), "가", "the text stays")
	assert.Empty(t, s.wanted)
	s.keys("backspace", "enter")
	assert.Equal(t, saying(t, strings.Repeat("가", 85)), s.next())
}

func TestCommandsOnTheScreen(t *testing.T) {
	s := inARoom(t, 70, 24, "a", 1)
	for line, want := range map[string]string{
		"/dance":      "/dance is no command",
		"/wait 1":     "/wait is for scripts only",
		"/room":       "/room: see /help for how it is written",
		"/room add x": `"x" is no room number`,
		"/reconnect!": "/reconnect! is no command",
		"/room add 1 " + strings.Repeat("가", 21): "the name has 63 bytes, allowed are 60",
	} {
		s.keys("ctrl+u", line, "enter")
		assert.Contains(t, s.text(), want)
		assert.NotEqual(t, ">", s.inputRow(), "the line stays to be mended")
	}
	s.keys("ctrl+u", "/reconnect", "enter")
	assert.Equal(t, reconnectCommand{}, s.next())
	s.keys("/help", "enter")
	assert.Contains(t, s.text(), "/room add N [name]")
	s.keys("/login bob geheim", "enter", "up")
	assert.Equal(t, "> /login bob", s.inputRow(), "a password is not remembered")
	for range cap(s.wanted) {
		s.keys("ctrl+u", "hello", "enter")
	}
	assert.Contains(t, s.text(), "the server is slow: not sent")
	assert.Equal(t, "> hello", s.inputRow())
}

func TestALongNoticeOnANarrowScreen(t *testing.T) {
	s := inARoom(t, 40, 15, "a", 1)
	s.keys(strings.Repeat("가", 86), "enter")
	assert.Contains(t, s.text(), "not sent: the message has")
	assert.Contains(t, s.text(), "counts as 3)", "all of it")
	assert.Contains(t, s.text(), " 258/256 bytes")
	assert.Len(t, s.lines(), 15)
	s.keys("tab")
	assert.Contains(t, s.text(), "change rooms")
	s.keys("ctrl+u")
	assert.NotContains(t, s.text(), "change rooms")
}

func TestTheEnd(t *testing.T) {
	quits := func(then tea.Cmd) bool {
		if then == nil {
			return false
		}
		_, ok := then().(tea.QuitMsg)
		return ok
	}
	s := inARoom(t, 70, 24, "a", 1)
	assert.Nil(t, s.keys("x", "ctrl+d"), "the line is not empty")
	assert.True(t, quits(s.keys("ctrl+c")))
	assert.Equal(t, exitInterrupted, s.code)

	s = inARoom(t, 70, 24, "a", 1)
	require.NotNil(t, s.keys("/quit", "enter"))
	assert.Equal(t, quitCommand{}, s.next())
	assert.True(t, quits(s.events(linkEnded{})))
	assert.Equal(t, exitOK, s.code)
	_, then := s.Update(quitLate{})
	assert.True(t, quits(then))
	assert.True(t, quits(s.keys("ctrl+d")), "asked again it ends at once")
}
