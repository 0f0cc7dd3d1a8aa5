// Chatclient talks to a chat server from a terminal, or from a script over standard input and output:
//
//	printf '/login alice\n/enter 1\nhello\n/quit\n' | chatclient
//
// Every line waits for the server's answer before the next one is read, so a script needs no pauses. /help lists the
// commands. Standard output has what the server says, standard error has what went wrong.
//
// Exit codes: 0 after /quit or the end of the input, 1 if the connection failed or was lost, an answer did not come,
// or /wait waited in vain, 2 for wrong options, 3 if a script came to its end but the server refused at least one
// command or a line was not understood, 130 after Ctrl+C. On a terminal refusals are no error: there it is 0.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usageText = `Usage: chatclient [--addr host:port]

  --addr host:port
        address of the server (default 127.0.0.1:11021)

Commands:
` + helpText + `
Exit codes:
  0    /quit or the end of the input
  1    no connection, a lost one, no answer, or /wait waited in vain
  2    wrong options
  3    a script's end, but the server refused at least one command, or a line was not understood
  130  Ctrl+C
`

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
	flags := flag.NewFlagSet("chatclient", flag.ContinueOnError)
	flags.SetOutput(stderr)
	address := flags.String("addr", "127.0.0.1:11021", "`address` of the server, host:port")
	flags.Usage = func() { fmt.Fprint(stderr, usageText) }
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "chatclient: unexpected argument %q\n", flags.Arg(0))
		return exitUsage
	}
	if _, _, err := net.SplitHostPort(*address); err != nil {
		fmt.Fprintf(stderr, "chatclient: option --addr is %q, allowed is host:port\n", *address)
		return exitUsage
	}

	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt)
	defer release()
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, "tcp", *address)
	if err != nil {
		if ctx.Err() != nil {
			return exitInterrupted
		}
		fmt.Fprintf(stderr, "chatclient: no connection to %s: %v\n", *address, err)
		return exitError
	}
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	terminal := openTerminal(stdin, stdout, interrupt)
	if terminal == nil {
		return newSession(conn, stdout, stderr).runScript(ctx, stdin)
	}
	defer terminal.close()
	// A signal that would end the program would leave the terminal raw.
	ctx, releaseMore := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP)
	defer releaseMore()
	if covers(stderr) {
		stderr = terminal
	}
	session := newSession(conn, terminal, stderr)
	session.printf("Connected to %s. /help lists the commands.", *address)
	inputErrors := make(chan error, 1)
	go func() { inputErrors <- terminal.readKeys(terminal.keyboard) }() // it stays behind in its read
	return session.run(ctx, terminal.lines, inputErrors)
}
