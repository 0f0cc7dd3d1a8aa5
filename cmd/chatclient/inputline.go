package main

import (
	"strings"
	"unicode"
)

// maxTyped bounds the input line, in bytes: far more than any command needs.
const maxTyped = 4096

// inputLine is the text that is being typed, and the place in it where the next letter goes. It moves and erases by
// what a person takes for a letter. The text input of Bubbles counts the runes before the cursor for its column, which
// is wrong for every Korean letter.
type inputLine struct {
	before, after []string // letters before and after the cursor
	first         int      // the first letter that is shown
}

func (l *inputLine) text() string { return strings.Join(l.before, "") + strings.Join(l.after, "") }

func (l *inputLine) empty() bool { return len(l.before)+len(l.after) == 0 }

// set replaces the text. The cursor is behind it.
func (l *inputLine) set(text string) {
	*l = inputLine{}
	l.insert(text)
}

// insert types text at the cursor. Ends of lines and tabs become spaces; what a terminal may obey is left out.
func (l *inputLine) insert(text string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case unicode.IsGraphic(r) && r != unicode.ReplacementChar, r == '\u200c', r == '\u200d':
			return r
		}
		return -1
	}, text)
	if len(l.text())+len(text) > maxTyped {
		return
	}
	l.divide(strings.Join(l.before, "")+text, strings.Join(l.after, ""))
}

// divide finds the letters anew: what meets at the cursor may become one.
func (l *inputLine) divide(before, after string) {
	l.before, l.after = graphemes(before), graphemes(after)
}

func (l *inputLine) left() {
	if n := len(l.before); n > 0 {
		l.after = append([]string{l.before[n-1]}, l.after...)
		l.before = l.before[:n-1]
	}
}

func (l *inputLine) right() {
	if len(l.after) > 0 {
		l.before = append(l.before, l.after[0])
		l.after = l.after[1:]
	}
}

func (l *inputLine) home() { l.after, l.before = append(l.before, l.after...), nil }
func (l *inputLine) end()  { l.before, l.after = append(l.before, l.after...), nil }

func (l *inputLine) eraseLeft() {
	if n := len(l.before); n > 0 {
		l.divide(strings.Join(l.before[:n-1], ""), strings.Join(l.after, ""))
	}
}

func (l *inputLine) eraseRight() {
	if len(l.after) > 0 {
		l.divide(strings.Join(l.before, ""), strings.Join(l.after[1:], ""))
	}
}

func (l *inputLine) eraseToHome() { l.before = nil }
func (l *inputLine) eraseToEnd()  { l.after = nil }

// wordBefore is how many letters there are to the beginning of the word before the cursor.
func (l *inputLine) wordBefore() int {
	i := len(l.before)
	for i > 0 && l.before[i-1] == " " {
		i--
	}
	for i > 0 && l.before[i-1] != " " {
		i--
	}
	return len(l.before) - i
}

func (l *inputLine) wordLeft() {
	for range l.wordBefore() {
		l.left()
	}
}

func (l *inputLine) wordRight() {
	for len(l.after) > 0 && l.after[0] == " " {
		l.right()
	}
	for len(l.after) > 0 && l.after[0] != " " {
		l.right()
	}
}

func (l *inputLine) eraseWord() {
	for range l.wordBefore() {
		l.eraseLeft()
	}
}

// shown is the part of the text that is to be seen in so many columns, the column of the cursor in it, and whether
// there is more to the left.
func (l *inputLine) shown(widths textWidth, columns int) (text string, cursor int, more bool) {
	letters := append(append([]string(nil), l.before...), l.after...)
	at := len(l.before)
	under := 1 // columns of the cursor: what is under it has to be seen as a whole
	if len(l.after) > 0 {
		under = max(widths.columns(l.after[0]), 1)
	}
	needed := under
	first := at
	for first > 0 && needed+widths.columns(letters[first-1]) <= columns {
		first--
		needed += widths.columns(letters[first])
	}
	// The text stands still while the cursor moves in what is seen of it.
	l.first = min(max(l.first, first), at)
	if rest := widths.columns(strings.Join(letters[l.first:], "")) + 1; rest < columns {
		l.first = first // letters were erased: there is room for more
	}
	text = widths.cut(strings.Join(letters[l.first:], ""), columns)
	return text, widths.columns(strings.Join(letters[l.first:at], "")), l.first > 0
}
