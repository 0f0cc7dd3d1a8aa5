package bridge

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/doorclient"
)

// The contract is run against doors as well, by clients that speak what the door does around the same bytes.

// testDoor is how clients reach a core through a door. The zero testDoor is plain TCP.
type testDoor struct {
	doorclient.Kind
	// beside: the door stands beside a native core that does its I/O inside Poll and has no client.
	beside bool
}

func (d testDoor) name() string {
	if d.beside {
		return "joined-" + d.Kind.String()
	}
	return d.Kind.String()
}

// doorsUnderTest are the doors that the contract is run against. They are the same Go code everywhere: all of them are
// tested on Linux with cgo, and the one that has everything wherever else the tests run.
func doorsUnderTest() []testCore {
	var doors []testDoor
	if nativeSupported && runtime.GOOS == "linux" {
		doors = append(doors, testDoor{Kind: doorclient.Kind{TLS: true}}, testDoor{Kind: doorclient.Kind{WebSocket: true}})
	}
	doors = append(doors, testDoor{Kind: doorclient.Kind{TLS: true, WebSocket: true}, beside: nativeSupported})
	var cores []testCore
	for _, door := range doors {
		cores = append(cores, testCore{name: door.name(), path: CoreAuto, door: door})
	}
	return cores
}

// testCertificate is for 127.0.0.1, and clients that trust it.
var testCertificate = sync.OnceValues(func() (server, client *tls.Config) {
	certificate, key, err := stream.SelfSigned([]string{"127.0.0.1", "::1", "localhost"})
	if err != nil {
		panic(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
})

func (d testDoor) open(t testing.TB, path string, logger *zap.Logger) Core {
	door := Door{Name: d.name()}
	if d.TLS {
		door.TLS, _ = testCertificate()
	}
	if d.WebSocket {
		door.WebSocket = &stream.WebSocket{MaxMessage: 1 << 20}
	}
	if !d.beside {
		return NewDoor(door, logger)
	}
	core, err := Open(path, logger)
	require.NoError(t, err)
	return Join(core, logger, door)
}

// port is where clients of the door connect.
func (d testDoor) port(core Core) int {
	doors := Doors(core)
	return doors[len(doors)-1].Port
}

// enter does the handshakes on a socket that has a deadline.
func (d testDoor) enter(socket *net.TCPConn, maxPacketSize int) (*doorclient.Socket, error) {
	_, config := testCertificate()
	return doorclient.Enter(socket, d.Kind, config, maxPacketSize)
}
