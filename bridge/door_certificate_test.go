package bridge

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/scratchfolder"
)

// certificateFiles is a self-signed pair on the disk, and who trusts it.
type certificateFiles struct {
	certificate, key string
	roots            *x509.CertPool
}

func writeCertificate(t *testing.T) certificateFiles {
	t.Helper()
	certificate, key, err := stream.SelfSigned([]string{"127.0.0.1", "localhost"})
	require.NoError(t, err)
	folder := scratchfolder.New(t)
	files := certificateFiles{filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"), x509.NewCertPool()}
	require.NoError(t, os.WriteFile(files.certificate, certificate, 0o600))
	require.NoError(t, os.WriteFile(files.key, key, 0o600))
	require.True(t, files.roots.AppendCertsFromPEM(certificate))
	return files
}

// A certificate that changes on the disk is the next client's, and what is wrong changes nothing.
func TestCertificatesAreReadAgain(t *testing.T) {
	first, second := writeCertificate(t), writeCertificate(t)
	observed, logs := observer.New(zapcore.InfoLevel)
	certificates, err := stream.LoadCertificates(stream.TLSFiles{Certificate: first.certificate, Key: first.key,
		MinVersion: tls.VersionTLS12}, zap.New(observed))
	require.NoError(t, err)
	core := NewDoor(Door{Name: "tls", TLS: certificates.Config()}, nil)
	s := &subject{t: t, kind: testCore{door: tlsDoor}, core: core}
	s.start(testConfig())
	t.Cleanup(func() { assert.NoError(t, core.Close()) })

	connects := func(trusted certificateFiles) bool {
		conn := tls.Client(s.dialBelow().socket.TCPConn, &tls.Config{RootCAs: trusted.roots, ServerName: "localhost"})
		return conn.Handshake() == nil
	}
	copyFile := func(to, from string) {
		content, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, content, 0o600))
	}
	eventually := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
			require.True(t, time.Now().Before(deadline), what)
		}
	}
	require.True(t, connects(first))
	require.False(t, connects(second))

	copyFile(first.certificate, second.certificate) // its key does not fit
	eventually("it is told that the pair is wrong", func() bool {
		require.True(t, connects(first))
		return logs.FilterLevelExact(zapcore.ErrorLevel).Len() == 1
	})
	require.NoError(t, os.Remove(first.key))
	eventually("it is told that the key is missing", func() bool {
		require.True(t, connects(first))
		return logs.FilterLevelExact(zapcore.ErrorLevel).Len() == 2
	})
	copyFile(first.key, second.key)
	eventually("the second one is used", func() bool { return connects(second) })
	require.False(t, connects(first))
	require.Equal(t, 1, logs.FilterMessage("certificate reloaded").Len())
	require.Equal(t, 2, logs.FilterLevelExact(zapcore.ErrorLevel).Len(), "what stays wrong is told once")
	require.WithinRange(t, certificates.Expires(), time.Now().AddDate(0, 6, 0), time.Now().AddDate(1, 1, 0))
}

func TestCertificatesThatCannotBeLoaded(t *testing.T) {
	good, other := writeCertificate(t), writeCertificate(t)
	for _, files := range []stream.TLSFiles{
		{Certificate: "no-such-file", Key: good.key},
		{Certificate: good.certificate, Key: "no-such-file"},
		{Certificate: good.certificate, Key: other.key},
		{Certificate: good.key, Key: good.key},
		{Certificate: good.certificate, Key: good.key, ClientCA: "no-such-file"},
		{Certificate: good.certificate, Key: good.key, ClientCA: good.key},
	} {
		_, err := stream.LoadCertificates(files, nil)
		require.Error(t, err)
	}
}
