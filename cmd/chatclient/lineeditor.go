package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	prompt        = "> "
	eraseLine     = "\r\x1b[K"
	maxTyped      = 4096 // letters of a line: far more than any command needs
	maxTypedAhead = 100  // lines, while the session waits for an answer
)

// The keys that are no letters.
const (
	keyCtrlC     = '\x03'
	keyCtrlD     = '\x04'
	keyBackspace = '\x7f'
	keyCtrlH     = '\x08'
	keyCtrlU     = '\x15'
	keyCtrlW     = '\x17'
	keyEscape    = '\x1b'
)

// lineEditor is the last line of a raw terminal: it shows the prompt and what is being typed, and keeps both below
// whatever is printed through its Write. Letters are added and taken away at the end of the line only, and each change
// draws the line anew, so that the width of a letter matters only for a line that does not fit.
//
// The editor of golang.org/x/term counts a Korean letter as one column, and so leaves half of a line behind.
type lineEditor struct {
	screenWidth func() int
	lines       chan string // what was typed; closed when the input has ended
	interrupted func()      // called at Ctrl+C

	mutex  sync.Mutex // for what follows
	screen io.Writer
	typed  []rune
	ended  bool
}

func newLineEditor(screen io.Writer, screenWidth func() int, interrupted func()) *lineEditor {
	e := &lineEditor{
		screenWidth: screenWidth,
		lines:       make(chan string, maxTypedAhead),
		interrupted: interrupted,
		screen:      screen,
	}
	e.draw("")
	return e
}

// Write prints whole lines above the one that is being typed.
func (e *lineEditor) Write(text []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.draw(string(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))))
	return len(text), nil
}

// end takes the line off the screen for good.
func (e *lineEditor) end() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.ended = true
	fmt.Fprint(e.screen, eraseLine)
}

// draw prints text in place of the line, and the line after it, with one write.
func (e *lineEditor) draw(text string) {
	line := ""
	if !e.ended {
		line = prompt + lastThatFit(e.typed, e.screenWidth()-len(prompt)-1)
	}
	fmt.Fprint(e.screen, eraseLine+text+line)
}

// readKeys takes what is typed until the input ends.
func (e *lineEditor) readKeys(keyboard io.Reader) error {
	defer close(e.lines)
	reader := bufio.NewReader(keyboard)
	var last rune
	for {
		key, size, err := reader.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case key == utf8.RuneError && size == 1: // not UTF-8
		case key == keyEscape:
			err = skipEscapeSequence(reader)
		case key == keyCtrlC:
			e.interrupted()
		case key == '\n' && last == '\r': // the end of a pasted line of Windows
		default:
			if e.press(key) {
				return nil
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		last = key
	}
}

// skipEscapeSequence skips what follows the escape character of a key such as an arrow: none of them does anything.
func skipEscapeSequence(reader *bufio.Reader) error {
	kind, _, err := reader.ReadRune()
	if err != nil || kind != '[' && kind != 'O' {
		return err
	}
	for {
		final, _, err := reader.ReadRune()
		if err != nil || final >= '@' && final <= '~' {
			return err
		}
	}
}

// press does what a key does to the line, and reports whether it ended the input.
func (e *lineEditor) press(key rune) (ended bool) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	above := ""
	switch key {
	case '\r', '\n':
		select {
		case e.lines <- string(e.typed):
			above = prompt + string(e.typed) + "\r\n"
			e.typed = e.typed[:0]
		default: // nothing more can wait: the line stays
		}
	case keyCtrlD:
		return len(e.typed) == 0
	case keyBackspace, keyCtrlH:
		e.typed = e.typed[:max(len(e.typed)-1, 0)]
	case keyCtrlU:
		e.typed = e.typed[:0]
	case keyCtrlW:
		e.typed = withoutLastWord(e.typed)
	default:
		if key == '\t' {
			key = ' '
		}
		if len(e.typed) == maxTyped || !unicode.IsGraphic(key) && key != '\u200c' && key != '\u200d' {
			return false
		}
		e.typed = append(e.typed, key)
	}
	e.draw(above)
	return false
}

func withoutLastWord(line []rune) []rune {
	end := len(line)
	for end > 0 && line[end-1] == ' ' {
		end--
	}
	for end > 0 && line[end-1] != ' ' {
		end--
	}
	return line[:end]
}

// lastThatFit is the line, or, behind a mark, the end of it that fits in so many columns.
func lastThatFit(line []rune, columns int) string {
	width := 0
	for i := len(line) - 1; i >= 0; i-- {
		width += columnsOf(line[i])
		if width > columns {
			for width > columns-1 && i < len(line) { // the mark takes a column
				width -= columnsOf(line[i])
				i++
			}
			return "<" + string(line[i:])
		}
	}
	return string(line)
}

// wide has the blocks of Unicode whose letters take two columns.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, // Hangul consonants that begin a syllable
		{Lo: 0x2e80, Hi: 0x303e, Stride: 1}, // CJK radicals and punctuation
		{Lo: 0x3041, Hi: 0xa4cf, Stride: 1}, // Kana, Hangul letters, CJK ideographs, Yi
		{Lo: 0xa960, Hi: 0xa97f, Stride: 1},
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, // Hangul syllables
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1},
		{Lo: 0xff00, Hi: 0xff60, Stride: 1}, // full-width forms
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1f300, Hi: 0x1f64f, Stride: 1}, // emoji
		{Lo: 0x1f680, Hi: 0x1f6ff, Stride: 1},
		{Lo: 0x1f900, Hi: 0x1f9ff, Stride: 1},
		{Lo: 0x20000, Hi: 0x3fffd, Stride: 1}, // more CJK ideographs
	},
}

func columnsOf(letter rune) int {
	switch {
	case unicode.Is(wide, letter):
		return 2
	case unicode.In(letter, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	return 1
}
