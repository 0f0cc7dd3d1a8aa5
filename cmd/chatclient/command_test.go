package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/chat"
)

func TestParseCommand(t *testing.T) {
	login := func(id, pw string) command {
		request, err := chat.NewLoginRequest(id, pw)
		require.NoError(t, err)
		return loginCommand{request}
	}
	say := func(text string) command {
		request, err := chat.NewRoomChatRequest(text)
		require.NoError(t, err)
		return chatCommand{request}
	}
	for line, want := range map[string]command{
		"":                       noCommand{},
		"  \t":                   noCommand{},
		"/login alice":           login("alice", ""),
		"/login  앨리스 secret ":    login("앨리스", "secret"),
		"/enter 7":               enterCommand{7},
		"/enter -2147483648":     enterCommand{-2147483648},
		"/leave":                 leaveCommand{},
		"/wait 3":                waitCommand{3, 10 * time.Second},
		"/wait 3 0.5":            waitCommand{3, 500 * time.Millisecond},
		"/wait 0 0":              waitCommand{0, 0},
		"/help":                  helpCommand{},
		"/quit":                  quitCommand{},
		"hello":                  say("hello"),
		" 안녕하세요! ":               say(" 안녕하세요! "),
		"//login alice":          say("/login alice"),
		"and/or":                 say("and/or"),
		strings.Repeat("x", 256): say(strings.Repeat("x", 256)),
	} {
		got, err := parseCommand(line)
		require.NoError(t, err, "%q", line)
		assert.Equal(t, want, got, "%q", line)
	}
}

func TestParseCommandSaysWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"/dance":                            "/dance is no command, /help lists them; //text says /text",
		"/":                                 "/ is no command, /help lists them; //text says /text",
		"/login":                            "/login: see /help for how it is written",
		"/login a b c":                      "/login: see /help for how it is written",
		"/login " + strings.Repeat("x", 21): "ID and PW have up to 20 bytes of UTF-8 each: 21 bytes where 20 fit: text is too long",
		"/enter":                            "/enter: see /help for how it is written",
		"/enter x":                          `"x" is no room number, allowed is a whole number from -2147483648 to 2147483647`,
		"/enter 2147483648":                 `"2147483648" is no room number, allowed is a whole number from -2147483648 to 2147483647`,
		"/leave now":                        "/leave: see /help for how it is written",
		"/wait":                             "/wait: see /help for how it is written",
		"/wait -1":                          `"-1" is no number of messages`,
		"/wait 1 NaN":                       `"NaN" is no time, allowed are 0 to 3600 seconds`,
		"/wait 1 1e9":                       `"1e9" is no time, allowed are 0 to 3600 seconds`,
		"/quit now":                         "/quit: see /help for how it is written",
		strings.Repeat("가", 86):             "not sent: the message has 258 bytes, allowed are 256 (a Korean letter counts as 3)",
		"\xff":                              "not sent: text is not valid UTF-8",
		"a\x00b":                            "not sent: text contains a NUL byte",
	} {
		_, err := parseCommand(line)
		assert.EqualError(t, err, want, "%q", line)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"hello":              "hello",
		"안녕하세요! 👋":           "안녕하세요! 👋",
		"👩\u200d💻":           "👩\u200d💻",
		"\x1b[2Jgone":        `\x1b[2Jgone`,
		"a\r\nb\tc\x7f":      `a\x0d\x0ab\x09c\x7f`,
		"\u009b31m":          `\u009b31m`,
		"\u202egnirts":       `\u202egnirts`,
		"a\u2028b":           `a\u2028b`,
		"\U000e0041":         `\U000e0041`,
		"bad \xff\xfe bytes": `bad \xff\xfe bytes`,
		"\ufffd":             "\ufffd",
		"":                   "",
	} {
		assert.Equal(t, want, printable([]byte(text)), "%q", text)
	}
}

func TestInWords(t *testing.T) {
	assert.Equal(t, "the room is full (54 ENTER_ROOM_FULL_USER)", inWords(chat.ResultEnterRoomFullUser))
	assert.Equal(t, "the server refused (99 ERROR_99)", inWords(99))
}

func TestReadLines(t *testing.T) {
	read := func(input string) (lines []string, err error) {
		out, errs := make(chan string), make(chan error, 1)
		go readLines(strings.NewReader(input), out, errs, nil)
		for line := range out {
			lines = append(lines, line)
		}
		return lines, <-errs
	}
	lines, err := read("\ufeff/login 앨리스\r\n\n/quit")
	require.NoError(t, err)
	assert.Equal(t, []string{"/login 앨리스", "", "/quit"}, lines, "byte order mark and CR are no text")

	lines, err = read("fine\n" + strings.Repeat("x", maxLine+1))
	assert.EqualError(t, err, "a line of the input is too long")
	assert.Equal(t, []string{"fine"}, lines)
}
