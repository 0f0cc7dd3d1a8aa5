package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"iocpnetlib/chat"
)

const helpText = `  /login ID [PW]     log in; ID has up to 20 bytes, a Korean letter counts as 3
  /enter N           enter room N
  /leave             leave the room
  /wait N [SECONDS]  wait until N chat messages in all have come, 10 seconds at most
  /help              show this
  /quit              end; so does the end of the input
  anything else      say it in the room; //text says /text
`

// command is one line of input, understood: one of the types below.
type command any

type (
	loginCommand struct{ request chat.LoginRequest }
	enterCommand struct{ room int32 }
	leaveCommand struct{}
	chatCommand  struct{ request chat.RoomChatRequest }
	waitCommand  struct {
		messages int
		limit    time.Duration
	}
	helpCommand struct{}
	quitCommand struct{}
	noCommand   struct{} // an empty line
)

const (
	defaultWait = 10 * time.Second
	maxWait     = 3600 // seconds
)

// parseCommand understands a line. The error is for the user.
func parseCommand(line string) (command, error) {
	if strings.TrimSpace(line) == "" {
		return noCommand{}, nil
	}
	if !strings.HasPrefix(line, "/") || strings.HasPrefix(line, "//") {
		return parseChat(strings.TrimPrefix(line, "/"))
	}
	words := strings.Fields(line)
	arguments := words[1:]
	count := func(least, most int) error {
		if len(arguments) < least || len(arguments) > most {
			return fmt.Errorf("%s: see /help for how it is written", words[0])
		}
		return nil
	}
	switch words[0] {
	case "/login":
		if err := count(1, 2); err != nil {
			return nil, err
		}
		return parseLogin(arguments)
	case "/enter":
		if err := count(1, 1); err != nil {
			return nil, err
		}
		room, err := strconv.ParseInt(arguments[0], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no room number, allowed is a whole number from %d to %d", arguments[0],
				math.MinInt32, math.MaxInt32)
		}
		return enterCommand{int32(room)}, nil
	case "/leave":
		return leaveCommand{}, count(0, 0)
	case "/wait":
		if err := count(1, 2); err != nil {
			return nil, err
		}
		return parseWait(arguments)
	case "/help":
		return helpCommand{}, count(0, 0)
	case "/quit":
		return quitCommand{}, count(0, 0)
	}
	return nil, fmt.Errorf("%s is no command, /help lists them; //text says /text", words[0])
}

func parseLogin(arguments []string) (command, error) {
	password := ""
	if len(arguments) == 2 {
		password = arguments[1]
	}
	request, err := chat.NewLoginRequest(arguments[0], password)
	if err != nil {
		return nil, fmt.Errorf("ID and PW have up to %d bytes of UTF-8 each: %w", chat.MaxUserIDLength, err)
	}
	return loginCommand{request}, nil
}

func parseChat(text string) (command, error) {
	request, err := chat.NewRoomChatRequest(text)
	switch {
	case errors.Is(err, chat.ErrTextTooLong):
		return nil, fmt.Errorf("not sent: the message has %d bytes, allowed are %d (a Korean letter counts as 3)",
			len(text), chat.MaxMessageLength)
	case err != nil:
		return nil, fmt.Errorf("not sent: %w", err)
	}
	return chatCommand{request}, nil
}

func parseWait(arguments []string) (command, error) {
	messages, err := strconv.Atoi(arguments[0])
	if err != nil || messages < 0 {
		return nil, fmt.Errorf("%q is no number of messages", arguments[0])
	}
	limit := defaultWait
	if len(arguments) == 2 {
		seconds, err := strconv.ParseFloat(arguments[1], 64)
		if err != nil || !(seconds >= 0 && seconds <= maxWait) { // this way round NaN is refused
			return nil, fmt.Errorf("%q is no time, allowed are 0 to %d seconds", arguments[1], maxWait)
		}
		limit = time.Duration(seconds * float64(time.Second))
	}
	return waitCommand{messages, limit}, nil
}
