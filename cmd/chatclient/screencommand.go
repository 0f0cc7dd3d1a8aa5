package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// screenHelp is what /help shows on the screen.
var screenHelp = []string{
	"/login ID [PW]      log in; ID has up to 20 bytes, a Korean letter counts as 3",
	"/enter N            enter room N, from another room as well",
	"/leave              leave the room",
	"/room add N [name]  put room N into the list, under a name of your own",
	"/room remove N      take it off the list",
	"/reconnect          connect now, or anew",
	"/quit               end; so do Ctrl+C and, on an empty line, Ctrl+D",
	"anything else       say it in the room; //text says /text",
	"PgUp, PgDn, mouse wheel: scroll. End: back to the newest message. Up, Down: what you typed before.",
	"Ctrl+N, Ctrl+P: next room, room before. Alt+1 to Alt+9, or a click: a room of the list.",
	"Tab: into the list of rooms; there Up, Down, Enter, and Delete to take a room off.",
	"Shift with the mouse selects text, as the terminal itself does.",
}

type (
	roomAddCommand    struct{ room listedRoom }
	roomRemoveCommand struct{ number int32 }
)

// parseScreenCommand understands a line that was typed on the screen. The error is for the user.
func parseScreenCommand(line string) (command, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return noCommand{}, nil
	}
	switch words[0] {
	case "/wait":
		return nil, errors.New("/wait is for scripts only")
	case "/reconnect":
		if len(words) > 1 {
			return nil, errors.New("/reconnect: see /help for how it is written")
		}
		return reconnectCommand{}, nil
	case "/room":
		return parseRoomCommand(words[1:])
	}
	return parseCommand(line)
}

func parseRoomCommand(words []string) (command, error) {
	if len(words) < 2 || words[0] != "add" && words[0] != "remove" || words[0] == "remove" && len(words) > 2 {
		return nil, errors.New("/room: see /help for how it is written")
	}
	number, err := strconv.ParseInt(words[1], 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%q is no room number, allowed is a whole number from %d to %d", words[1],
			math.MinInt32, math.MaxInt32)
	}
	if words[0] == "remove" {
		return roomRemoveCommand{int32(number)}, nil
	}
	name := printable([]byte(strings.Join(words[2:], " ")))
	if len(name) > maxRoomName {
		return nil, fmt.Errorf("the name has %d bytes, allowed are %d (a Korean letter counts as 3)", len(name), maxRoomName)
	}
	return roomAddCommand{listedRoom{int32(number), name}}, nil
}

// remembered is a line as the history keeps it: without the password.
func remembered(line string) string {
	if words := strings.Fields(line); len(words) > 2 && words[0] == "/login" {
		return strings.Join(words[:2], " ")
	}
	return line
}
