package main

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// typeOn gives the keys to an editor of 20 columns and returns the lines, and what the screen got after the prompt.
func typeOn(t *testing.T, keys string) (lines []string, screen string, interrupts int) {
	t.Helper()
	out := newOutput()
	editor := newLineEditor(out, func() int { return 20 }, func() { interrupts++ })
	require.NoError(t, editor.readKeys(iotest.OneByteReader(strings.NewReader(keys))))
	for line := range editor.lines {
		lines = append(lines, line)
	}
	return lines, strings.TrimPrefix(out.String(), "\r\x1b[K> "), interrupts
}

func TestTypedLines(t *testing.T) {
	for keys, want := range map[string][]string{
		"hello\r":                           {"hello"},
		"one\r\ntwo\nthree\r":               {"one", "two", "three"},
		"안녕하세\x7f\x7f요\r":                   {"안녕요"},
		"\x7f\x08ab\x08\r":                  {"a"},
		"all of it\x15new\r":                {"new"},
		"two words  \x17\x17one\r":          {"one"},
		"a\x1b[Ab\x1b[1;5Cc\x1bOPd\x1bxe\r": {"abcde"},
		"a\tb\x01\x1a\xff\xfe\u202ec\r":     {"a bc"},
		"not empty\x04\r\x04never read\r":   {"not empty"},
		"👩\u200d💻\r":                        {"👩\u200d💻"},
		"no end":                            nil,
		"\x1b":                              nil,
		"\x1b[1":                            nil,
		"\r":                                {""},
	} {
		lines, _, interrupts := typeOn(t, keys)
		assert.Equal(t, want, lines, "%q", keys)
		assert.Zero(t, interrupts, "%q", keys)
	}
}

func TestEachKeyDrawsTheLineAnew(t *testing.T) {
	_, screen, _ := typeOn(t, "가b\x7f\r")
	assert.Equal(t, strings.Join([]string{"", "> 가", "> 가b", "> 가", "> 가\r\n> "}, "\r\x1b[K"), screen)
}

func TestWhatIsTypedStaysBelowWhatComes(t *testing.T) {
	out := newOutput()
	editor := newLineEditor(out, func() int { return 20 }, func() {})
	for _, key := range "안녕" {
		editor.press(key)
	}
	before := len(out.String())
	_, err := io.WriteString(editor, "[bob] hi\n")
	require.NoError(t, err)
	assert.Equal(t, "\r\x1b[K[bob] hi\r\n> 안녕", out.String()[before:])
	before = len(out.String())
	editor.end()
	_, err = io.WriteString(editor, "late\n")
	require.NoError(t, err)
	assert.Equal(t, "\r\x1b[K\r\x1b[Klate\r\n", out.String()[before:], "after its end there is no prompt")
}

func TestALineThatDoesNotFit(t *testing.T) {
	for line, want := range map[string]string{
		"":            "",
		"12345678":    "12345678",
		"123456789":   "<3456789",
		"가나다라":        "가나다라",
		"가나다라마":       "<다라마",
		"a가나다라":       "<나다라",
		"가나다라e\u0301": "<나다라e\u0301",
	} {
		assert.Equal(t, want, lastThatFit([]rune(line), 8), "%q", line)
	}
	assert.Equal(t, "<", lastThatFit([]rune("가"), 0), "a very narrow screen")
}

func TestCtrlCOnATerminal(t *testing.T) {
	_, _, interrupts := typeOn(t, "half\x03")
	assert.Equal(t, 1, interrupts)
}

func TestMoreLinesThanCanWait(t *testing.T) {
	lines, _, _ := typeOn(t, strings.Repeat("x\r", maxTypedAhead+3))
	assert.Len(t, lines, maxTypedAhead)
}

func TestTheKeyboardFails(t *testing.T) {
	editor := newLineEditor(io.Discard, func() int { return 20 }, func() {})
	broken := errors.New("broken")
	assert.ErrorIs(t, editor.readKeys(iotest.ErrReader(broken)), broken)
}

func TestASessionOnATerminal(t *testing.T) {
	conn, err := net.Dial("tcp", startServer(t))
	require.NoError(t, err)
	out := newOutput()
	editor := newLineEditor(out, func() int { return 80 }, func() {})
	keyboard, keys := io.Pipe()
	inputErrors, code := make(chan error, 1), make(chan int, 1)
	go func() { inputErrors <- editor.readKeys(keyboard) }()
	go func() { code <- newSession(conn, editor, editor).run(context.Background(), editor.lines, inputErrors) }()
	for _, step := range [][2]string{
		{"/login a\r", "\r\x1b[K* logged in as a\r\n> "},
		{"/enter 1\r", "\r\x1b[K* entered room 1, nobody is there yet\r\n> "},
		{"/enter 1\r", "\r\x1b[K* enter refused: "},
		{"/dance\r", "\r\x1b[K/dance is no command, /help lists them; //text says /text\r\n> "},
		{"안녕\r", "\r\x1b[K[a] 안녕\r\n> "},
	} {
		_, err := io.WriteString(keys, step[0])
		require.NoError(t, err)
		out.await(step[1])
	}
	_, err = io.WriteString(keys, "\x04")
	require.NoError(t, err)
	assert.Equal(t, exitOK, <-code, "refusals are no error on a terminal")
}
