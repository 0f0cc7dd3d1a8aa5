package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/failures"
	"iocpnetlib/cmd/internal/processusage"
	"iocpnetlib/internal/serverprocess"
)

// strangersRoom is how many places a room has beyond its members: for hostile clients, also those that the server has
// not noticed the end of yet.
const strangersRoom = 200

// session is one run of a scenario: a server of its own, its watch, and what is wrong.
type session struct {
	config  *Config
	checks  *failures.List
	out     io.Writer
	server  *serverprocess.Process
	maximum int // --max-connections of the server, of each door
	// adminURL is where the server's admin page is.
	adminURL string

	entrance *entrance

	ctx    context.Context // ends with the caller's, with the server, and with the first failure
	cancel context.CancelFunc
	caller context.Context
	logTo  *os.File
}

// begin starts the server.
func begin(ctx context.Context, c *Config, out io.Writer) (s *session, err error) {
	s = &session{config: c, checks: failures.NewList(), out: out, caller: ctx}
	s.entrance, err = newEntrance(c.Door, s.serverOption("max-packet-size", bridge.DefaultConfig().MaxPacketSize))
	defer func() {
		if err != nil {
			s.entrance.remove()
		}
	}()
	if err != nil {
		return nil, err
	}
	s.maximum = max(1000, c.Rooms*c.Members+strangersRoom)
	arguments := append([]string{"--port", "0", "--bind", "127.0.0.1", "--core", c.Core, "--admin", "127.0.0.1:0",
		"--max-connections", strconv.Itoa(s.maximum),
		"--max-rooms", strconv.Itoa(max(100, c.Rooms)),
		"--max-room-users", strconv.Itoa(c.Members + strangersRoom)}, s.entrance.options...)
	arguments = append(arguments, c.ServerArgs...)
	s.maximum = s.serverOption("max-connections", s.maximum)
	if c.ServerLog != "" {
		file, err := os.Create(c.ServerLog)
		if err != nil {
			return nil, err
		}
		s.logTo = file
	}
	log := serverprocess.NewLog(nil)
	if s.logTo != nil {
		log = serverprocess.NewLog(s.logTo)
	}
	server, err := serverprocess.Start(log, c.Server, arguments, c.ServerEnv...)
	if err != nil {
		return nil, err
	}
	if err := s.entrance.open(server); err != nil {
		return nil, errors.Join(err, server.Stop(patience))
	}
	if s.adminURL, err = server.AdminURL(); err != nil {
		return nil, errors.Join(err, server.Stop(patience))
	}
	s.server = server
	s.ctx, s.cancel = context.WithCancel(ctx)
	go func() {
		select {
		case <-server.Done():
			s.checks.Add("the server ended by itself; its log ends with:\n%s", server.Log().Tail())
		case <-s.checks.Any():
		case <-s.ctx.Done():
		}
		s.cancel()
	}()
	return s, nil
}

// serverOption is the value of a number among the server's further options.
func (s *session) serverOption(name string, value int) int {
	arguments := s.config.ServerArgs
	for i, argument := range arguments {
		text, found := strings.CutPrefix(argument, "--"+name+"=")
		if !found && argument == "--"+name && i+1 < len(arguments) {
			text, found = arguments[i+1], true
		}
		if number, err := strconv.Atoi(text); found && err == nil {
			value = number
		}
	}
	return value
}

func (s *session) sendBuffer() int {
	return s.serverOption("send-buffer", bridge.DefaultConfig().SendBufferSize)
}

func (s *session) usage() processusage.Usage {
	u, err := processusage.Read(s.server.PID())
	if err != nil {
		s.checks.Add("the server cannot be watched: %v", err)
	}
	return u
}

// settled waits until no client has a place and the server has as many sockets as before, and returns what it uses then;
// or what it uses when patience is over.
func (s *session) settled(before processusage.Usage) processusage.Usage {
	s.awaitEmpty()
	limit := time.Now().Add(patience)
	for {
		u := s.usage()
		if !u.Available || u.Sockets == before.Sockets || time.Now().After(limit) || !pause(s.ctx, 20*time.Millisecond) {
			return u
		}
	}
}

// end stops the server, adds what is wrong with that, tells what the server has counted, and returns an *Failure if
// anything at all was wrong.
func (s *session) end() error {
	s.cancel()
	defer s.entrance.remove()
	if s.logTo != nil {
		defer s.logTo.Close()
	}
	log := s.server.Log()
	if err := s.server.Stop(patience); err != nil {
		s.checks.Add("%v; its log ends with:\n%s", err, log.Tail())
	} else if log.Totals() == nil {
		s.checks.Add("the server did not log its totals; its log ends with:\n%s", log.Tail())
	}
	for _, line := range log.Errors() {
		s.checks.Add("the server has logged an error: %s", line)
	}
	if totals := log.Totals(); totals != nil {
		fmt.Fprintf(s.out, "\nThe server's totals: %s\n", formatTotals(totals))
	}
	if first, count := s.checks.First(); count > 0 {
		return &Failure{first, count}
	}
	return s.caller.Err()
}

// formatTotals lists the fields of the summary in the order that matters, and leaves out the log's own.
func formatTotals(totals map[string]any) string {
	var parts []string
	for _, name := range []string{"connections_accepted", "connections_refused", "logins", "chats", "notifications",
		"packets_received", "packets_sent", "bytes_discarded", "unknown_packets", "requests_refused", "closed",
		"violations"} {
		if value, found := totals[name]; found {
			if number, ok := value.(float64); ok {
				value = strconv.FormatFloat(number, 'f', -1, 64)
			}
			parts = append(parts, fmt.Sprintf("%s %v", name, strings.TrimPrefix(fmt.Sprint(value), "map")))
		}
	}
	return strings.Join(parts, ", ")
}

// Failure says what was wrong.
type Failure struct {
	First []string // the first ones
	Count int      // of all
}

func (f *Failure) Error() string {
	text := fmt.Sprintf("%d checks failed:\n  %s", f.Count, strings.Join(f.First, "\n  "))
	if f.Count > len(f.First) {
		text += fmt.Sprintf("\n  and %d more", f.Count-len(f.First))
	}
	return text
}

// fillSlots proves that every slot of the server is free: as many connections as it may have are accepted and
// answered, and one more is not. In the end all are closed, and the server has noticed.
func (s *session) fillSlots() error {
	clients := make([]*client, 0, s.maximum)
	defer func() {
		for _, c := range clients {
			_ = c.conn.CloseWrite()
		}
		for _, c := range clients {
			_, _, _ = c.next() // its end
			c.close()
		}
	}()
	proof := enterRequest(nil, 0)
	answer := enterResponse(chat.ResultEnterRoomNotFoundUser)
	for range s.maximum {
		c, err := s.entrance.dial(s.ctx, nil)
		if err != nil {
			return fmt.Errorf("connection %d of %d: %w", len(clients)+1, s.maximum, err)
		}
		clients = append(clients, c)
		c.setDeadline()
		if _, err := c.conn.Write(proof); err != nil {
			return fmt.Errorf("connection %d of %d: %w", len(clients), s.maximum, err)
		}
		if err := c.expect(answer); err != nil {
			return fmt.Errorf("connection %d of %d was not answered: %w", len(clients), s.maximum, err)
		}
	}
	c, err := s.entrance.dial(s.ctx, nil)
	if err != nil {
		return nil // refused even earlier
	}
	defer c.close()
	c.setDeadline()
	_, _ = c.conn.Write(proof)
	if _, _, err := c.next(); err == nil {
		return fmt.Errorf("connection %d was answered, where %d may be", s.maximum+1, s.maximum)
	}
	return nil
}
