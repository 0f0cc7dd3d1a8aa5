package load

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// IdleMemory is what a server's idle connections cost.
type IdleMemory struct {
	Connections   int
	Before, After int64 // resident memory of the server's process in bytes, without and with them
}

// BytesPerConnection is the memory of one connection. What the system itself keeps for it is not in there.
func (m *IdleMemory) BytesPerConnection() float64 {
	return float64(m.After-m.Before) / float64(m.Connections)
}

// idleClients are connected, and do nothing.
type idleClients struct {
	*run
	all       []*stream
	connected atomic.Int64
}

// measureIdle connects the clients, waits, and looks at the server's memory before and after that.
func (r *run) measureIdle(ctx context.Context) (*Measurement, error) {
	c := &idleClients{run: r, all: make([]*stream, r.scenario.Connections)}
	defer c.shut()
	m := &Measurement{Latency: r.latency}
	memory, err := c.measure(ctx, m)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if memory.Before > 0 {
		m.Idle = memory
	}
	// Each connection has to be there still, and to work.
	if err := each(ctx, len(c.all), func(index int) error { return c.exchangePacket(index, 1) }); err != nil {
		r.failures.Add("after it was idle, %v", err)
	}
	m.Failures, m.FailureCount = r.failures.First()
	return m, ctx.Err()
}

func (c *idleClients) measure(ctx context.Context, m *Measurement) (*IdleMemory, error) {
	memory := &IdleMemory{Connections: len(c.all)}
	sockets := 0
	if w := c.options.Watch; w != nil {
		var err error
		if memory.Before, err = w.Memory(); err != nil {
			return nil, err
		}
		if sockets, _, err = w.Sockets(); err != nil {
			return nil, err
		}
	}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	if c.scenario.InFlight == 0 { // otherwise the answers tell that the server has them
		if err := c.waitAccepted(ctx, sockets+len(c.all)); err != nil {
			return nil, err
		}
	}
	if c.wait(ctx, "warm-up", c.scenario.Warmup.Duration, c) {
		if err := c.measureWindow(ctx, c, m); err != nil {
			return nil, err
		}
	}
	if w := c.options.Watch; w != nil {
		var err error
		if memory.After, err = w.Memory(); err != nil {
			return nil, err
		}
	}
	return memory, nil
}

// connect connects all clients, and lets each send its one packet if the scenario says so.
func (c *idleClients) connect(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() {
		ended <- each(ctx, len(c.all), func(index int) error {
			conn, err := c.dial(ctx, index)
			if err != nil {
				return err
			}
			c.all[index] = &stream{conn: conn}
			c.connected.Add(1)
			if c.scenario.InFlight == 0 {
				return nil
			}
			return c.exchangePacket(index, 0)
		})
	}()
	tick := time.NewTicker(progressPeriod)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			c.show(Progress{Phase: fmt.Sprintf("connected %d of %d", c.connected.Load(), len(c.all))})
		}
	}
}

// waitAccepted waits until the server has so many sockets: the system completes connections that the server has not
// looked at yet. It fails if others have left meanwhile.
func (c *idleClients) waitAccepted(ctx context.Context, sockets int) error {
	if c.options.Watch == nil {
		return nil
	}
	tick := time.NewTicker(progressPeriod / 5)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		count, known, err := c.options.Watch.Sockets()
		if err != nil || !known || count >= sockets {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("the server has %d sockets open after %v, where %d have to be if no one else has left", count, patience, sockets)
		}
	}
}

// exchangePacket sends one packet of a client and reads it back.
func (c *idleClients) exchangePacket(index int, number int64) error {
	packet := echoPackets(c.scenario.Size, 1)
	putEchoNumber(packet, index, number)
	s := c.all[index]
	s.buffer = make([]byte, len(packet)+1)
	defer func() { s.buffer = nil }()
	answer, err := s.exchange(packet, len(packet))
	if err != nil {
		return err
	}
	if !bytes.Equal(answer, packet) {
		return fmt.Errorf("%x came back where %x has to come", answer, packet)
	}
	return nil
}

func (c *idleClients) shut() {
	for _, s := range c.all {
		if s != nil {
			s.close()
		}
	}
}

func (c *idleClients) messages() int64 { return 0 }
