package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A family is what a server is compared as.
type family string

const (
	familyNative  family = "native"     // this project with its native core
	familyGoCore  family = "go core"    // this project with the core in pure Go
	familyDoors   family = "doors"      // this project with its native core, measured there, and every door open beside it
	familyGo      family = "Go peer"    // another Go program that handles messages where it reads them
	familyGoLogic family = "Go logic"   // another Go program with one logic goroutine
	familyKernel  family = "one thread" // C++ with one thread: what the kernel allows
	familyBook    family = "book"       // the original of the book, which --original names
)

// How a server does its I/O, as far as it matters to the goals.
const (
	ioEpoll = "epoll"
	ioURing = "io_uring"
	ioIOCP  = "iocp"
)

// server is one line of the tables. In its commands {programs}, {windows} and {peers} stand for the folders of the
// programs, {wine} for what runs a Windows program, {core} for the native core that was asked for, and {certificate} for
// the folder of a certificate.
type server struct {
	Name   string
	Family family
	IO     string // ioEpoll or ioURing; "": does not matter
	Echo   string // the command of a server of echo and idle rows
	Chat   string // the command of a server of room rows
	Door   string // by which chatbench comes in; "": tcp
}

// What this project's servers are told in every row: no limits that the load would reach, and no log lines of info.
const (
	ourEcho = "{programs}/echoserver --port 0 --log-level warn --login-timeout 0s --max-connections 11000"
	ourChat = "{programs}/chatserver --port 0 --log-level warn --login-timeout 0s --max-connections 11000" +
		" --max-packet-rate 0 --max-byte-rate 0 --start-room 0 --max-rooms 1000 --max-room-users 1000"
)

// servers are all that can be measured on Linux, in the order of the tables.
var servers = []server{
	ours(uring0, familyNative, ioURing, "--core {core} --io io_uring --io-threads 0"),
	ours("native-uring-1", familyNative, ioURing, "--core {core} --io io_uring --io-threads 1"),
	ours("native-uring-2", familyNative, ioURing, "--core {core} --io io_uring --io-threads 2"),
	ours(epoll0, familyNative, ioEpoll, "--core {core} --io epoll --io-threads 0"),
	ours("native-epoll-1", familyNative, ioEpoll, "--core {core} --io epoll --io-threads 1"),
	ours("native-epoll-2", familyNative, ioEpoll, "--core {core} --io epoll --io-threads 2"),
	ours(openHouse(uring0), familyDoors, ioURing, "--core {core} --io io_uring --io-threads 0"+allDoors),
	ours(openHouse(epoll0), familyDoors, ioEpoll, "--core {core} --io epoll --io-threads 0"+allDoors),
	ours("go-core", familyGoCore, "", "--core go"),
	behind("tls"),
	behind("ws"),
	behind("wss"),
	peer("go-net", familyGo, "", "gopeer --peer net"),
	peer("go-gnet", familyGo, "", "gopeer --peer gnet"),
	peer("go-net-logic", familyGoLogic, "", "gopeer --peer net-logic"),
	peer("go-gnet-logic", familyGoLogic, "", "gopeer --peer gnet-logic"),
	peer(epollPeer, familyKernel, ioEpoll, "EpollPeer"),
	peer(uringPeer, familyKernel, ioURing, "IoUringPeer"),
}

// allDoors are the options that open them, nobody comes in by.
const allDoors = " --tls-port 0 --ws-port 0 --wss-port 0 --tls-cert {certificate}/cert.pem --tls-key {certificate}/key.pem"

// openHouse is the name of a server with every door open.
func openHouse(server string) string { return server + "-doors" }

// wineServers are Windows programs, which run under Wine.
var wineServers = []server{
	underWine("native-iocp-0", familyNative, ioIOCP, "--io-threads 0"),
	underWine("native-iocp-1", familyNative, ioIOCP, "--io-threads 1"),
	underWine("native-iocp-3", familyNative, ioIOCP, "--io-threads 3"),
	underWine("go-core", familyGoCore, "", "--core go"),
}

// The servers that the goals name.
const (
	uring0     = "native-uring-0"
	epoll0     = "native-epoll-0"
	bookServer = "original"
	epollPeer  = "cpp-epoll"
	uringPeer  = "cpp-uring"
)

func ours(name string, family family, io, options string) server {
	return server{Name: name, Family: family, IO: io, Echo: ourEcho + " " + options, Chat: ourChat + " " + options}
}

// behind is a server with only one door open, which the load comes in by.
func behind(door string) server {
	s := ours("door-"+door, familyGoCore, "", "--port -1 --"+door+"-port 0 --tls-cert {certificate}/cert.pem "+
		"--tls-key {certificate}/key.pem")
	s.Door = door
	return s
}

func peer(name string, family family, io, command string) server {
	command = "{peers}/" + command + " --port 0"
	return server{Name: name, Family: family, IO: io, Echo: command + " --mode echo", Chat: command + " --mode chat"}
}

func underWine(name string, family family, io, options string) server {
	command := "{wine} " + strings.ReplaceAll(ourEcho, "{programs}/echoserver", "{windows}/echoserver.exe") + " " + options
	return server{Name: name, Family: family, IO: io, Echo: command}
}

// isOurs tells whether the server is one of this project.
func (s *server) isOurs() bool {
	return s.Family == familyNative || s.Family == familyGoCore || s.Family == familyDoors
}

// places are what the commands of servers refer to.
type places struct {
	Programs string // folder of echoserver and chatserver
	Windows  string // folder of echoserver.exe
	Wine     string // the program that runs those
	Peers    string // folder of the peers
	Core     string // what --core takes

	Certificate string // folder of cert.pem and key.pem
}

// command is the program and the arguments that serve a row.
func (s *server) command(workload workload, at places) []string {
	text := s.Chat
	if workload != workloadRoom {
		text = s.Echo
	}
	fields := strings.Fields(text) // before the folders come in, which may have spaces
	for i, field := range fields {
		switch field {
		case "{core}":
			fields[i] = at.Core
		case "{wine}":
			fields[i] = at.Wine
		default:
			if name, ok := strings.CutPrefix(field, "{certificate}/"); ok {
				fields[i] = filepath.Join(at.Certificate, name)
			} else if name, ok := strings.CutPrefix(field, "{programs}/"); ok {
				fields[i] = filepath.Join(at.Programs, name)
			} else if name, ok := strings.CutPrefix(field, "{windows}/"); ok {
				fields[i] = filepath.Join(at.Windows, name)
			} else if name, ok := strings.CutPrefix(field, "{peers}/"); ok {
				fields[i] = filepath.Join(at.Peers, name)
			}
		}
	}
	return fields
}

// choose gives those of all whose names are in the comma-separated list, in the order of all; "": all of them.
func choose[T any](all []T, name func(T) string, list string) ([]T, error) {
	if list == "" {
		return all, nil
	}
	var chosen []T
	wanted := strings.Split(list, ",")
	for _, one := range wanted {
		if !slices.ContainsFunc(all, func(t T) bool { return name(t) == one }) {
			var names []string
			for _, t := range all {
				names = append(names, name(t))
			}
			return nil, fmt.Errorf("there is no %q; there are %s", one, strings.Join(names, ", "))
		}
	}
	for _, t := range all {
		if slices.Contains(wanted, name(t)) {
			chosen = append(chosen, t)
		}
	}
	return chosen, nil
}
