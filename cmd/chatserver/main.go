// Chatserver is the chat server: users log in, enter rooms and talk. docs/protocol.md describes what it speaks.
//
// It listens until Ctrl+C, SIGTERM or the closing of its console, then lets the logic finish what was received, sends
// what is queued, and ends with exit code 0 within the time that --drain gives.
package main

import (
	"flag"
	"math"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/serverrun"
)

func main() {
	config := chat.DefaultConfig()
	maxUsers := 0 // not given
	program := serverrun.Program{
		Name:          "chatserver",
		About:         "A chat server with rooms.",
		MinPacketSize: chat.MaxRequestSize,
		// Far more than a person types or a game client reports, and so little that one flooder's chats in a full room
		// leave the logic loop nearly all of its time.
		DefaultRate: bridge.RateLimit{PacketsPerSecond: 100, BytesPerSecond: 64 << 10},
		AddFlags: func(flags *flag.FlagSet) {
			serverrun.IntVar(flags, &config.StartRoom, "start-room", config.StartRoom, math.MinInt32, math.MaxInt32,
				"`number` of the first room")
			serverrun.IntVar(flags, &config.MaxRooms, "max-rooms", config.MaxRooms, 1, chat.MaxMaxRooms,
				"`number` of rooms")
			serverrun.IntVar(flags, &config.MaxRoomUsers, "max-room-users", config.MaxRoomUsers, 1,
				chat.MaxMaxRoomUsers, "`number` of users that one room holds")
			serverrun.IntVar(flags, &config.MaxUnknownPackets, "max-unknown-packets", config.MaxUnknownPackets, 0,
				chat.MaxMaxUnknownPackets,
				"`number` of packets with an unknown id in a row that are ignored; one more closes the connection")
			flags.Var(serverrun.OptionalInt(&maxUsers, 1, chat.MaxMaxConnections), "max-users",
				"`number` of users logged in at a time (default the value of --max-connections)")
		},
		NewLogic: func(options *serverrun.Options, logger *zap.Logger) (serverrun.Logic, error) {
			config.MaxConnections = options.Net.MaxConnections
			config.MaxUsers = config.MaxConnections
			if maxUsers != 0 {
				config.MaxUsers = maxUsers
			}
			server, err := chat.NewServer(config, logger)
			return logic{server}, err
		},
	}
	program.Main()
}

// logic is the chat server's logic with a summary for the log.
type logic struct{ *chat.Server }

func (l logic) Summary() []zap.Field {
	counters := l.Counters()
	return []zap.Field{
		zap.Uint64("logins", counters.Logins),
		zap.Uint64("room_enters", counters.RoomEnters),
		zap.Uint64("chats", counters.Chats),
		zap.Uint64("notifications", counters.Notifications),
		zap.Any("requests_refused", serverrun.NonZero[chat.ErrorCode](counters.Refusals[:])),
		zap.Uint64("unknown_packets", counters.UnknownPackets),
		zap.Any("ignored_packets", serverrun.NonZero[chat.Ignored](counters.IgnoredPackets[:])),
		zap.Any("violations", serverrun.NonZero[chat.Violation](counters.Violations[:])),
	}
}
