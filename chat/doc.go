// Package chat is the logic of the chat server: its packets, users and rooms. docs/protocol.md describes the protocol.
//
// A Server handles one message of a network core at a time and answers into a bridge.SendBatch. It has no locks, no
// goroutines and no sockets, because all of its state belongs to the one logic loop: nothing in this package may be
// called by two goroutines at a time, except that packets are plain values which anybody may encode and decode.
//
// The parts carry the names of the book's C++ server: Server is its Main, PacketManager has the table of handlers by
// packet id, UserManager and RoomManager own the User and Room objects.
package chat
