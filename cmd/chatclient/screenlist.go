package main

import "fmt"

// firstListed is the first room of the list that is seen.
func (s *screen) firstListed(p place) int {
	return max(s.selected-(p.bodyRows-listTitleRows)+1, 0)
}

// listLines are the list of rooms, a line for each row of its place.
func (s *screen) listLines(p place) []string {
	width := p.listColumns - len(besideList)
	title := s.palette.faint.Render(s.widths.fit(" Rooms", width))
	lines := []string{title}
	for i := s.firstListed(p); len(lines) < p.bodyRows; i++ {
		switch {
		case i < len(s.rooms):
			lines = append(lines, s.listLine(i, width))
		case i == 0:
			lines = append(lines, s.palette.faint.Render(s.widths.fit(" none yet: /enter N", width)))
		default:
			lines = append(lines, s.widths.fit("", width))
		}
	}
	return lines[:p.bodyRows]
}

func (s *screen) listLine(i, width int) string {
	room := s.rooms[i]
	here := s.shown != nil && *s.shown == room.Number
	mark := " "
	if here {
		mark = ">"
		if s.room == nil {
			mark = "?" // where the user wants to be
		}
	}
	unread := ""
	if book := s.books[room.Number]; here && book.unread > 0 {
		unread = fmt.Sprintf(" +%d", book.unread)
	}
	text := s.widths.fit(mark+" "+room.title(), width-len(unread)) + unread
	switch {
	case s.inList && i == s.selected:
		return s.palette.selected.Render(text)
	case here:
		return s.palette.current.Render(text)
	}
	return text
}
