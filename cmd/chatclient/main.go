// Chatclient talks to a chat server from a terminal, or from a script over standard input and output:
//
//	printf '/login alice\n/enter 1\nhello\n/quit\n' | chatclient
//
// On a terminal it takes the whole screen: a list of one's rooms, what was said, a line to type in; it connects again
// by itself when the connection breaks. With --plain, and for pipes, it reads and prints lines. There every line waits
// for the server's answer before the next one is read, so a script needs no pauses. /help lists the commands. Standard
// output has what the server says, standard error has what went wrong.
//
// Exit codes: 0 after /quit or the end of the input, 1 if the connection failed or was lost, an answer did not come,
// or /wait waited in vain, 2 for wrong options, 3 if a script came to its end but the server refused at least one
// command or a line was not understood, 130 after Ctrl+C. On a terminal refusals are no error: there it is 0.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"time"

	"golang.org/x/term"
)

// The exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3
	exitInterrupted = 130
)

const (
	connectTime = 10 * time.Second
	answerTime  = 10 * time.Second // a server that says nothing for so long is lost
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(arguments []string, stdin *os.File, stdout, stderr io.Writer) int {
	options, code, ok := parseOptions(arguments, stderr)
	if !ok {
		return code
	}
	screen, person := stdout.(*os.File)
	person = person && term.IsTerminal(int(stdin.Fd())) && term.IsTerminal(int(screen.Fd()))
	if person && !options.plain && os.Getenv("TERM") != "dumb" {
		return runScreen(options, stdin, screen, stderr)
	}
	return runLines(options, person, stdin, stdout, stderr)
}

// runLines is the line mode: for pipes and scripts, and for a person who wants it.
func runLines(options options, person bool, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt)
	defer release()
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, "tcp", options.address)
	if err != nil {
		if ctx.Err() != nil {
			return exitInterrupted
		}
		fmt.Fprintf(stderr, "chatclient: no connection to %s: %v\n", options.address, err)
		return exitError
	}
	session := newSession(conn, stdout, stderr)
	session.opening = options.opening()
	if person {
		session.printf("Connected to %s. /help lists the commands.", options.address)
	}
	code := session.runScript(ctx, stdin)
	if person && code == exitRefused {
		return exitOK // who sees a refusal needs no exit code for it
	}
	return code
}
