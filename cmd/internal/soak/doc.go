// Package soak puts a chat server process under load, ordinary and hostile, checks every byte that comes back, and
// measures. It is what the program chatsoak is made of.
//
// A crowd of members chats at a fixed rate in several rooms. Beside it there are clients that do what no client
// should: slow readers, flooders, churners. A watch samples the server process. A scenario puts some of them together,
// and fails if anything is not as docs/protocol.md says, whatever the hostile ones do.
package soak
