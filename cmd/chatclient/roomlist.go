package main

import (
	"fmt"
	"slices"
)

// Bounds of the list of rooms.
const (
	maxListed   = 200
	maxRoomName = 60 // bytes
)

// listedRoom is a room that the user keeps in the list.
type listedRoom struct {
	Number int32  `toml:"number"`
	Name   string `toml:"name,omitempty"` // the user's own; the protocol has none
}

// title is the room for people.
func (r listedRoom) title() string {
	if r.Name == "" {
		return fmt.Sprint(r.Number)
	}
	return fmt.Sprintf("%d %s", r.Number, r.Name)
}

// withRoom is the list with a room added, or its name changed. An empty name changes nothing of a room that is there.
func withRoom(rooms []listedRoom, room listedRoom) []listedRoom {
	rooms = slices.Clone(rooms)
	if i := placeOf(rooms, room.Number); i >= 0 {
		if room.Name != "" {
			rooms[i].Name = room.Name
		}
		return rooms
	}
	if len(rooms) == maxListed {
		rooms = rooms[1:]
	}
	return append(rooms, room)
}

// withoutRoom is the list without a room.
func withoutRoom(rooms []listedRoom, number int32) []listedRoom {
	return slices.DeleteFunc(slices.Clone(rooms), func(r listedRoom) bool { return r.Number == number })
}

// placeOf is where a room is in the list, -1 if it is not.
func placeOf(rooms []listedRoom, number int32) int {
	return slices.IndexFunc(rooms, func(r listedRoom) bool { return r.Number == number })
}
