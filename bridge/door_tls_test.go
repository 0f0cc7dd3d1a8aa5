package bridge

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge/stream"
)

// Old versions of TLS, and suites that are broken or let recordings be read later, are refused.
func TestDoorRefusesWeakTLS(t *testing.T) {
	certificate := writeCertificate(t)
	files := stream.TLSFiles{Certificate: certificate.certificate, Key: certificate.key, MinVersion: tls.VersionTLS12,
		Protocols: []string{"packets"}}
	certificates, err := stream.LoadCertificates(files, nil)
	require.NoError(t, err)
	core := NewDoor(Door{Name: "tls", TLS: certificates.Config()}, nil)
	s := &subject{t: t, kind: testCore{door: tlsDoor}, core: core}
	s.start(testConfig())
	t.Cleanup(func() { assert.NoError(t, core.Close()) })
	try := func(config *tls.Config) (tls.ConnectionState, error) {
		config.RootCAs, config.ServerName = certificate.roots, "127.0.0.1"
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port())),
			config)
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer conn.Close()
		return conn.ConnectionState(), nil
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		state, err := try(&tls.Config{MinVersion: version, MaxVersion: version, NextProtos: []string{"other", "packets"}})
		require.NoError(t, err)
		require.Equal(t, version, state.Version)
		require.Equal(t, "packets", state.NegotiatedProtocol)
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		_, err := try(&tls.Config{MinVersion: version, MaxVersion: version})
		require.ErrorContains(t, err, "version", "%x", version)
	}
	// Every suite that Go's client knows.
	taken := 0
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		_, err := try(&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{suite.ID}}) //nolint:gosec // weak ones are what is tried
		isStrong := strings.Contains(suite.Name, "ECDHE_ECDSA") &&
			(strings.Contains(suite.Name, "GCM") || strings.Contains(suite.Name, "CHACHA20"))
		require.Equal(t, isStrong, err == nil, "%s: %v", suite.Name, err) // the certificate is ECDSA
		if err == nil {
			taken++
		}
	}
	require.Equal(t, 3, taken)
	_, err = try(&tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}})
	require.ErrorContains(t, err, "no application protocol")
}

func TestDoorClientCertificates(t *testing.T) {
	server, client := writeCertificate(t), writeCertificate(t)
	for _, optional := range []bool{false, true} {
		t.Run(fmt.Sprintf("optional=%v", optional), func(t *testing.T) {
			certificates, err := stream.LoadCertificates(stream.TLSFiles{Certificate: server.certificate, Key: server.key,
				ClientCA: client.certificate, ClientsMayHaveNone: optional, MinVersion: tls.VersionTLS13}, nil)
			require.NoError(t, err)
			core := NewDoor(Door{Name: "tls", TLS: certificates.Config()}, nil)
			s := &subject{t: t, kind: testCore{door: tlsDoor}, core: core}
			s.start(testConfig())
			t.Cleanup(func() { assert.NoError(t, core.Close()) })
			s.runLogic(echo)
			for _, try := range []struct {
				files *certificateFiles
				works bool
			}{{nil, optional}, {&client, true}, {&server, false}} {
				config := &tls.Config{RootCAs: server.roots, ServerName: "127.0.0.1"}
				if try.files != nil {
					pair, err := tls.LoadX509KeyPair(try.files.certificate, try.files.key)
					require.NoError(t, err)
					// Also one that the server does not ask for.
					config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
				}
				conn := tls.Client(s.dialBelow().socket.TCPConn, config)
				_, err := conn.Write(packetOf(1, nil))
				if err == nil {
					_, err = io.ReadFull(conn, make([]byte, HeaderLength))
				}
				require.Equal(t, try.works, err == nil, "%v", err)
			}
		})
	}
}
