package serverprocess

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"

	"iocpnetlib/bridge/stream"
)

// Certificate is one of a server on the loopback interface that only its own clients trust.
type Certificate struct {
	// Trust is for clients.
	Trust *tls.Config

	certificate, key []byte // PEM
}

// NewCertificate makes one.
func NewCertificate() (*Certificate, error) {
	certificate, key, err := stream.SelfSigned([]string{"127.0.0.1", "::1", "localhost"})
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		return nil, errors.New("the certificate that was made is none")
	}
	return &Certificate{&tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, certificate,
		key}, nil
}

// Options are those of a server that has the certificate, which they write into a folder.
func (c *Certificate) Options(folder string) ([]string, error) {
	certificate, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	err := errors.Join(os.WriteFile(certificate, c.certificate, 0o600), os.WriteFile(key, c.key, 0o600))
	return []string{"--tls-cert", certificate, "--tls-key", key}, err
}
