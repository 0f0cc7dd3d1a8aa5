package main

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iocpnetlib/chat"
)

// Sizes of the parts of the screen.
const (
	widestList    = 22
	leastForList  = 60 // columns of a screen that has the list of rooms
	leastForExtra = 5  // rows of a screen that has the header, the status and the help line
	listTitleRows = 1
	promptColumns = 2
	nearLimit     = chat.MaxMessageLength * 3 / 4 // bytes of a message from which they are counted for the user
)

// besideList stands between the list of rooms and what is said.
const besideList = " | "

// place is where the parts of the screen are.
type place struct {
	header, bodyRows, status, help int // rows
	listColumns, chatColumns       int // the list includes the line beside it
}

// place divides the screen. The input line has the first claim, then what is said.
func (s *screen) place() place {
	p := place{chatColumns: s.columns}
	if s.rows >= leastForExtra {
		p.header, p.status, p.help = 1, s.statusRows(), 1
	}
	p.bodyRows = max(s.rows-1-p.header-p.status-p.help, 0)
	if s.columns >= leastForList {
		p.listColumns = min(widestList, s.columns/4)
		p.chatColumns = s.columns - p.listColumns
	}
	return p
}

// View draws the screen.
func (s *screen) View() tea.View {
	p := s.place()
	var lines []string
	if p.header > 0 {
		lines = append(lines, s.headerLine())
	}
	lines = append(lines, s.body(p)...)
	if p.status > 0 {
		lines = append(lines, s.statusLines()...)
	}
	text, cursor, more := s.input.shown(s.widths, s.columns-promptColumns)
	prompt := "> "
	if more {
		prompt = "< "
	}
	lines = append(lines, s.widths.fit(s.palette.faint.Render(prompt)+text, s.columns))
	if p.help > 0 {
		lines = append(lines, s.palette.faint.Render(s.widths.fit(s.helpLine(), s.columns)))
	}
	view := tea.NewView(strings.Join(lines, "\n"))
	view.AltScreen = true
	view.MouseMode = tea.MouseModeCellMotion
	if !s.inList {
		view.Cursor = tea.NewCursor(min(promptColumns+cursor, max(s.columns-1, 0)), p.header+p.bodyRows+p.status)
	}
	return view
}

// stateWords are the connection's state, with a sign for those who see no colours.
func (s *screen) stateWords() string {
	switch c := s.connection; c.state {
	case connected:
		return "✓ connected"
	case waiting:
		left := math.Ceil(max(c.until.Sub(s.now()), 0).Seconds())
		return fmt.Sprintf("! reconnecting in %.0f s (attempt %d)", left, c.attempt)
	case closed:
		return "✗ closed"
	}
	if s.connection.attempt > 0 {
		return fmt.Sprintf("~ connecting (attempt %d)", s.connection.attempt)
	}
	return "~ connecting"
}

// headerLine tells where the client is connected, who is logged in, and the room. On a narrow screen the address goes
// first.
func (s *screen) headerLine() string {
	style := s.palette.busy
	switch s.connection.state {
	case connected:
		style = s.palette.calm
	case closed, waiting:
		style = s.palette.bad.Background(s.palette.bar.GetBackground())
	}
	who := "not logged in"
	switch {
	case s.user != "":
		who = s.user
	case s.lastUser != "" && s.connection.state != connected:
		who = "(" + s.lastUser + ")" // will be again
	}
	where := "no room"
	if s.shown != nil {
		where = s.titleOf(*s.shown)
	}
	state := s.stateWords()
	rest := "  " + who + "  " + where
	before := " " + printable([]byte(s.address)) + "  "
	if s.widths.columns(before+state+rest) > s.columns {
		before = " "
	}
	room := max(s.columns-s.widths.columns(before+state), 0)
	line := s.palette.bar.Render(before) + style.Render(state) + s.palette.bar.Render(s.widths.fit(rest, room))
	return s.widths.fit(line, s.columns)
}

