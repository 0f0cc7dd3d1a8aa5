// Chatserver is the chat server: users log in, enter rooms and talk. docs/protocol.md describes what it speaks.
//
// It listens until Ctrl+C, SIGTERM or the closing of its console. Then clients have the time that drain gives to leave;
// after it the logic finishes what was received, what is queued is sent, and the program ends with exit code 0 within the
// time that stop-timeout gives. SIGHUP loads the settings again.
package main

import (
	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/serverrun"
)

func main() { program.Main() }

var program = serverrun.Program{
	Name:          "chatserver",
	About:         "A chat server with rooms.",
	MinPacketSize: chat.MaxRequestSize,
	// Far more than a person types or a game client reports, and so little that one flooder's chats in a full room
	// leave the logic loop nearly all of its time.
	DefaultRate: bridge.RateLimit{PacketsPerSecond: 100, BytesPerSecond: 64 << 10},
	New:         newPart,
}
