package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

const (
	// connectAtOnce is how many clients connect at a time.
	connectAtOnce = 32
	// connectionsPerSource is how many connections of one local address there are to one server: a system has some
	// 28,000 ports for them.
	connectionsPerSource = 20_000
)

// sourceAddress is the local address of a client. On the loopback interface every address 127.0.0.x is there, so that
// more clients can connect than one address has ports; nil: the system chooses.
func sourceAddress(server string, index int) *net.TCPAddr {
	address, err := netip.ParseAddrPort(server)
	if err != nil || !address.Addr().Is4() || !address.Addr().IsLoopback() || index < connectionsPerSource {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+index/connectionsPerSource))}
}

// each calls do for 0 to count-1 on a few goroutines, and returns the first error. After one, it does not begin
// another.
func each(ctx context.Context, count int, do func(index int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(connectAtOnce, count) {
		group.Go(func() {
			for ctx.Err() == nil {
				index := int(next.Add(1)) - 1
				if index >= count {
					return
				}
				if err := do(index); err != nil {
					cancel(fmt.Errorf("client %d of %d: %w", index+1, count, err))
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
