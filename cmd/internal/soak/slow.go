package soak

import (
	"context"
	"sync/atomic"
	"time"

	"iocpnetlib/cmd/internal/failures"
)

// slowReceiveBuffer is the receive buffer of a slow reader in bytes: little, so that what it does not read soon waits
// in the server.
const slowReceiveBuffer = 4096

// slowAskPeriod is how often a slow reader asks for something. It never reads, so only by writing it learns that it
// was disconnected; and it does not look idle.
const slowAskPeriod = 500 * time.Millisecond

// slowReaders are clients that enter a busy room and never read. Whoever is disconnected comes again.
type slowReaders struct {
	*hostile
	entrance *entrance
	checks   *failures.List
	rooms    int
	base     int64 // incarnations of the groups before

	entered      atomic.Int64
	disconnected atomic.Int64
}

func startSlowReaders(ctx context.Context, entrance *entrance, c *Config, checks *failures.List, base int64) *slowReaders {
	s := &slowReaders{entrance: entrance, checks: checks, rooms: c.Rooms, base: base}
	s.hostile = unleash(ctx, c.SlowReaders, s.run)
	return s
}

func (s *slowReaders) run(ctx context.Context, index int) {
	for incarnation := s.base; ctx.Err() == nil; incarnation++ {
		if err := s.visit(ctx, index, incarnation); err != nil && ctx.Err() == nil {
			s.checks.Add("slow reader %d could not enter a room: %v", index, err)
			return
		}
	}
}

// visit lasts until the server has disconnected the client.
func (s *slowReaders) visit(ctx context.Context, index int, incarnation int64) error {
	c, err := s.entrance.dial(ctx, slowSocket)
	if err != nil {
		return err
	}
	defer c.reset()
	defer context.AfterFunc(ctx, c.reset)()
	_ = c.conn.SetReadBuffer(slowReceiveBuffer)
	room := index % s.rooms
	if err := c.arrive(strangerName('s', index, incarnation), room); err != nil {
		return err
	}
	s.entered.Add(1)
	ask := enterRequest(nil, room) // is refused: it is in a room
	for pause(ctx, slowAskPeriod) {
		c.setDeadline()
		if _, err := c.conn.Write(ask); err != nil {
			if ctx.Err() == nil {
				s.disconnected.Add(1)
			}
			return nil
		}
	}
	return nil
}

// untilDisconnected waits until the server has disconnected a slow reader, but not longer than patience.
func (s *slowReaders) untilDisconnected(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for s.disconnected.Load() == 0 && pause(ctx, 10*time.Millisecond) {
	}
}
