package main

import (
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// told takes what the link told.
func (s *screen) told(events linkEvents) tea.Cmd {
	var then tea.Cmd
	for _, event := range events {
		switch e := event.(type) {
		case connectionChanged:
			then = s.connectionChanged(e)
		case linkEnded:
			return tea.Quit
		case messageCame:
			kind := fromOthers
			if e.own {
				kind = fromMyself
			}
			s.book().add(entry{at: s.now(), kind: kind, from: e.from, text: e.text})
		case notDelivered:
			s.book().add(entry{at: s.now(), kind: undeliveredText, text: printable([]byte(e.text))})
			s.giveBack(e.text)
		case sayRefused:
			s.say(fromTrouble, "message refused: "+inWords(e.why))
			s.giveBack(e.text)
		case postponed:
			s.postponed(e)
		default:
			s.placeChanged(event)
		}
	}
	return then
}

// placeChanged takes what the link told about who and where the user is.
func (s *screen) placeChanged(event linkEvent) {
	switch e := event.(type) {
	case loggedIn:
		s.user, s.lastUser = e.user, e.user
		s.say(fromSystem, "logged in as "+e.user)
		if s.room == nil && s.shown == nil {
			s.notice = notice{text: "/enter N goes into room N"}
		}
	case loginRefused:
		text := "login refused: " + inWords(e.why)
		if e.again {
			text = "the server takes the last connection for alive, logging in again in a moment"
		}
		s.say(fromTrouble, text)
	case enteredRoom:
		s.room = &e.room
		s.show(&e.room)
		s.keepRooms(func(rooms []listedRoom) []listedRoom { return withRoom(rooms, listedRoom{Number: e.room}) })
		s.selected = max(placeOf(s.rooms, e.room), 0)
		if e.rival == "" {
			s.say(fromSystem, fmt.Sprintf("entered room %d, nobody is there yet", e.room))
		} else {
			s.say(fromSystem, fmt.Sprintf("entered room %d, %s is there", e.room, e.rival))
		}
	case enterRefused:
		s.room = nil // it was left before, if there was one
		s.say(fromTrouble, fmt.Sprintf("room %d refused: %s", e.room, inWords(e.why)))
	case inRoomAlready:
		s.notice = notice{text: fmt.Sprintf("you are in room %d", e.room)}
	case leftRoom:
		s.room = nil
		s.show(nil)
		s.say(fromSystem, "left the room")
	case leaveRefused:
		s.say(fromTrouble, "leave refused: "+inWords(e.why))
	}
}

func (s *screen) connectionChanged(change connectionChanged) tea.Cmd {
	s.connection = change
	switch change.state {
	case connected:
		s.say(fromSystem, "connected to "+printable([]byte(s.address)))
		s.trouble = ""
		if s.lastUser == "" {
			s.notice = notice{text: "/login ID logs in, /help tells more"}
		}
		return nil
	case connecting:
		s.user, s.room = "", nil
		return nil
	}
	s.user, s.room = "", nil
	if change.why != s.trouble { // one line, not one for each attempt
		s.trouble = change.why
		s.say(fromTrouble, change.why)
	}
	if change.state == closed {
		s.notice = notice{text: "/reconnect connects again"}
	}
	return s.countDown()
}

// giveBack makes a text that nobody heard the next one of the history, and types it again if nothing else is typed.
func (s *screen) giveBack(text string) {
	if len(text) > 0 && text[0] == '/' {
		text = "/" + text // as it was typed
	}
	s.history.add(text)
	if s.input.empty() {
		s.input.set(text)
	}
}

func (s *screen) postponed(e postponed) {
	switch request := e.request.(type) {
	case loginCommand:
		s.say(fromSystem, "logging in as "+fieldWords(&request.request.UserID)+" when connected")
	case enterCommand:
		s.say(fromSystem, fmt.Sprintf("entering room %d when connected", request.room))
	}
}

// keepRooms changes the list of rooms, in its file too.
func (s *screen) keepRooms(how func([]listedRoom) []listedRoom) {
	rooms, err := s.file.change(how)
	if err != nil {
		rooms = how(s.rooms)
		s.warn("the list of rooms was not kept: " + printable([]byte(err.Error())))
	}
	s.rooms = rooms
	s.selected = min(s.selected, max(len(s.rooms)-1, 0))
}
