// Runner measures the servers of this project beside others, row by row: scripts/build.sh bench scenarios builds and
// starts it. It starts each server, has chatbench load it, and stops it, for some rounds with the servers interleaved,
// and writes what came out as JSON and as the tables of docs/benchmarks.md. It works on Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	bench    bench
	plan     plan
	command  string // that led here
	json     string
	document string // "": none is written
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "runner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	o, err := parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	r := &results{Machine: thisMachine(), Begin: time.Now(), Rounds: o.plan.Rounds, Failures: []failure{},
		Command: o.command}
	for _, row := range o.plan.Rows {
		r.Rows = append(r.Rows, row.Name)
	}
	for _, s := range o.plan.Servers {
		r.Servers = append(r.Servers, s.Name)
	}
	o.plan.runAll(ctx, r, os.Stderr, o.bench.measure)

	if err := os.MkdirAll(filepath.Dir(o.json), 0o755); err != nil {
		return err
	}
	if err := r.writeJSON(o.json); err != nil {
		return err
	}
	made := sections(r, &o.plan)
	for _, name := range []string{"machine", "goals", "rows", "memory", "wine machine", "wine goals", "wine rows",
		"failures"} {
		if text, ok := made[name]; ok {
			fmt.Printf("%s\n", text)
		}
	}
	if ctx.Err() != nil {
		return errors.New("ended early: the document was not written")
	}
	if o.document != "" {
		return updateDocument(o.document, made)
	}
	return nil
}

// parse reads the command line.
func parse(arguments []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("runner", flag.ContinueOnError)
	rowList := flags.String("rows", "", "comma-separated `names` of rows (default all)")
	serverList := flags.String("servers", "", "comma-separated `names` of servers (default all)")
	flags.BoolVar(&o.plan.Wine, "wine", false, "measure the Windows programs under Wine")
	original := flags.String("original", "", "with --wine: `command` of the book's original echo server, or of any other;"+
		" like this project's it prints \"listening on port N\" and ends on SIGINT")
	flags.IntVar(&o.plan.Rounds, "rounds", 3, "`number` of rounds")
	flags.IntVar(&o.plan.SyscallRounds, "syscall-rounds", 1, "`number` of rounds in which system calls are counted")
	flags.DurationVar(&o.bench.Duration, "duration", 4*time.Second, "`time` that is measured in each run")
	flags.DurationVar(&o.bench.Warmup, "warmup", time.Second, "`time` before that")
	flags.StringVar(&o.bench.places.Core, "core", "auto", "`path` of the library of the native core")
	flags.StringVar(&o.bench.places.Programs, "programs", "build/bin", "`folder` of echoserver, chatserver, chatbench")
	flags.StringVar(&o.bench.places.Windows, "windows", "build/windows/bin", "`folder` of echoserver.exe")
	flags.StringVar(&o.bench.places.Wine, "wine-program", "scripts/wine-exec.sh", "`program` that runs those")
	flags.StringVar(&o.bench.places.Peers, "peers", "build/bench/bin", "`folder` of the peers")
	flags.StringVar(&o.bench.places.Certificate, "certificate", "build/bench/certificate",
		"`folder` of cert.pem and key.pem, for servers with every door open")
	flags.StringVar(&o.bench.Scenarios, "scenarios", "bench/scenarios", "`folder` of the scenarios")
	flags.StringVar(&o.command, "command", strings.Join(append([]string{"runner"}, arguments...), " "),
		"`command` that the document names as the one that was given")
	flags.StringVar(&o.json, "json", "build/bench/results.json", "`file` for the results")
	flags.StringVar(&o.document, "document", "",
		"`file` whose tables are replaced (default docs/benchmarks.md if all rows and servers are measured)")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.plan.Rounds < 1 || o.plan.SyscallRounds < 0 || o.bench.Duration <= 0 || o.bench.Warmup < 0 {
		return nil, errors.New("rounds are 1 at least, and times are not negative")
	}
	var err error
	allRows, allServers := rows, servers
	if o.plan.Wine {
		allRows, allServers = wineRows, wineServers
		o.plan.SyscallRounds = 0 // Wine's own are no figure of anybody's
	} else if *original != "" {
		return nil, errors.New("--original is for --wine")
	}
	if *original != "" {
		allServers = append(slices.Clone(allServers), server{Name: bookServer, Family: familyBook, Echo: *original})
	}
	if o.plan.Rows, err = choose(allRows, func(r row) string { return r.Name }, *rowList); err != nil {
		return nil, fmt.Errorf("--rows: %w", err)
	}
	if o.plan.Servers, err = choose(allServers, func(s server) string { return s.Name }, *serverList); err != nil {
		return nil, fmt.Errorf("--servers: %w", err)
	}
	// The tables of the document are of the whole, and of this project's own core.
	isWhole := *rowList == "" && *serverList == "" && o.bench.places.Core == "auto" && (!o.plan.Wine || *original != "")
	if o.document == "" && isWhole {
		o.document = "docs/benchmarks.md"
	}
	o.bench.Chatbench = filepath.Join(o.bench.places.Programs, "chatbench")
	return o, nil
}