func (s *screen) titleOf(room int32) string {
	listed := listedRoom{Number: room}
	if i := placeOf(s.rooms, room); i >= 0 {
		listed = s.rooms[i]
	}
	return "room " + listed.title()
}

// body is the list of rooms and what is said.
func (s *screen) body(p place) []string {
	said := s.saidLines(p)
	if p.listColumns == 0 {
		return said
	}
	listed := s.listLines(p)
	for i := range said {
		said[i] = listed[i] + s.palette.faint.Render(besideList) + said[i]
	}
	return said
}

// saidLines are the part of the scrollback that is seen, at the bottom of its place.
func (s *screen) saidLines(p place) []string {
	seen := s.book().seen()
	var lines []string
	for range p.bodyRows - len(seen) {
		lines = append(lines, strings.Repeat(" ", p.chatColumns))
	}
	for _, l := range seen {
		lines = append(lines, s.widths.fit(s.saidLine(l), p.chatColumns))
	}
	return lines
}

func (s *screen) saidLine(l seenLine) string {
	label := ""
	if l.line == 0 {
		label = l.label()
	}
	clock := s.palette.faint.Render(l.clock(l.line))
	switch l.kind {
	case fromSystem:
		return clock + s.palette.system.Render(label+l.text)
	case fromTrouble, undeliveredText:
		return clock + s.palette.bad.Render(label+l.text)
	case fromMyself:
		return clock + s.palette.own.Render(label) + l.text
	}
	return clock + s.palette.user(l.from).Render(label) + l.text
}

// statusRows is how many rows the status takes: more than one only for a notice that is too long for one, and then not
// much of the screen.
func (s *screen) statusRows() int {
	return min(len(s.noticeLines()), max(s.rows/3, 1))
}

// noticeLines are the notice, beside the count of bytes.
func (s *screen) noticeLines() []string {
	return s.widths.wrap(s.notice.text, 0, max(s.columns-len(s.byteCount()), 1))
}

// byteCount is how long the message is, when it is near its limit.
func (s *screen) byteCount() string {
	text := s.input.text()
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		return "" // a command
	}
	bytes := len(strings.TrimPrefix(text, "/"))
	if bytes <= nearLimit {
		return ""
	}
	return fmt.Sprintf(" %d/%d bytes ", bytes, chat.MaxMessageLength)
}

// statusLines tell what was wrong, or else of messages out of sight, and how long the message is when it is near its
// limit.
func (s *screen) statusLines() []string {
	lines := s.noticeLines()[:s.statusRows()]
	style := s.palette.system
	if s.notice.bad {
		style = s.palette.bad
	}
	if book := s.book(); s.notice.text == "" {
		switch {
		case book.unread == 1:
			lines[0], style = " v 1 new message below (End) ", s.palette.mark
		case book.unread > 1:
			lines[0], style = fmt.Sprintf(" v %d new messages below (End) ", book.unread), s.palette.mark
		case book.held:
			lines[0], style = "v more below (End)", s.palette.faint
		}
	}
	count := s.byteCount()
	for i, line := range lines {
		line = style.Render(line)
		if i == 0 && count != "" {
			line = s.widths.fit(line, max(s.columns-len(count), 0))
			if len(strings.TrimPrefix(s.input.text(), "/")) > chat.MaxMessageLength {
				line += s.palette.bad.Render(count)
			} else {
				line += count
			}
		}
		lines[i] = s.widths.fit(line, s.columns)
	}
	return lines
}

// helpLine has as many of the keys as there is room for, the most wanted first.
func (s *screen) helpLine() string {
	keys := []string{"/help", "PgUp PgDn scroll", "^N ^P room", "Tab list", "^C end"}
	if s.columns < leastForList {
		keys = []string{"/help", "PgUp PgDn scroll", "^N ^P room", "^C end"}
	}
	if s.inList {
		keys = []string{"Enter go there", "Del take off", "Tab back", "^C end"}
	}
	line := ""
	for _, key := range keys {
		longer := line + "  " + key
		if s.widths.columns(longer) > s.columns {
			break
		}
		line = longer
	}
	return strings.TrimPrefix(line, "  ")
}
