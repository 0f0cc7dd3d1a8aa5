package bridge_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/bridge/stream"
)

// doorPorts are where clients come in by the doors.
type doorPorts struct{ tls, wss int }

// withDoors makes one core of a core and two doors. The files are read again when they change.
func withDoors(core bridge.Core, certificate, key string, ports doorPorts, logger *zap.Logger) (bridge.Core, error) {
	certificates, err := stream.LoadCertificates(stream.TLSFiles{
		Certificate: certificate,
		Key:         key,
		MinVersion:  tls.VersionTLS12,
	}, logger)
	if err != nil {
		return nil, err
	}
	webSocket := &stream.WebSocket{
		Origins:      []string{"https://game.example"}, // pages of other servers than this one that may connect
		MaxMessage:   64 << 10,                         // bytes, and MaxPacketSize at least
		PingInterval: 30 * time.Second,
	}
	return bridge.Join(core, logger,
		bridge.Door{Name: "tls", Port: ports.tls, TLS: certificates.Config()},
		bridge.Door{Name: "wss", Port: ports.wss, TLS: certificates.Config(), WebSocket: webSocket},
	), nil
}

// A server whose clients come in by plain TCP, by TLS and by WebSocket in TLS; the logic does not know which.
func ExampleJoin() {
	folder, err := os.MkdirTemp("", "doors")
	if err != nil {
		fmt.Println(err)
		return
	}
	certificate, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	defer func() {
		_ = os.Remove(certificate)
		_ = os.Remove(key)
		_ = os.Remove(folder)
	}()
	trusted, err := makeCertificate(certificate, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	core, err := bridge.Open(bridge.CoreGo, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	core, err = withDoors(core, certificate, key, doorPorts{0, 0}, zap.NewNop()) // any free ports
	if err != nil {
		fmt.Println(err)
		return
	}
	config := bridge.DefaultConfig()
	config.BindAddress = "127.0.0.1"
	config.Port = 0
	if err := core.Start(config); err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(context.Background(), core, greeter{}) }()

	for _, door := range bridge.Doors(core) {
		fmt.Println(door.Name)
		switch door.Name {
		case bridge.DoorTCP:
			err = greet(door.Port, "alice")
		case "tls":
			err = greetOverTLS(door.Port, "bob", trusted)
		}
		if err != nil {
			fmt.Println(err)
		}
	}

	fmt.Println(core.BeginStop(), <-ended, core.Close())
	// Output:
	// tcp
	// id 7: hello, alice
	// tls
	// hello, bob
	// wss
	// <nil> <nil> <nil>
}

// makeCertificate writes one for trying out, and returns what clients have to trust.
func makeCertificate(certificate, key string) (*x509.CertPool, error) {
	certificateText, keyText, err := stream.SelfSigned([]string{"127.0.0.1"})
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificateText)
	if err := os.WriteFile(certificate, certificateText, 0o600); err != nil {
		return nil, err
	}
	return trusted, os.WriteFile(key, keyText, 0o600)
}

// greetOverTLS is a client: the same bytes, inside TLS.
func greetOverTLS(port int, name string, trusted *x509.CertPool) error {
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(packet(7, name)); err != nil {
		return err
	}
	answer := make([]byte, bridge.HeaderLength+len("hello, ")+len(name))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	fmt.Printf("%s\n", answer[bridge.HeaderLength:])
	return nil
}
