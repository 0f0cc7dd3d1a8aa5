package serverrun

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"iocpnetlib/bridge/stream"
)

// makeCertificate is the command that makes a self-signed certificate.
func (p *Program) makeCertificate(arguments []string, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet(p.Name+" certificate", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	hosts := flags.StringSlice("host", []string{"localhost", "127.0.0.1", "::1"}, "`names` and IP addresses that clients use")
	folder := flags.String("folder", ".", "`folder` for cert.pem and key.pem")
	force := flags.Bool("force", false, "overwrite what is there")
	err := flags.Parse(arguments)
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintf(stdout, "Makes a certificate for trying out TLS: self-signed, for a year.\n\nUsage: %s certificate [options]\n\n%s",
			p.Name, flags.FlagUsages())
		return ExitOK
	}
	if err == nil && (flags.NArg() > 0 || len(*hosts) == 0) {
		err = errors.New("unexpected argument, or no host")
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n%s certificate --help lists the options.\n", p.Name, err, p.Name)
		return ExitUsage
	}
	certificate, key := filepath.Join(*folder, "cert.pem"), filepath.Join(*folder, "key.pem")
	if err := writeSelfSigned(*hosts, certificate, key, *force); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return ExitError
	}
	fmt.Fprintf(stdout, "%s and %s are there, for %v. Nobody trusts them who was not told to: a browser warns.\n"+
		"Try: %s --wss-port 8443 --tls-cert %s --tls-key %s\n", certificate, key, *hosts, p.Name, certificate, key)
	return ExitOK
}

func writeSelfSigned(hosts []string, certificate, key string, force bool) error {
	certificateText, keyText, err := stream.SelfSigned(hosts)
	if err != nil {
		return err
	}
	if err := writeNew(certificate, certificateText, 0o644, force); err != nil {
		return err
	}
	return writeNew(key, keyText, 0o600, force)
}

// writeNew writes a file that must not be there yet, unless it is to be overwritten.
func writeNew(path string, text []byte, mode fs.FileMode, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	file, err := os.OpenFile(path, flags, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; --force overwrites it", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
