package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"

	"iocpnetlib/chat"
)

const usageText = `Usage: chatclient [--addr host:port] [--user ID] [--room N] [--plain] [--no-reconnect]

  --addr host:port
        address of the server (default 127.0.0.1:11021)
  --user ID
        log in with this ID when connected, and again after every reconnect
  --room N
        enter this room when logged in, and again after every reconnect
  --plain
        read and print lines on a terminal, too, as for pipes and scripts; there is no reconnect then
  --no-reconnect
        on a full screen: stay disconnected until /reconnect when the connection breaks

Commands:
` + helpText + `
On a full screen there are more: /room, /reconnect; /help tells of them and of the keys. The environment variable
NO_COLOR, set to anything, takes the colours away.

Exit codes:
  0    /quit or the end of the input
  1    no connection, a lost one, no answer, or /wait waited in vain
  2    wrong options
  3    a script's end, but the server refused at least one command, or a line was not understood
  130  Ctrl+C
`

// options are what the command line says.
type options struct {
	address     string
	login       *chat.LoginRequest // nil: nobody logs in by itself
	room        *int32             // nil: no room is entered by itself
	plain       bool
	noReconnect bool
}

// opening is what is done before the first line of the input.
func (o *options) opening() (commands []command) {
	if o.login != nil {
		commands = append(commands, loginCommand{*o.login})
	}
	if o.room != nil {
		commands = append(commands, enterCommand{*o.room})
	}
	return commands
}

// parseOptions understands the command line. If it is not ok, the program ends with the code.
func parseOptions(arguments []string, stderr io.Writer) (parsed options, code int, ok bool) {
	flags := flag.NewFlagSet("chatclient", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usageText) }
	flags.StringVar(&parsed.address, "addr", "127.0.0.1:11021", "`address` of the server, host:port")
	user := flags.String("user", "", "`ID` to log in with")
	room := flags.String("room", "", "`number` of the room to enter")
	flags.BoolVar(&parsed.plain, "plain", false, "lines instead of a full screen")
	flags.BoolVar(&parsed.noReconnect, "no-reconnect", false, "no new connection by itself")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return parsed, exitOK, false
		}
		return parsed, exitUsage, false
	}
	wrong := func(format string, arguments ...any) (options, int, bool) {
		fmt.Fprintf(stderr, "chatclient: "+format+"\n", arguments...)
		return parsed, exitUsage, false
	}
	if flags.NArg() > 0 {
		return wrong("unexpected argument %q", flags.Arg(0))
	}
	if _, _, err := net.SplitHostPort(parsed.address); err != nil {
		return wrong("option --addr is %q, allowed is host:port", parsed.address)
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["user"] {
		if _, err := chat.NewUserID(*user); err != nil {
			return wrong("option --user is %q, allowed are 1 to %d bytes of UTF-8 without control characters: %v",
				*user, chat.MaxUserIDLength, err)
		}
		request, err := chat.NewLoginRequest(*user, "")
		if err != nil {
			return wrong("option --user: %v", err)
		}
		parsed.login = &request
	}
	if given["room"] {
		number, err := strconv.ParseInt(*room, 10, 32)
		if err != nil {
			return wrong("option --room is %q, allowed is a whole number from %d to %d", *room, math.MinInt32, math.MaxInt32)
		}
		parsed.room = new(int32)
		*parsed.room = int32(number)
	}
	return parsed, exitOK, true
}
