package main

import (
	"iter"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// textWidth measures and breaks text in columns of the terminal, as the renderer does: a Korean letter has two.
// Terminals disagree about emoji that are made of several, so it depends on what the terminal says about itself.
//
// The functions of the ansi package for whole texts are not used: some of them count the columns of such letters
// differently than others, or whatever the method (version 0.11.9).
type textWidth struct{ method ansi.Method }

// The two ways to measure. By rune is what a terminal does that does not say otherwise.
var (
	byRune     = textWidth{ansi.WcWidth}
	byGrapheme = textWidth{ansi.GraphemeWidth}
)

// letters are the letters of a text as a person sees them, and their columns: a Hangul syllable that is spelt in parts,
// or an emoji that is made of several, is one. The sequences of a style are pieces without columns.
func (w textWidth) letters(text string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for text != "" {
			var letter string
			var columns int
			if text[0] == ansi.ESC { // never from the network: printable leaves none
				letter, _, _, _ = ansi.DecodeSequence(text, 0, nil)
			} else {
				letter, columns = ansi.FirstGraphemeCluster(text, w.method)
			}
			if !yield(letter, columns) {
				return
			}
			text = text[len(letter):]
		}
	}
}

// columns is how wide a text is.
func (w textWidth) columns(text string) (sum int) {
	for _, columns := range w.letters(text) {
		sum += columns
	}
	return sum
}

// cut is as much of a text as there is room for. It never cuts through a letter, and leaves no style open.
func (w textWidth) cut(text string, columns int) string {
	var kept strings.Builder
	full := false
	for letter, width := range w.letters(text) {
		full = full || width > columns
		if !full || letter[0] == ansi.ESC {
			kept.WriteString(letter)
			columns -= width
		}
	}
	return kept.String()
}

// fit makes text exactly so wide: it is cut, or spaces follow.
func (w textWidth) fit(text string, columns int) string {
	text = w.cut(text, columns)
	return text + strings.Repeat(" ", max(columns-w.columns(text), 0))
}

// wrap breaks text into lines of at most so many columns, at spaces if possible. Behind is taken up on the first line
// already.
func (w textWidth) wrap(text string, behind, columns int) (lines []string) {
	line, used := "", behind
	space := -1 // where the last word of the line begins
	for letter, width := range w.letters(text) {
		if letter == " " && used+width > columns { // a space at the end of a line needs no room
			lines = append(lines, line)
			line, used, space = "", 0, -1
			continue
		}
		for used+width > columns && used > 0 {
			rest := ""
			if space > 0 {
				line, rest = strings.TrimRight(line[:space], " "), line[space:]
			}
			lines = append(lines, line)
			line, used, space = rest, w.columns(rest), -1
		}
		line += letter
		used += width
		if letter == " " {
			space = len(line)
		}
	}
	return append(lines, line)
}

// graphemes are the letters of a text.
func graphemes(text string) (letters []string) {
	for letter := range byGrapheme.letters(text) {
		letters = append(letters, letter)
	}
	return letters
}
