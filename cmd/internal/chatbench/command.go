// Package chatbench is the program chatbench: a load generator for servers of this project and of its peers.
package chatbench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/chatbench/report"
	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/cmd/internal/chatbench/serverwatch"
)

// The exit codes of chatbench.
const (
	exitOK          = 0
	exitFailed      = 1 // a reply was wrong, or the server was not there
	exitUsage       = 2
	exitInterrupted = 130 // Ctrl+C
)

// Main runs chatbench and returns its exit code.
func Main(arguments []string, stdout, stderr *os.File) int {
	o := newOptions()
	err := o.parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		o.writeHelp(stdout)
		return exitOK
	}
	var s *scenario.Scenario
	if err == nil {
		s, err = o.readScenario()
	}
	if err != nil {
		fmt.Fprintf(stderr, "chatbench: %v\n", err)
		return exitUsage
	}
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	var to io.Writer = stderr
	if o.quiet {
		to = io.Discard
	}
	progress := &progressLine{to: to, isTerminal: term.IsTerminal(int(stderr.Fd()))}
	err = run(ctx, o, s, progress, stdout, stderr)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "chatbench: stopped before its end")
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "chatbench: %v\n", err)
	return exitFailed
}

// errWrongReplies is what a run ends with whose result says what was wrong.
var errWrongReplies = errors.New("the server did not answer as it has to")

func run(ctx context.Context, o *options, s *scenario.Scenario, progress *progressLine, stdout, stderr io.Writer,
) error {
	loadOptions := load.Options{Address: o.address, Door: o.door, Progress: progress.show}
	if o.pid != 0 {
		watch, err := serverwatch.New(o.pid, o.countSyscalls)
		if err != nil {
			return err
		}
		defer watch.Close()
		loadOptions.Watch = watch
	}
	m, err := load.Run(ctx, s, loadOptions)
	progress.done()
	if err != nil {
		return err
	}
	if m.Server != nil && m.Server.SyscallsError != nil {
		fmt.Fprintf(stderr, "chatbench: system calls were not counted: %v\n", m.Server.SyscallsError)
	}
	result := report.New(s, o.doorAddress(), o.pid, m)
	if o.json != "" {
		if err := result.WriteJSON(o.json, stdout); err != nil {
			return err
		}
	}
	if o.json != "-" {
		result.WriteTable(stdout)
	}
	if o.svg != "" && result.Latency != nil {
		if err := report.Draw(result, m, o.svg); err != nil {
			return err
		}
	}
	if result.ErrorCount > 0 {
		return fmt.Errorf("%w; the first of %d errors: %s", errWrongReplies, result.ErrorCount, result.Errors[0])
	}
	return nil
}
