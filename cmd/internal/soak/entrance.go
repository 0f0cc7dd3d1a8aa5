package soak

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"slices"
	"time"

	"iocpnetlib/cmd/internal/tcpdial"
	"iocpnetlib/internal/doorclient"
	"iocpnetlib/internal/serverprocess"
)

// entrance is where clients come in: one of the server's doors.
type entrance struct {
	kind    doorclient.Kind
	trust   *tls.Config // nil without TLS
	address string      // host:port, once the server is there
	longest int         // packet that the server allows; what is longer is no packet, see doorclient
	options []string    // that the server needs for it, beside those for plain TCP
	made    []string    // folder and files
}

// newEntrance makes a certificate if one is needed. Who calls it calls remove, also after an error.
func newEntrance(kind doorclient.Kind, longest int) (*entrance, error) {
	e := &entrance{kind: kind, longest: longest}
	if kind.IsPlain() {
		return e, nil
	}
	e.options = []string{"--" + kind.String() + "-port", "0"}
	if !kind.TLS {
		return e, nil
	}
	certificate, err := serverprocess.NewCertificate()
	if err != nil {
		return e, err
	}
	folder, err := os.MkdirTemp("", "chatsoak")
	if err != nil {
		return e, err
	}
	files, err := certificate.Options(folder)
	e.made = []string{folder, files[1], files[3]}
	e.trust = certificate.Trust
	e.options = append(e.options, files...)
	return e, err
}

// remove removes what newEntrance made; os.RemoveAll uses calls that Wine 8 does not know.
func (e *entrance) remove() {
	for _, path := range slices.Backward(e.made) {
		_ = os.Remove(path)
	}
}

// open looks for the door of a server that was started with the options.
func (e *entrance) open(server *serverprocess.Process) (err error) {
	e.address = server.Address()
	if !e.kind.IsPlain() {
		e.address, err = server.DoorAddress(e.kind.String())
	}
	return err
}

// dial connects and does the handshakes of the door. A machine that has run out of local ports gets time to free some.
func (e *entrance) dial(ctx context.Context, control tcpdial.Control) (*client, error) {
	conn, err := tcpdial.Dial(ctx, e.address, nil, control, patience)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	socket, err := doorclient.Enter(conn, e.kind, e.trust, e.longest)
	if err != nil {
		release()
		return nil, err
	}
	if !release() {
		return nil, errors.Join(ctx.Err(), socket.Close())
	}
	_ = conn.SetDeadline(time.Time{})
	return newClient(socket), nil
}

// knock connects and says nothing, not even a handshake.
func (e *entrance) knock(ctx context.Context) (*client, error) {
	conn, err := tcpdial.Dial(ctx, e.address, nil, nil, patience)
	if err != nil {
		return nil, err
	}
	socket, err := doorclient.Enter(conn, doorclient.Kind{}, nil, 0)
	return newClient(socket), err
}
