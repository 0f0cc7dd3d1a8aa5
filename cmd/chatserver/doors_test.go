package main

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
	"iocpnetlib/internal/scratchfolder"
	"iocpnetlib/internal/serverprocess"
)

// door is how the clients of a test come in: a kind of door, and the network core of the port for plain TCP, which is
// there in any case.
type door struct {
	kind doorclient.Kind
	core string
}

// The kinds of doors.
var (
	tcpDoor = doorclient.Kind{}
	tlsDoor = doorclient.Kind{TLS: true}
	wsDoor  = doorclient.Kind{WebSocket: true}
	wssDoor = doorclient.Kind{TLS: true, WebSocket: true}

	otherDoors = []doorclient.Kind{tlsDoor, wsDoor, wssDoor}
	allDoors   = []doorclient.Kind{tcpDoor, tlsDoor, wsDoor, wssDoor}
)

// onEveryDoor runs a test on plain TCP for each network core, and on each other kind of door. Those are the same Go code
// everywhere: all of them are tested on Linux with cgo, and the one that has everything wherever else the tests run.
func onEveryDoor(t *testing.T, test func(t *testing.T, d door)) {
	t.Helper()
	others := otherDoors
	if !nativeCore || runtime.GOOS != "linux" {
		others = []doorclient.Kind{wssDoor}
	}
	onDoors(t, others, test)
}

// onDoors is onEveryDoor with some of the other kinds.
func onDoors(t *testing.T, others []doorclient.Kind, test func(t *testing.T, d door)) {
	t.Helper()
	for _, core := range coresUnderTest() {
		t.Run(core.name, func(t *testing.T) { test(t, door{core: core.option}) })
	}
	for _, kind := range others {
		t.Run(kind.String(), func(t *testing.T) { test(t, door{kind, coresUnderTest()[0].option}) })
	}
}

// atOnce is for a test that mostly waits for time to pass: the doors wait together.
func atOnce(test func(t *testing.T, d door)) func(t *testing.T, d door) {
	return func(t *testing.T, d door) {
		t.Helper()
		t.Parallel()
		test(t, d)
	}
}

// start is startServer for a server that the clients of the door can reach.
func (d door) start(t *testing.T, arguments ...string) *serverProcess {
	t.Helper()
	if d.kind.IsPlain() {
		return startServer(t, d.core, arguments...)
	}
	server := startServer(t, d.core, append(doorOptions(t, d.kind), arguments...)...)
	server.door = d.kind
	return server
}

// doorOptions are the options of a server with these doors.
func doorOptions(t *testing.T, kinds ...doorclient.Kind) []string {
	t.Helper()
	options, err := testCertificate().Options(scratchfolder.New(t))
	require.NoError(t, err)
	for _, kind := range kinds {
		options = append(options, "--"+kind.String()+"-port", "0")
	}
	return options
}

// testCertificate is the one of all servers.
var testCertificate = sync.OnceValue(func() *serverprocess.Certificate {
	certificate, err := serverprocess.NewCertificate()
	if err != nil {
		panic(err)
	}
	return certificate
})

// hostPort is where a kind of door is.
func (s *serverProcess) hostPort(kind doorclient.Kind) string {
	s.t.Helper()
	if kind.IsPlain() {
		return fmt.Sprintf("127.0.0.1:%d", s.port)
	}
	ports, _ := s.awaitLine("ready")["ports"].(map[string]any)
	require.Contains(s.t, ports, kind.String())
	return fmt.Sprintf("127.0.0.1:%v", ports[kind.String()])
}

// addressOf is where clients of a kind of door come in, for dial: host:port, behind the kind unless it is plain TCP.
func (s *serverProcess) addressOf(kind doorclient.Kind) string {
	s.t.Helper()
	if kind.IsPlain() {
		return s.hostPort(kind)
	}
	return kind.String() + "://" + s.hostPort(kind)
}

// maxPacketSize is the server's default: whoever speaks WebSocket has to know what is a packet.
const maxPacketSize = 1024

// splitAddress takes apart what addressOf returns.
func splitAddress(t tester, address string) (kind doorclient.Kind, hostPort string) {
	t.Helper()
	name, hostPort, found := strings.Cut(address, "://")
	if !found {
		return kind, address
	}
	kind, err := doorclient.ParseKind(name)
	require.NoError(t, err)
	return kind, hostPort
}

// enter connects and does the handshakes of a door. Every later wait on the connection is bounded.
func enter(kind doorclient.Kind, hostPort string) (*doorclient.Socket, error) {
	conn, err := net.DialTimeout("tcp", hostPort, patience)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	return doorclient.Enter(conn.(*net.TCPConn), kind, testCertificate().Trust, maxPacketSize)
}
