package chatbench

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/internal/doorclient"
)

const usageText = `Chatbench puts a server under the load that a scenario describes, checks every reply, and measures.

Usage: chatbench [options] SCENARIO.toml

`

// options are what the command line says.
type options struct {
	flags         *flag.FlagSet
	scenario      string // path
	address       string
	door          load.Door
	tlsCA         string // path; empty: not given
	tlsInsecure   bool
	pid           int // 0: not given
	countSyscalls bool
	json, svg     string
	quiet         bool

	overrides []func(*scenario.Scenario) // values that replace those of the file
}

func newOptions() *options {
	o := &options{flags: flag.NewFlagSet("chatbench", flag.ContinueOnError)}
	o.flags.SetOutput(io.Discard) // the error is told once, without the list of options
	o.flags.StringVar(&o.address, "address", "127.0.0.1:11021", "`host:port` of the server")
	o.flags.Func("door", "`door` of the server that is there: tcp, tls, ws or wss (default tcp)", func(text string) (err error) {
		o.door.Kind, err = doorclient.ParseKind(text)
		return err
	})
	o.flags.StringVar(&o.tlsCA, "tls-ca", "", "`file` with the certificates that the server's has to lead to, in PEM; \"\": "+
		"those of the system")
	o.flags.BoolVar(&o.tlsInsecure, "tls-insecure", false, "take any certificate of the server")
	o.flags.Func("pid", "process `id` of a server on this machine: its processor time and memory are measured",
		func(text string) (err error) {
			if o.pid, err = strconv.Atoi(text); err != nil || o.pid < 1 {
				return errors.New("allowed is the id of a process")
			}
			return nil
		})
	o.flags.BoolVar(&o.countSyscalls, "count-syscalls", false,
		"count the server's system calls, too, with the program perf; needs --pid")
	o.flags.StringVar(&o.json, "json", "", "`file` for the result as JSON; -: standard output, instead of the table")
	o.flags.StringVar(&o.svg, "svg", "", "`file` for a picture of the latencies")
	o.flags.BoolVar(&o.quiet, "quiet", false, "write no progress to standard error")

	o.overrideInt("connections", "`number` of connections of echo and idle",
		func(s *scenario.Scenario) *int { return &s.Connections })
	o.overrideInt("in-flight", "`number` of packets of a connection, or chats of a room, that wait for their answer",
		func(s *scenario.Scenario) *int { return &s.InFlight })
	o.overrideInt("size", "`bytes` of a packet of echo", func(s *scenario.Scenario) *int { return &s.Size })
	o.overrideInt("rooms", "`number` of rooms", func(s *scenario.Scenario) *int { return &s.Rooms })
	o.overrideInt("members", "`number` of members of each room", func(s *scenario.Scenario) *int { return &s.Members })
	o.overrideInt("first-room", "`number` of the first room", func(s *scenario.Scenario) *int { return &s.FirstRoom })
	o.overrideFloat("rate", "`number` of packets, chats or actions a second; 0: whatever is answered is followed by the "+
		"next", func(s *scenario.Scenario) *float64 { return &s.Rate })
	o.overrideTime("warmup", "`time` before the measured time", func(s *scenario.Scenario) *scenario.Duration {
		return &s.Warmup
	})
	o.overrideTime("duration", "the measured `time`", func(s *scenario.Scenario) *scenario.Duration { return &s.Duration })
	return o
}

// ofScenario is the end of the description of an option that replaces a value of the scenario.
const ofScenario = " (default that of the scenario)"

func (o *options) overrideInt(name, usage string, field func(*scenario.Scenario) *int) {
	o.flags.Func(name, usage+ofScenario, func(text string) error {
		value, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("allowed is a whole number")
		}
		o.overrides = append(o.overrides, func(s *scenario.Scenario) { *field(s) = value })
		return nil
	})
}

func (o *options) overrideFloat(name, usage string, field func(*scenario.Scenario) *float64) {
	o.flags.Func(name, usage+ofScenario, func(text string) error {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return errors.New("allowed is a number")
		}
		o.overrides = append(o.overrides, func(s *scenario.Scenario) { *field(s) = value })
		return nil
	})
}

func (o *options) overrideTime(name, usage string, field func(*scenario.Scenario) *scenario.Duration) {
	o.flags.Func(name, usage+ofScenario, func(text string) error {
		value, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("allowed is a time such as 1500ms or 5s")
		}
		o.overrides = append(o.overrides, func(s *scenario.Scenario) { field(s).Duration = value })
		return nil
	})
}

// parse reads the command line. Options may also follow the scenario. It returns flag.ErrHelp when help was asked for.
func (o *options) parse(arguments []string) error {
	for {
		if err := o.flags.Parse(arguments); err != nil {
			return err
		}
		if o.flags.NArg() == 0 {
			break
		}
		if o.scenario != "" {
			return fmt.Errorf("unexpected argument %q", o.flags.Arg(0))
		}
		o.scenario, arguments = o.flags.Arg(0), o.flags.Args()[1:]
	}
	if o.scenario == "" {
		return errors.New("which scenario? chatbench --help tells more")
	}
	if _, _, err := net.SplitHostPort(o.address); err != nil {
		return fmt.Errorf("option --address is %q, allowed is host:port", o.address)
	}
	if o.countSyscalls && o.pid == 0 {
		return errors.New("option --count-syscalls needs --pid")
	}
	return o.trust()
}

// trust says whom the clients of doors with TLS trust.
func (o *options) trust() error {
	if !o.door.Kind.TLS {
		if o.tlsCA != "" || o.tlsInsecure {
			return errors.New("options --tls-ca and --tls-insecure need --door tls or wss")
		}
		return nil
	}
	host, _, _ := net.SplitHostPort(o.address) // it was checked
	o.door.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	o.door.TLS.InsecureSkipVerify = o.tlsInsecure
	if o.tlsCA == "" {
		return nil
	}
	certificates, err := os.ReadFile(o.tlsCA)
	if err != nil {
		return fmt.Errorf("option --tls-ca: %w", err)
	}
	o.door.TLS.RootCAs = x509.NewCertPool()
	if !o.door.TLS.RootCAs.AppendCertsFromPEM(certificates) {
		return fmt.Errorf("option --tls-ca is %q, allowed is a file with certificates in PEM", o.tlsCA)
	}
	return nil
}

// doorAddress is the address as results show it, with the door unless that is plain TCP.
func (o *options) doorAddress() string {
	if o.door.Kind.IsPlain() {
		return o.address
	}
	return o.door.Kind.String() + "://" + o.address
}

// readScenario reads the scenario, replaces what the command line does, and checks it.
func (o *options) readScenario() (*scenario.Scenario, error) {
	s, err := scenario.Read(o.scenario)
	if err != nil {
		return nil, err
	}
	for _, override := range o.overrides {
		override(s)
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", o.scenario, err)
	}
	return s, nil
}

// writeHelp lists the options with two dashes, as the documentation does; one dash works too.
func (o *options) writeHelp(to io.Writer) {
	fmt.Fprint(to, usageText)
	o.flags.VisitAll(func(f *flag.Flag) {
		argument, usage := flag.UnquoteUsage(f)
		fmt.Fprintln(to, strings.TrimRight(fmt.Sprintf("  --%s %s", f.Name, argument), " "))
		fmt.Fprintf(to, "        %s", usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(to, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(to)
	})
}
