package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/term"
)

const usageText = `Chatsoak starts a chat server, puts it under load, checks every byte, and measures.

Usage: chatsoak SCENARIO [options] [-- options of chatserver]

  slow-reader   members' latency with and without clients that never read, in turns; the server's memory
  flood         members' latency with and without clients that send as fast as they can, in turns
  churn         connections that end in every way; handles, threads, memory and free slots before and after
  soak          all of these together for a long time; CSV, and a picture
  draw          draws the picture of a soak's CSV again

`

// The exit codes of chatsoak.
const (
	exitOK          = 0
	exitFailed      = 1 // a check failed, or the server did not start
	exitUsage       = 2
	exitInterrupted = 130 // Ctrl+C, and nothing was wrong until then
)

// Main runs chatsoak and returns its exit code.
func Main(arguments []string, stdout, stderr *os.File) int {
	if len(arguments) == 0 || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h" {
		config := DefaultConfig()
		fmt.Fprint(stdout, usageText)
		writeOptions(stdout, newFlags(&config))
		if len(arguments) == 0 {
			return exitUsage
		}
		return exitOK
	}
	config := DefaultConfig()
	config.setDefaultsOf(arguments[0])
	own := arguments[1:]
	for i, argument := range own {
		if argument == "--" {
			config.ServerArgs = own[i+1:]
			own = own[:i]
			break
		}
	}
	flags := newFlags(&config)
	err := flags.Parse(own)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usageText)
		writeOptions(stdout, flags)
		return exitOK
	}
	if err == nil {
		err = config.check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "chatsoak: %v\n", err)
		return exitUsage
	}
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	return run(ctx, arguments[0], &config, stdout, stderr)
}

// run runs a scenario and returns the exit code.
func run(ctx context.Context, name string, c *Config, stdout, stderr *os.File) int {
	if name == "draw" {
		return exitCode(drawFile(c), stderr)
	}
	scenario := map[string]func(context.Context, *Config, io.Writer) error{
		"slow-reader": SlowReader, "flood": Flood, "churn": Churn,
		"soak": func(ctx context.Context, c *Config, out io.Writer) error {
			return Soak(ctx, c, out, &Progress{To: out, Terminal: term.IsTerminal(int(stdout.Fd()))})
		},
	}[name]
	if scenario == nil {
		fmt.Fprintf(stderr, "chatsoak: there is no scenario %q; chatsoak help lists them\n", name)
		return exitUsage
	}
	if c.Server == "" {
		path, err := besideThis("chatserver")
		if err != nil {
			return exitCode(err, stderr)
		}
		c.Server = path
	}
	fmt.Fprintf(stdout, "chatsoak %s: core %s, door %s, seed %d, %d rooms of %d members at %g chats/s each", name, c.Core,
		c.Door, c.Seed, c.Rooms, c.Members, c.Rate)
	if len(c.ServerArgs) > 0 {
		fmt.Fprintf(stdout, ", server options %s", strings.Join(c.ServerArgs, " "))
	}
	fmt.Fprintln(stdout)
	err := scenario(ctx, c, stdout)
	if err == nil {
		fmt.Fprintln(stdout, "Every check passed.")
	}
	return exitCode(err, stderr)
}

// exitCode tells an error, and returns the exit code that goes with it.
func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "chatsoak: stopped before its end; nothing was wrong until then")
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "chatsoak: %v\n", err)
	return exitFailed
}

func drawFile(c *Config) error {
	if c.CSV == "" || c.SVG == "" {
		return errors.New("draw needs --csv and --svg")
	}
	records, err := readRecords(c.CSV)
	if err != nil {
		return err
	}
	return Draw(records, c.SVG)
}

// besideThis is the path of a program in the folder of this one.
func besideThis(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no %s beside this program; --server names another: %w", name, err)
	}
	return path, nil
}

// writeOptions lists the options with two dashes, as the documentation does; one dash works too.
func writeOptions(to io.Writer, flags *flag.FlagSet) {
	flags.VisitAll(func(f *flag.Flag) {
		argument, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(to, "  --%s %s\n        %s", f.Name, argument, usage)
		if f.DefValue != "" {
			fmt.Fprintf(to, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(to)
	})
}
