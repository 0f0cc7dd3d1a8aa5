package main

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"unicode"

	"go.uber.org/zap"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/serverrun"
	"iocpnetlib/cmd/internal/settings"
	"iocpnetlib/webclient"
)

// part is the chat server's own settings.
type part struct {
	config   chat.Config
	maxUsers int // 0: as many as connections
}

func newPart() serverrun.Part { return &part{config: chat.DefaultConfig()} }

// Declare adds the settings.
func (p *part) Declare(set *settings.Set) {
	c := &p.config
	set.Int(&p.maxUsers, 0, chat.MaxMaxConnections, settings.Setting{Name: "max-users", Seed: "MaxUserCount",
		DefaultText: "as many as connections",
		Usage:       "`number` of users logged in at a time; 0: as many as connections"})
	set.Int(&c.StartRoom, math.MinInt32, math.MaxInt32, settings.Setting{Name: "start-room", Seed: "StartRoomNumber",
		Usage: "`number` of the first room"})
	set.Int(&c.MaxRooms, 1, chat.MaxMaxRooms, settings.Setting{Name: "max-rooms", Seed: "MaxRoomCount",
		Usage: "`number` of rooms"})
	set.Int(&c.MaxRoomUsers, 1, chat.MaxMaxRoomUsers, settings.Setting{Name: "max-room-users", Seed: "MaxRoomUserCount",
		Live: true, Usage: "`number` of users that one room holds; who is in a fuller one after a change stays"})
	set.Int(&c.MaxUnknownPackets, 0, chat.MaxMaxUnknownPackets, settings.Setting{Name: "max-unknown-packets", Live: true,
		Usage: "`number` of packets with an unknown id in a row that are ignored; one more closes the connection"})
	set.Text(&c.Announcer, nil, settings.Setting{Name: "announcer",
		Usage: "user `id` that announcements and the message of the day come from; nobody else can log in with it"})
	set.Text(&c.MessageOfTheDay, checkOneLine, settings.Setting{Name: "message-of-the-day", Live: true,
		Usage: "`text` that everybody hears who logs in, up to 256 bytes; \"\": none"})
}

func checkOneLine(text string) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("one line of text without control characters")
	}
	return nil
}

// Check looks at the settings beside each other.
func (p *part) Check(set *settings.Set, common *serverrun.Options) error {
	p.config.MaxConnections = common.Places()
	p.config.MaxUsers = p.maxUsers
	if p.maxUsers == 0 {
		p.config.MaxUsers = p.config.MaxConnections
	}
	err := p.config.Validate()
	if option, ok := errors.AsType[*chat.OptionError](err); ok {
		return set.Refuse(option.Option, option.Allowed)
	}
	return err
}

// Pages are the browser's client.
func (p *part) Pages() http.Handler {
	return webclient.Handler(webclient.Config{FirstRoom: p.config.StartRoom, Rooms: p.config.MaxRooms, Announcer: p.config.Announcer})
}

// NewLogic makes the chat server's logic.
func (p *part) NewLogic(logger *zap.Logger) (serverrun.Logic, error) {
	server, err := chat.NewServer(p.config, logger)
	return logic{server}, err
}

// logic is the chat server's logic as a program runs it.
type logic struct{ *chat.Server }

// Reconfigure takes over the live settings. They were found good by Check.
func (l logic) Reconfigure(changed serverrun.Part) {
	if err := l.Server.Reconfigure(changed.(*part).config.LiveConfig); err != nil {
		panic(err)
	}
}

func (l logic) Summary() []zap.Field {
	counters := l.Counters()
	return []zap.Field{
		zap.Uint64("logins", counters.Logins),
		zap.Uint64("room_enters", counters.RoomEnters),
		zap.Uint64("chats", counters.Chats),
		zap.Uint64("notifications", counters.Notifications),
		zap.Uint64("announcements", counters.Announcements),
		zap.Uint64("kicks", counters.Kicks),
		zap.Any("requests_refused", serverrun.NonZero[chat.ErrorCode](counters.Refusals[:])),
		zap.Uint64("unknown_packets", counters.UnknownPackets),
		zap.Any("ignored_packets", serverrun.NonZero[chat.Ignored](counters.IgnoredPackets[:])),
		zap.Any("violations", serverrun.NonZero[chat.Violation](counters.Violations[:])),
	}
}
