package main

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// screen is what a person sees, and what the keys do. It belongs to the loop of Bubble Tea, and speaks to the link by
// channels only: what it wants goes into requests, what the link tells comes as messages.
type screen struct {
	address  string
	requests chan<- command
	now      func() time.Time
	file     roomFile

	columns, rows int
	widths        textWidth
	palette       palette
	colours       bool

	connection connectionChanged
	trouble    string // what was wrong with the connection last, until it works again
	user       string // who is logged in, "": nobody
	lastUser   string // who was logged in last
	room       *int32 // where the user is, as far as the server said
	shown      *int32 // the room whose scrollback is shown; nil: what belongs to no room

	books    map[int32]*scrollback
	visited  []int32 // rooms that have a scrollback, the one that was shown last at the end
	lobby    *scrollback
	rooms    []listedRoom
	selected int  // in the list
	inList   bool // the keys go to the list

	input   inputLine
	history inputHistory
	notice  notice

	quitting bool
	code     int
}

// notice is one line for the user, until the next key.
type notice struct {
	text string
	bad  bool
}

// maxBooks bounds the rooms whose scrollback is kept.
const maxBooks = 16

// Messages of the screen's own.
type (
	linkEvents  []linkEvent // what the link told
	countdown   struct{}    // the time to the next attempt is to be drawn anew
	interrupted struct{}    // a signal wants the program to end
	quitLate    struct{}    // the link took too long to do what was asked for before /quit
)

const (
	countdownTime = 200 * time.Millisecond
	quitTime      = time.Second
)

func newScreen(address string, requests chan<- command, file roomFile, colours bool) *screen {
	s := &screen{
		address:  address,
		requests: requests,
		now:      time.Now,
		file:     file,
		columns:  80,
		rows:     24,
		widths:   byRune,
		palette:  newPalette(true, colours),
		colours:  colours,
		books:    map[int32]*scrollback{},
		lobby:    &scrollback{},
	}
	rooms, err := file.load()
	if err != nil {
		s.say(fromTrouble, "the list of rooms is not kept: "+printable([]byte(err.Error())))
	}
	s.rooms = rooms
	return s
}

// Init asks the terminal for its background, to which the colours have to fit.
func (s *screen) Init() tea.Cmd {
	if !s.colours {
		return nil
	}
	return tea.RequestBackgroundColor
}

// Update does what a message says.
func (s *screen) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch m := message.(type) {
	case tea.WindowSizeMsg:
		s.columns, s.rows = m.Width, m.Height
	case tea.BackgroundColorMsg:
		s.palette = newPalette(m.IsDark(), s.colours)
	case tea.ModeReportMsg:
		if m.Mode == ansi.ModeUnicodeCore && !m.Value.IsNotRecognized() && !m.Value.IsPermanentlyReset() {
			s.widths = byGrapheme // the renderer measures like this from now on, too
		}
	case linkEvents:
		return s, s.told(m)
	case countdown:
		return s, s.countDown()
	case interrupted:
		s.code = exitInterrupted
		return s, tea.Quit
	case quitLate:
		return s, tea.Quit
	case tea.PasteMsg:
		s.inList, s.notice = false, notice{}
		s.input.insert(m.Content)
	case tea.KeyPressMsg:
		s.notice = notice{}
		return s, s.press(m)
	case tea.MouseWheelMsg:
		s.wheel(m)
	case tea.MouseClickMsg:
		s.click(m)
	}
	return s, nil
}

// book is the scrollback that is shown, as large as it is seen.
func (s *screen) book() *scrollback {
	book := s.lobby
	if s.shown != nil {
		book = s.books[*s.shown]
	}
	place := s.place()
	book.resize(s.widths, place.chatColumns, place.bodyRows)
	return book
}

// show turns to the end of the scrollback of a room, nil: to that of no room. Who reads in it already is left alone.
func (s *screen) show(room *int32) {
	if s.shown != nil && room != nil && *s.shown == *room {
		return
	}
	s.shown = room
	if room == nil {
		return
	}
	if s.books[*room] == nil {
		s.books[*room] = &scrollback{}
	}
	s.books[*room].follow()
	s.visited = append(slices.DeleteFunc(s.visited, func(n int32) bool { return n == *room }), *room)
	if len(s.visited) > maxBooks {
		delete(s.books, s.visited[0])
		s.visited = s.visited[1:]
	}
}

// say adds a line of the client's own.
func (s *screen) say(kind entryKind, text string) {
	s.book().add(entry{at: s.now(), kind: kind, text: text})
}

// warn tells what is wrong with what was typed.
func (s *screen) warn(text string) { s.notice = notice{text, true} }

// countDown draws the countdown again and again while there is one.
func (s *screen) countDown() tea.Cmd {
	if s.connection.state != waiting {
		return nil
	}
	return tea.Tick(countdownTime, func(time.Time) tea.Msg { return countdown{} })
}
