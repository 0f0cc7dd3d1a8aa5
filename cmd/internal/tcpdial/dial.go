// Package tcpdial connects the clients of a load.
package tcpdial

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// retryPeriod is the time between two attempts when there is no local port.
const retryPeriod = 20 * time.Millisecond

// Control is what a kind of client does to its socket before it connects; nil for nothing.
type Control func(network, address string, raw syscall.RawConn) error

// Dial connects from a local address, nil: any. A machine that has run out of local ports gets time to free some,
// until patience is over. The system asks no silent connection whether its peer is still there: that would be load
// that nobody has ordered.
func Dial(ctx context.Context, address string, local *net.TCPAddr, control Control, patience time.Duration) (
	*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dialer := net.Dialer{Control: control, KeepAlive: -1}
	if local != nil {
		dialer.LocalAddr = local
	}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.(*net.TCPConn), nil
		}
		if !errors.Is(err, errNoLocalPort) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(retryPeriod):
		}
	}
}
