package main

import (
	"fmt"
	"time"
)

// maxEntries bounds what a scrollback keeps.
const maxEntries = 5000

// entryKind says who speaks.
type entryKind int

const (
	fromOthers entryKind = iota
	fromMyself
	fromSystem // the client itself
	fromTrouble
	undeliveredText // of one's own
)

// entry is one message, or one line of the client's own.
type entry struct {
	at   time.Time
	kind entryKind
	from string
	text string

	lines  []string // the text as it was wrapped last
	widths textWidth
	width  int
}

// clockWidth is what the time of a message takes; the text's further lines begin behind it.
const clockWidth = len("15:04 ")

// label is what stands between the time and the text.
func (e *entry) label() string {
	switch e.kind {
	case fromSystem, fromTrouble:
		return "* "
	case undeliveredText:
		return "* not delivered: "
	}
	return e.from + ": "
}

// wrapped are the lines of the entry without time and label, in so many columns.
func (e *entry) wrapped(widths textWidth, width int) []string {
	if e.lines == nil || e.width != width || e.widths != widths {
		e.width, e.widths = width, widths
		e.lines = widths.wrap(e.text, widths.columns(e.label()), width-clockWidth)
	}
	return e.lines
}

// clock is the time of the entry, or as many spaces.
func (e *entry) clock(line int) string {
	if line > 0 {
		return fmt.Sprintf("%*s", clockWidth, "")
	}
	return e.at.Format("15:04 ")
}

// scrollback is what was said in a room, and which part of it is seen. Only what is seen is ever wrapped, so neither a
// message nor another width costs more when there are many.
type scrollback struct {
	entries []entry
	widths  textWidth
	width   int
	height  int

	// The last line that is seen, unless the end is followed.
	held  bool
	entry int // index of the entry
	line  int // of that entry

	unread int // messages that came since the end was out of sight
}

// resize says how large the part is that is seen.
func (s *scrollback) resize(widths textWidth, width, height int) {
	s.widths, s.width, s.height = widths, width, height
	s.settle()
}

func (s *scrollback) linesOf(entry int) int {
	return len(s.entries[entry].wrapped(s.widths, s.width))
}

// add appends an entry.
func (s *scrollback) add(e entry) {
	if len(s.entries) == maxEntries {
		s.entries[0] = entry{} // its text is not needed any more
		s.entries = s.entries[1:]
		s.entry--
		if s.entry < 0 {
			s.entry, s.line = 0, 0
		}
	}
	s.entries = append(s.entries, e)
	if s.held {
		if e.kind == fromOthers || e.kind == fromMyself {
			s.unread++
		}
		s.settle()
	}
}

// follow goes to the end and stays there.
func (s *scrollback) follow() { s.held, s.unread = false, 0 }

// begin goes to the beginning.
func (s *scrollback) begin() {
	if len(s.entries) > 0 {
		s.held, s.entry, s.line = true, 0, 0
		s.settle()
	}
}

// up scrolls by so many lines towards the beginning.
func (s *scrollback) up(lines int) {
	if len(s.entries) == 0 {
		return
	}
	if !s.held {
		s.held = true
		s.entry = len(s.entries) - 1
		s.line = s.linesOf(s.entry) - 1
	}
	for range lines {
		if s.line > 0 {
			s.line--
		} else if s.entry > 0 {
			s.entry--
			s.line = s.linesOf(s.entry) - 1
		}
	}
	s.settle()
}

// down scrolls by so many lines towards the end.
func (s *scrollback) down(lines int) {
	for range lines {
		s.stepDown()
	}
	s.settle()
}

func (s *scrollback) stepDown() {
	if !s.held {
		return
	}
	if s.line < s.linesOf(s.entry)-1 {
		s.line++
	} else if s.entry < len(s.entries)-1 {
		s.entry, s.line = s.entry+1, 0
	}
}

// settle puts right what a new width or the beginning of the text made wrong, and follows the end when it is reached.
func (s *scrollback) settle() {
	if !s.held {
		return
	}
	s.line = min(s.line, s.linesOf(s.entry)-1)
	above := s.line + 1
	for i := s.entry - 1; i >= 0 && above < s.height; i-- {
		above += s.linesOf(i)
	}
	for ; above < s.height; above++ { // no empty space above the first line
		s.stepDown()
	}
	if s.entry == len(s.entries)-1 && s.line == s.linesOf(s.entry)-1 {
		s.follow()
	}
}

// seenLine is one line on the screen.
type seenLine struct {
	*entry
	line int
	text string
}

// seen are the lines that are seen, at most as many as the height.
func (s *scrollback) seen() []seenLine {
	if len(s.entries) == 0 || s.height <= 0 {
		return nil
	}
	entry := len(s.entries) - 1
	line := s.linesOf(entry) - 1
	if s.held {
		entry, line = s.entry, s.line
	}
	lines := make([]seenLine, s.height)
	for i := s.height - 1; ; i-- {
		e := &s.entries[entry]
		lines[i] = seenLine{e, line, e.wrapped(s.widths, s.width)[line]}
		line--
		if line < 0 {
			entry--
			if entry < 0 {
				return lines[i:]
			}
			line = s.linesOf(entry) - 1
		}
		if i == 0 {
			return lines
		}
	}
}
