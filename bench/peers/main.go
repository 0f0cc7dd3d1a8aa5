// Gopeer is a server in the ways that a Go program would be written without this project: the other side of its
// benchmarks. --peer chooses how:
//
//   - net: a goroutine a connection, which handles what it reads and writes the answer itself
//   - net-logic: a goroutine a connection reads, one logic goroutine handles every message
//   - gnet: gnet's event loops, which handle what they read
//   - gnet-logic: gnet's event loops read, one logic goroutine handles every message
//
// Whoever handles messages writes once for each connection and turn, whatever came together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gopeer:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or SIGINT.
func run(arguments []string) error {
	flags := flag.NewFlagSet("gopeer", flag.ContinueOnError)
	peer := flags.String("peer", "net-logic", "`kind` of server: net, net-logic, gnet or gnet-logic")
	mode := flags.String("mode", "echo", "`work`: echo or chat")
	port := flags.Int("port", 0, "TCP `port`; 0: any free one")
	loops := flags.Int("event-loops", 1, "`number` of gnet's event loops, which read and write")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *mode != "echo" && *mode != "chat" {
		return fmt.Errorf("--mode is echo or chat, not %q", *mode)
	}
	if *port < 0 || *port > 65535 || *loops < 1 || *loops > 64 || flags.NArg() > 0 {
		return errors.New("a port is from 0 to 65535, event loops are from 1 to 64, and there are no other arguments")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	isChat := *mode == "chat"
	switch *peer {
	case "net":
		return serveNet(ctx, *port, isChat, false)
	case "net-logic":
		return serveNet(ctx, *port, isChat, true)
	case "gnet":
		if isChat && *loops != 1 {
			return errors.New("the rooms of --peer gnet have no locks: they need one event loop")
		}
		return serveGnet(ctx, *port, isChat, false, *loops)
	case "gnet-logic":
		return serveGnet(ctx, *port, isChat, true, *loops)
	}
	return fmt.Errorf("--peer is net, net-logic, gnet or gnet-logic, not %q", *peer)
}

// announce tells the port, in the one form that all peers have.
func announce(port int) { fmt.Printf("listening on port %d\n", port) }
