package main

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// wheelLines is how far a step of the mouse wheel scrolls.
const wheelLines = 3

// press does what a key does.
func (s *screen) press(key tea.KeyPressMsg) tea.Cmd {
	name := key.String()
	switch name {
	case "ctrl+c":
		s.code = exitInterrupted
		return tea.Quit
	case "ctrl+z":
		return tea.Suspend
	case "ctrl+l":
		return tea.ClearScreen
	case "tab":
		s.turnToList()
		return nil
	case "ctrl+n":
		s.neighbour(1)
		return nil
	case "ctrl+p":
		s.neighbour(-1)
		return nil
	}
	if place, ok := strings.CutPrefix(name, "alt+"); ok && len(place) == 1 && place >= "1" && place <= "9" {
		s.enterPlace(int(place[0] - '1'))
		return nil
	}
	if s.scroll(name) {
		return nil
	}
	if s.inList && s.pressInList(name) {
		return nil
	}
	s.inList = false // typing goes to the input
	return s.pressInInput(name, key.Text)
}

// turnToList lets the keys go to the list of rooms, or to the input again.
func (s *screen) turnToList() {
	switch {
	case s.inList:
		s.inList = false
	case len(s.rooms) == 0:
		s.warn("there is no room in the list: /enter N, or /room add N")
	case s.place().listColumns == 0:
		s.warn(fmt.Sprintf("the list of rooms needs %d columns; Ctrl+N and Ctrl+P change rooms", leastForList))
	default:
		s.inList = true
	}
}

// scroll does what a key does to the scrollback, if it is for it.
func (s *screen) scroll(key string) bool {
	book := s.book()
	page := max(s.place().bodyRows-1, 1)
	switch key {
	case "pgup":
		book.up(page)
	case "pgdown":
		book.down(page)
	case "shift+up", "ctrl+up":
		book.up(1)
	case "shift+down", "ctrl+down":
		book.down(1)
	case "ctrl+home":
		book.begin()
	case "ctrl+end":
		book.follow()
	case "end":
		if !book.held {
			return false // then it goes to the end of the input
		}
		book.follow()
	default:
		return false
	}
	return true
}

func (s *screen) pressInList(key string) bool {
	switch key {
	case "up":
		s.selected = max(s.selected-1, 0)
	case "down":
		s.selected = min(s.selected+1, len(s.rooms)-1)
	case "home":
		s.selected = 0
	case "enter":
		s.enterPlace(s.selected)
	case "delete", "backspace":
		number := s.rooms[s.selected].Number
		s.keepRooms(func(rooms []listedRoom) []listedRoom { return withoutRoom(rooms, number) })
		s.inList = len(s.rooms) > 0
	case "esc":
		s.inList = false
	default:
		return false
	}
	return true
}

func (s *screen) pressInInput(key, text string) tea.Cmd {
	switch key {
	case "enter":
		return s.enterLine()
	case "up":
		if line, ok := s.history.up(s.input.text()); ok {
			s.input.set(line)
		}
	case "down":
		if line, ok := s.history.down(); ok {
			s.input.set(line)
		}
	case "left", "ctrl+b":
		s.input.left()
	case "right", "ctrl+f":
		s.input.right()
	case "ctrl+left", "alt+left", "alt+b":
		s.input.wordLeft()
	case "ctrl+right", "alt+right", "alt+f":
		s.input.wordRight()
	case "home", "ctrl+a":
		s.input.home()
	case "end", "ctrl+e":
		s.input.end()
	case "backspace", "ctrl+h", "shift+backspace":
		s.input.eraseLeft()
	case "delete":
		s.input.eraseRight()
	case "ctrl+d":
		if s.input.empty() {
			return s.quit()
		}
		s.input.eraseRight()
	case "ctrl+w", "alt+backspace", "ctrl+backspace":
		s.input.eraseWord()
	case "ctrl+u":
		s.input.eraseToHome()
	case "ctrl+k":
		s.input.eraseToEnd()
	case "f1":
		s.help()
	default:
		s.input.insert(text)
	}
	return nil
}

