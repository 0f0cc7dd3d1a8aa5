package bridge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
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
	return writePair(t, certificate, key)
}

// writeCertificateOf makes one for a key, that is good from a time until another.
func writeCertificateOf(t *testing.T, private crypto.Signer, begin, end time.Time) certificateFiles {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begin, NotAfter: end, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return writePair(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}

func writePair(t *testing.T, certificate, key []byte) certificateFiles {
	t.Helper()
	folder := scratchfolder.New(t)
	files := certificateFiles{filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"), x509.NewCertPool()}
	require.NoError(t, os.WriteFile(files.certificate, certificate, 0o600))
	require.NoError(t, os.WriteFile(files.key, key, 0o600))
	require.True(t, files.roots.AppendCertsFromPEM(certificate))
	return files
}

// replace makes the files those of another pair, the certificate first.
func (f certificateFiles) replace(t *testing.T, with certificateFiles) {
	t.Helper()
	copyFile(t, f.certificate, with.certificate)
	copyFile(t, f.key, with.key)
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o600))
}

// eventually asks until it is so: what happens by itself, when a client comes.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), what)
	}
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
	require.True(t, connects(first))
	require.False(t, connects(second))

	copyFile(t, first.certificate, second.certificate) // its key does not fit
	eventually(t, "it is told that the pair is wrong", func() bool {
		require.True(t, connects(first))
		return logs.FilterLevelExact(zapcore.ErrorLevel).Len() == 1
	})
	require.NoError(t, os.Remove(first.key))
	eventually(t, "it is told that the key is missing", func() bool {
		require.True(t, connects(first))
		return logs.FilterLevelExact(zapcore.ErrorLevel).Len() == 2
	})
	copyFile(t, first.key, second.key)
	eventually(t, "the second one is used", func() bool { return connects(second) })
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

// Clients refuse it, so whoever operates the server is told: at the start, and when it comes later.
func TestCertificatesOutOfTheirTime(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now().Truncate(time.Second)
	hour, day := now.Add(time.Hour), now.Add(24*time.Hour)
	good := writeCertificateOf(t, private, now.Add(-time.Hour), hour)
	for name, test := range map[string]struct {
		begin, end time.Time
		text       string
		field      zap.Field
	}{
		"ended":     {now.Add(-24 * time.Hour), now.Add(-time.Hour), "the certificate has expired", zap.Time("expires", now.Add(-time.Hour))},
		"not begun": {hour, day, "the certificate is not valid yet", zap.Time("valid_from", hour)},
	} {
		t.Run(name, func(t *testing.T) {
			bad := writeCertificateOf(t, private, test.begin, test.end)
			observed, logs := observer.New(zapcore.InfoLevel)
			files := stream.TLSFiles{Certificate: bad.certificate, Key: bad.key, MinVersion: tls.VersionTLS12}
			certificates, err := stream.LoadCertificates(files, zap.New(observed))
			require.NoError(t, err)
			warnings := func() []observer.LoggedEntry { return logs.FilterLevelExact(zapcore.WarnLevel).All() }
			told := func(entry observer.LoggedEntry) {
				t.Helper()
				require.Equal(t, test.text, entry.Message)
				fields := observer.LoggedEntry{Context: []zap.Field{zap.String("file", bad.certificate), test.field}}.ContextMap()
				for key, value := range entry.ContextMap() {
					if at, ok := value.(time.Time); ok {
						require.WithinDuration(t, fields[key].(time.Time), at, 0, key)
						continue
					}
					require.Equal(t, fields[key], value, key)
				}
				require.Len(t, entry.Context, len(fields))
			}
			require.Len(t, warnings(), 1)
			told(warnings()[0])

			comes := func(done func() bool) func() bool {
				return func() bool {
					_, err := certificates.Config().GetConfigForClient(nil)
					require.NoError(t, err)
					return done()
				}
			}
			again := writeCertificateOf(t, private, test.begin, test.end)
			bad.replace(t, good)
			eventually(t, "the good one is used", comes(func() bool { return certificates.Expires().Equal(hour) }))
			require.Len(t, warnings(), 1, "there is nothing to say of a good one")
			bad.replace(t, again)
			eventually(t, "the warning", comes(func() bool { return len(warnings()) == 2 }))
			told(warnings()[1])
		})
	}
}

// A key that no handshake would succeed with is none.
func TestCertificateOfASmallKey(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0") // else there would be none
	for bits, isGood := range map[int]bool{768: false, 1023: false, 1024: true} {
		private, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		files := writeCertificateOf(t, private, time.Now(), time.Now().Add(time.Hour))
		_, err = stream.LoadCertificates(stream.TLSFiles{Certificate: files.certificate, Key: files.key}, nil)
		if isGood {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, files.key)
		require.ErrorContains(t, err, "bits, and no handshake succeeds with fewer than 1024")
	}
}

func TestCertificateOfAnEncryptedKey(t *testing.T) {
	good := writeCertificate(t)
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte("a curve")})
	for name, block := range map[string]*pem.Block{
		"PKCS #8": {Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("whatever")},
		"the older way": {Type: "EC PRIVATE KEY", Bytes: []byte("whatever"), Headers: map[string]string{
			"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00112233445566778899AABBCCDDEEFF"}},
	} {
		require.NoError(t, os.WriteFile(good.key, append(parameters, pem.EncodeToMemory(block)...), 0o600))
		_, err := stream.LoadCertificates(stream.TLSFiles{Certificate: good.certificate, Key: good.key}, nil)
		require.ErrorContains(t, err, good.key+": the key is encrypted, and the server needs one without a passphrase", name)
	}
	require.NoError(t, os.WriteFile(good.key, parameters, 0o600))
	_, err := stream.LoadCertificates(stream.TLSFiles{Certificate: good.certificate, Key: good.key}, nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "encrypted")
}
