package stream

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// TLSFiles says what a door does TLS with.
type TLSFiles struct {
	Certificate string // PEM: the server's certificate, then those that lead to its root
	Key         string // PEM: its private key
	// ClientCA is a file of PEM certificates: clients have to show one that leads to one of these. Empty: none is asked for.
	ClientCA string
	// ClientsMayHaveNone lets clients without a certificate in; one that is shown has to be good all the same.
	ClientsMayHaveNone bool
	MinVersion         uint16   // tls.VersionTLS12 or tls.VersionTLS13
	Protocols          []string // for ALPN, the preferred one first
}

// fileCheckPeriod is how often the files are looked at, at most, when clients come.
const fileCheckPeriod = time.Second

// Certificates is TLSFiles as they are now: changed files are taken over for the next handshake, and if they are wrong
// (a key for another certificate, because only one of them has been written yet) the last good ones stay. Any goroutine.
type Certificates struct {
	files  TLSFiles
	logger *zap.Logger

	mutex   sync.Mutex
	config  *tls.Config
	expires time.Time
	seen    []fileState
	checked time.Time
	failing string // what was said last about files that are wrong
	isBusy  bool   // somebody reads the files
}

// fileState changes with a file's content, as far as its folder tells.
type fileState struct {
	info os.FileInfo // nil if it is not there
}

func (s fileState) is(other fileState) bool {
	if s.info == nil || other.info == nil {
		return s.info == other.info
	}
	return os.SameFile(s.info, other.info) && s.info.Size() == other.info.Size() && s.info.ModTime().Equal(other.info.ModTime())
}

// LoadCertificates reads the files. It logs to logger when they change later, and when the certificate has ended or has
// not begun; nil means no log.
func LoadCertificates(files TLSFiles, logger *zap.Logger) (*Certificates, error) {
	if logger == nil {
		logger = zap.NewNop()
	}
	c := &Certificates{files: files, logger: logger, seen: files.look(), checked: time.Now()}
	config, leaf, err := files.load()
	if err != nil {
		return nil, err
	}
	c.config, c.expires = config, leaf.NotAfter
	c.warnOfDates(leaf)
	return c, nil
}

// Config is for tls.Server: each handshake uses the files as they are then.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{
		MinVersion:         c.files.MinVersion,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current(), nil },
	}
}

// Expires is when the server's certificate ends.
func (c *Certificates) Expires() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.expires
}

func (c *Certificates) current() *tls.Config {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= fileCheckPeriod && !c.isBusy {
		c.checked = now
		c.reloadLocked()
	}
	return c.config
}

// reloadLocked takes over files that have changed. With the mutex, but not while the files are read: other handshakes use
// what there is.
func (c *Certificates) reloadLocked() {
	before := c.seen
	c.isBusy = true
	c.mutex.Unlock()
	seen := c.files.look()
	isSame := slices.EqualFunc(seen, before, fileState.is)
	var config *tls.Config
	var leaf *x509.Certificate
	var err error
	if !isSame {
		config, leaf, err = c.files.load()
	}
	c.mutex.Lock()
	c.isBusy = false
	if isSame {
		return
	}
	if err != nil {
		// They stay unseen: the other one of a pair may be on its way, in the same moment of the file system's clock.
		if text := err.Error(); text != c.failing {
			c.failing = text
			c.logger.Error("the changed certificate is not used: "+text, zap.String("file", c.files.Certificate))
		}
		return
	}
	c.config, c.expires, c.seen, c.failing = config, leaf.NotAfter, seen, ""
	c.logger.Info("certificate reloaded", zap.String("file", c.files.Certificate), zap.Time("expires", leaf.NotAfter))
	c.warnOfDates(leaf)
}

// warnOfDates says that clients refuse the certificate now. It is used all the same: it may begin soon, and a computer's
// clock may be wrong.
func (c *Certificates) warnOfDates(leaf *x509.Certificate) {
	file := zap.String("file", c.files.Certificate)
	switch now := time.Now(); {
	case now.After(leaf.NotAfter):
		c.logger.Warn("the certificate has expired", file, zap.Time("expires", leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		c.logger.Warn("the certificate is not valid yet", file, zap.Time("valid_from", leaf.NotBefore))
	}
}

func (f *TLSFiles) look() []fileState {
	var states []fileState
	for _, path := range []string{f.Certificate, f.Key, f.ClientCA} {
		info, err := os.Stat(path)
		if err != nil {
			info = nil
		}
		states = append(states, fileState{info})
	}
	return states
}

// suites are those of TLS 1.2 that keep old recordings unreadable and check what they decrypt (RFC 9325, 4.2). TLS 1.3
// has no others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// minRSABits is the size of the smallest RSA key that crypto/rsa signs with (its section "Minimum key size").
const minRSABits = 1024

// load reads the files, and returns the server's certificate beside what is made of them.
func (f *TLSFiles) load() (*tls.Config, *x509.Certificate, error) {
	for _, path := range []string{f.Certificate, f.Key, f.ClientCA} {
		// A pipe would keep whoever reads it, and with it a handshake and the stop.
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return nil, nil, fmt.Errorf("%s is no regular file", path)
		}
	}
	pair, err := f.loadPair()
	if err != nil {
		return nil, nil, fmt.Errorf("certificate %s with key %s: %w", f.Certificate, f.Key, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   f.MinVersion,
		CipherSuites: suites,
		NextProtos:   f.Protocols,
		// A game's packets are small and wanted whole at once.
		DynamicRecordSizingDisabled: true,
	}
	if f.ClientCA != "" {
		text, err := os.ReadFile(f.ClientCA)
		if err != nil {
			return nil, nil, fmt.Errorf("client certificates: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return nil, nil, fmt.Errorf("client certificates: %w in %s", errNoCertificate, f.ClientCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
		if f.ClientsMayHaveNone {
			config.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	return config, pair.Leaf, nil
}

func (f *TLSFiles) loadPair() (pair tls.Certificate, err error) {
	certificate, err := os.ReadFile(f.Certificate)
	if err != nil {
		return pair, err
	}
	key, err := os.ReadFile(f.Key)
	if err != nil {
		return pair, err
	}
	pair, err = tls.X509KeyPair(certificate, key)
	if err != nil {
		if isEncryptedKey(key) { // it says no more than that it cannot read it
			err = errEncryptedKey
		}
		return pair, err
	}
	if private, ok := pair.PrivateKey.(*rsa.PrivateKey); ok && private.N.BitLen() < minRSABits {
		return pair, fmt.Errorf("the RSA key has %d bits, and no handshake succeeds with fewer than %d", private.N.BitLen(), minRSABits)
	}
	return pair, nil
}

// isEncryptedKey reports that the first private key of a PEM file, which is the one that counts, has a passphrase: as
// PKCS #8 (RFC 5958, 3) or in the older way (RFC 1421, 4.6.1).
func isEncryptedKey(text []byte) bool {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			return false
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" ||
				strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED")
		}
	}
}

var (
	errNoCertificate = errors.New("no certificate")
	errEncryptedKey  = errors.New("the key is encrypted, and the server needs one without a passphrase")
)