// enterLine does what the line that was typed says. It stays where it is if it cannot be done.
func (s *screen) enterLine() tea.Cmd {
	line := s.input.text()
	wanted, err := parseScreenCommand(line)
	if err != nil {
		s.warn(err.Error())
		return nil
	}
	switch c := wanted.(type) {
	case noCommand:
	case helpCommand:
		s.help()
	case quitCommand:
		s.input.set("")
		return s.quit()
	case roomAddCommand:
		s.notice = notice{text: fmt.Sprintf("room %s is in the list", c.room.title())}
		s.keepRooms(func(rooms []listedRoom) []listedRoom { return withRoom(rooms, c.room) })
	case roomRemoveCommand:
		s.notice = notice{text: fmt.Sprintf("room %d is off the list", c.number)}
		s.keepRooms(func(rooms []listedRoom) []listedRoom { return withoutRoom(rooms, c.number) })
	case chatCommand:
		if !s.canTalk() || !s.ask(c) {
			return nil
		}
		s.book().follow()
	default:
		if !s.ask(c) {
			return nil
		}
	}
	if strings.TrimSpace(line) != "" {
		s.history.add(remembered(line))
	}
	s.input.set("")
	return nil
}

// canTalk reports whether somebody would hear. If not, it says why.
func (s *screen) canTalk() bool {
	switch {
	case s.connection.state != connected:
		s.warn("not connected: what you typed stays here")
	case s.user == "":
		s.warn("log in first: /login ID")
	case s.room == nil:
		s.warn("you are in no room: /enter N")
	default:
		return true
	}
	return false
}

// ask passes a request to the link. It fails if too many wait there already.
func (s *screen) ask(wanted command) bool {
	select {
	case s.requests <- wanted:
		return true
	default:
		s.warn("the server is slow: not sent, try again in a moment")
		return false
	}
}

// enterPlace goes into the room at a place of the list.
func (s *screen) enterPlace(place int) {
	if place < 0 || place >= len(s.rooms) {
		s.warn(fmt.Sprintf("there are %d rooms in the list", len(s.rooms)))
		return
	}
	s.selected, s.inList = place, false
	if s.connection.state == connected && s.user == "" {
		s.warn("log in first: /login ID")
		return
	}
	s.ask(enterCommand{s.rooms[place].Number})
}

// neighbour goes into the room so many places further in the list, beginning again at its ends.
func (s *screen) neighbour(distance int) {
	if len(s.rooms) == 0 {
		s.warn("there is no room in the list: /enter N, or /room add N")
		return
	}
	place := s.selected
	if s.shown != nil && placeOf(s.rooms, *s.shown) >= 0 {
		place = placeOf(s.rooms, *s.shown) + distance
	}
	s.enterPlace((place + len(s.rooms)) % len(s.rooms))
}

// quit ends when everything that was said before has been sent.
func (s *screen) quit() tea.Cmd {
	if s.quitting || !s.ask(quitCommand{}) {
		return tea.Quit
	}
	s.quitting = true
	return tea.Tick(quitTime, func(t time.Time) tea.Msg { return quitLate{} })
}

func (s *screen) help() {
	for _, line := range screenHelp {
		s.say(fromSystem, line)
	}
}

func (s *screen) wheel(m tea.MouseWheelMsg) {
	switch m.Button {
	case tea.MouseWheelUp:
		s.book().up(wheelLines)
	case tea.MouseWheelDown:
		s.book().down(wheelLines)
	}
}

// click goes into the room of the list that was clicked at.
func (s *screen) click(m tea.MouseClickMsg) {
	place := s.place()
	row := m.Y - place.header - listTitleRows
	if m.Button != tea.MouseLeft || m.X >= place.listColumns || row < 0 || m.Y >= place.header+place.bodyRows {
		return
	}
	if first := s.firstListed(place); first+row < len(s.rooms) {
		s.enterPlace(first + row)
	}
}
