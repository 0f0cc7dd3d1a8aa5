package main

import (
	"time"

	"iocpnetlib/chat"
)

// linkEvent is what a link tells: one of the types below. Texts in it are safe to show on a terminal.
type linkEvent any

// connectionState is what a link is busy with.
type connectionState int

const (
	connecting connectionState = iota
	connected
	waiting // for the next attempt to connect
	closed  // until somebody wants to reconnect
)

type (
	// connectionChanged tells of another state of the connection.
	connectionChanged struct {
		state   connectionState
		attempt int       // connecting, waiting: counts the attempts since it last worked, from 1; 0: the first of all
		until   time.Time // waiting: when the next attempt begins
		why     string    // waiting, closed: what happened to the connection
	}
	loggedIn     struct{ user string }
	loginRefused struct {
		why   chat.ErrorCode
		again bool // it is tried again in a moment
	}
	enteredRoom struct {
		room  int32
		rival string // the member who has been there longest, "" if nobody has
	}
	enterRefused struct {
		room int32
		why  chat.ErrorCode
	}
	inRoomAlready struct{ room int32 }
	leftRoom      struct{}
	leaveRefused  struct{ why chat.ErrorCode }
	// messageCame is what a member of the room said.
	messageCame struct {
		from, text string
		own        bool
	}
	// notDelivered is what was to be said, and was not heard before the connection broke. The text is as it was typed.
	notDelivered struct{ text string }
	// sayRefused is what was to be said, and the server did not want. The text is as it was typed.
	sayRefused struct {
		text string
		why  chat.ErrorCode
	}
	// postponed answers a request that has to wait for a connection.
	postponed struct{ request command }
	// linkEnded answers a quitCommand, when all that was asked for before it has been done.
	linkEnded struct{}
)

// reconnectCommand gives the connection up, if there is one, and makes a new one at once.
type reconnectCommand struct{}
