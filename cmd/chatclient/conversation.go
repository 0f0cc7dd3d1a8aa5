package main

import (
	"time"

	"iocpnetlib/chat"
)

// wishes are what a user wants of every connection, the next one included.
type wishes struct {
	login *chat.LoginRequest // nil: nobody is to be logged in
	room  *int32             // nil: no room
}

// conversation is what is said over one connection: requests go out one at a time, each when the answer to the one
// before it has come. It does no I/O and belongs to one goroutine.
type conversation struct {
	wishes *wishes
	// loginPauses are the times between attempts to log in again: the server may take the last connection for alive.
	loginPauses []time.Duration

	todo  []step // in order; the first may be in flight
	asked bool   // the first was sent, and its answer awaited
	pause time.Duration

	user chat.NameField // who is logged in, empty: nobody
	room *int32         // where the user is, nil: in no room
}

// step is one request to the server: one of the types below.
type step any

type (
	loginStep struct {
		request chat.LoginRequest
		again   bool // the user was logged in before the connection broke
		tries   int
	}
	enterStep struct {
		room int32
		back *int32 // the room that was left for it
	}
	leaveStep struct{ onTheWay bool } // to another room
	sayStep   struct{ request chat.RoomChatRequest }
	quitStep  struct{}
)

// maxTodo bounds the steps that wait: more than a person types while a server is slow.
const maxTodo = 32

// newConversation begins with what is wished. Again says that there was a connection before.
func newConversation(wishes *wishes, loginPauses []time.Duration, again bool) *conversation {
	c := &conversation{wishes: wishes, loginPauses: loginPauses}
	if wishes.login != nil {
		c.todo = append(c.todo, loginStep{request: *wishes.login, again: again})
	}
	return c
}

// busy reports whether no further request can be taken now.
func (c *conversation) busy() bool { return len(c.todo) >= maxTodo }

// request adds what a user wants.
func (c *conversation) request(wanted command) {
	switch w := wanted.(type) {
	case loginCommand:
		c.todo = append(c.todo, loginStep{request: w.request})
	case enterCommand:
		c.todo = append(c.todo, enterStep{room: w.room})
	case leaveCommand:
		c.todo = append(c.todo, leaveStep{})
	case chatCommand:
		c.todo = append(c.todo, sayStep(w))
	case quitCommand:
		c.todo = append(c.todo, quitStep{})
	}
}

// next returns the packet that is to be sent now, nil if there is none, and what there is to tell.
func (c *conversation) next() (packet []byte, events []linkEvent) {
	for !c.asked && c.pause == 0 && len(c.todo) > 0 {
		switch s := c.todo[0].(type) {
		case loginStep:
			packet = s.request.Append(nil)
		case enterStep:
			if c.room != nil && *c.room == s.room {
				events = append(events, inRoomAlready{s.room})
				c.todo = c.todo[1:]
				continue
			}
			if c.room != nil { // the way from room to room leads through the door
				s.back = c.room
				c.todo[0] = s
				c.todo = append([]step{leaveStep{onTheWay: true}}, c.todo...)
				continue
			}
			c.wishes.room = &s.room
			packet = (&chat.RoomEnterRequest{RoomNumber: s.room}).Append(nil)
		case leaveStep:
			packet = (&chat.RoomLeaveRequest{}).Append(nil)
		case sayStep:
			packet = s.request.Append(nil)
		case quitStep:
			c.todo = nil
			return nil, append(events, linkEnded{})
		}
		c.asked = true
	}
	return packet, events
}

// done takes the first step, which was answered, off.
func (c *conversation) done() {
	c.todo, c.asked = c.todo[1:], false
}

// answered returns the step that a packet is the answer to, if it is of this kind.
func answered[kind step](c *conversation) (kind, error) {
	var none kind
	if !c.asked {
		return none, errNotAsked
	}
	first, ok := c.todo[0].(kind)
	if !ok {
		return none, errNotAsked
	}
	return first, nil
}

// handle takes a packet of the server.
func (c *conversation) handle(packet incoming) ([]linkEvent, error) {
	switch p := packet.(type) {
	case *chat.LoginResponse:
		return c.loginAnswered(p.Result)
	case *chat.RoomEnterResponse:
		return c.enterAnswered(p)
	case *chat.RoomLeaveResponse:
		return c.leaveAnswered(p.Result)
	case *chat.RoomChatResponse:
		said, err := answered[sayStep](c)
		if err != nil || p.Result == chat.ResultNone { // the message itself is to follow
			return nil, err
		}
		c.done()
		return []linkEvent{sayRefused{typed(&said), p.Result}}, nil
	case *chat.RoomChatNotify:
		own := sameText(&p.UserID, &c.user)
		if said, err := answered[sayStep](c); err == nil && own && sameText(&p.Msg, &said.request.Message) {
			c.done()
		}
		return []linkEvent{messageCame{fieldWords(&p.UserID), fieldWords(&p.Msg), own}}, nil
	}
	return nil, nil
}

func (c *conversation) loginAnswered(result chat.ErrorCode) ([]linkEvent, error) {
	login, err := answered[loginStep](c)
	if err != nil {
		return nil, err
	}
	if result == chat.ResultLoginUserAlready && login.again && login.tries < len(c.loginPauses) {
		c.pause = c.loginPauses[login.tries]
		login.tries++
		c.todo[0], c.asked = login, false
		return []linkEvent{loginRefused{result, true}}, nil
	}
	c.done()
	if result != chat.ResultNone {
		return []linkEvent{loginRefused{result, false}}, nil
	}
	c.user, c.wishes.login = login.request.UserID, &login.request
	if c.wishes.room != nil {
		c.todo = append([]step{enterStep{room: *c.wishes.room}}, c.todo...)
	}
	return []linkEvent{loggedIn{fieldWords(&c.user)}}, nil
}

func (c *conversation) enterAnswered(answer *chat.RoomEnterResponse) ([]linkEvent, error) {
	entered, err := answered[enterStep](c)
	if err != nil {
		return nil, err
	}
	c.done()
	if answer.Result == chat.ResultNone {
		c.room = &entered.room
		return []linkEvent{enteredRoom{entered.room, fieldWords(&answer.RivalUserID)}}, nil
	}
	c.wishes.room = nil
	if entered.back != nil {
		c.todo = append([]step{enterStep{room: *entered.back}}, c.todo...)
	}
	return []linkEvent{enterRefused{entered.room, answer.Result}}, nil
}

func (c *conversation) leaveAnswered(result chat.ErrorCode) ([]linkEvent, error) {
	left, err := answered[leaveStep](c)
	if err != nil {
		return nil, err
	}
	c.done()
	c.room = nil // refused means that the user is in none
	switch {
	case left.onTheWay:
		return nil, nil
	case result != chat.ResultNone:
		return []linkEvent{leaveRefused{result}}, nil
	}
	c.wishes.room = nil
	return []linkEvent{leftRoom{}}, nil
}

// undelivered returns what was to be said and has not come back. The connection has ended.
func (c *conversation) undelivered() (events []linkEvent) {
	for _, s := range c.todo {
		if said, ok := s.(sayStep); ok {
			events = append(events, notDelivered{typed(&said)})
		}
	}
	return events
}

// typed is the text of a message of one's own.
func typed(said *sayStep) string {
	text, _ := said.request.Message.Text() // was checked when the request was made
	return string(text)
}
