package soak

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/failures"
	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/numberedchat"
	"iocpnetlib/cmd/internal/schedule"
)

// crowd is all members. It chats by a schedule that is fixed at its start: a chat that is sent or answered late has
// been due all the same, so a server that stands still is seen in full, not once a client.
type crowd struct {
	checks   *failures.List
	rooms    []*room
	members  []*member // in the order in which they chat
	start    time.Time
	interval time.Duration // between two chats of a member

	windows    atomic.Pointer[[]*window]
	lag        *latency.Histogram // how late chats were sent: the load's own part of the latency, at most
	chatAnswer []byte

	stopPacing context.CancelFunc
	paced      chan struct{}  // closed when the last chat was sent
	listeners  sync.WaitGroup // members
}

// arriveAtOnce is how many members connect at a time.
const arriveAtOnce = 32

// gatherCrowd connects all members, lets them enter, and starts to chat once all are in.
func gatherCrowd(ctx context.Context, entrance *entrance, c *Config, checks *failures.List) (*crowd, error) {
	crowd := &crowd{checks: checks, lag: latency.NewHistogram(), chatAnswer: chatResponse(chat.ResultNone),
		interval: time.Duration(float64(time.Second) / c.Rate), paced: make(chan struct{})}
	crowd.watchWindows()
	random := rand.New(rand.NewPCG(c.Seed, 0))
	for number := range c.Rooms {
		r := &room{number: number, checkpoints: make(map[int64]*checkpoint)}
		for index := range c.Members {
			m := &member{crowd: crowd, room: r, name: memberName(number, index), request: numberedchat.NewRequest(),
				hearing: newHearing(), phase: time.Duration(random.Int64N(int64(crowd.interval)))}
			r.members = append(r.members, m)
		}
		crowd.rooms = append(crowd.rooms, r)
		crowd.members = append(crowd.members, r.members...)
	}
	if err := crowd.arrive(ctx, entrance); err != nil {
		crowd.disperse()
		return nil, err
	}
	slices.SortFunc(crowd.members, func(a, b *member) int { return cmp.Compare(a.phase, b.phase) })
	for _, m := range crowd.members {
		_ = m.conn.SetDeadline(time.Time{})
		crowd.listeners.Go(m.listen)
	}
	pacing, stop := context.WithCancel(ctx)
	crowd.stopPacing = stop
	crowd.start = time.Now()
	go crowd.pace(pacing)
	return crowd, nil
}

func (c *crowd) arrive(ctx context.Context, entrance *entrance) error {
	errs := make(chan error, len(c.members))
	places := make(chan struct{}, arriveAtOnce)
	for _, m := range c.members {
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			client, err := entrance.dial(ctx, nil)
			if err == nil {
				m.client = client
				err = client.arrive(m.name, m.room.number)
			}
			if err != nil {
				err = fmt.Errorf("member %s did not get in: %w", m.name, err)
			}
			errs <- err
		}()
	}
	var first error
	for range c.members {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// pace sends every chat when it is due.
func (c *crowd) pace(ctx context.Context) {
	defer close(c.paced)
	pacer, release := schedule.NewPacer()
	defer release()
	for number := int64(0); ; number++ {
		for _, m := range c.members {
			pacer.Until(m.due(number))
			if ctx.Err() != nil {
				return
			}
			if err := m.say(); err != nil {
				c.checks.Add("member %s could not chat: %v", m.name, err)
				return
			}
		}
	}
}

// watchWindows makes these the windows that chats are recorded in.
func (c *crowd) watchWindows(windows ...*window) { c.windows.Store(&windows) }

func (c *crowd) record(due time.Time, latency time.Duration) {
	for _, w := range *c.windows.Load() {
		w.record(due, latency)
	}
}

// recordLag records that the chat that was due is sent by now.
func (c *crowd) recordLag(due time.Time) {
	lag := time.Since(due)
	c.lag.Record(lag)
	for _, w := range *c.windows.Load() {
		w.recordLag(due, lag)
	}
}

// settle waits until every chat that was due before a moment has come back to its talker.
func (c *crowd) settle(ctx context.Context, moment time.Time) bool {
	return c.wait(ctx, func() *member {
		for _, m := range c.members {
			if m.heardOwn.Load() < m.dueBefore(moment) {
				return m
			}
		}
		return nil
	})
}

// wait waits until no member is behind, and fails if that takes too long. It returns false if it did, or if something
// else has ended the run.
func (c *crowd) wait(ctx context.Context, behind func() *member) bool {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		late := behind()
		if late == nil {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		case <-c.checks.Any():
			return false
		case <-limit.C:
			c.checks.Add("member %s misses something since %v: %d chats sent, %d answered, %d of them heard, "+
				"%d of all members heard", late.name, patience, late.sent.Load(), late.answered.Load(),
				late.heardOwn.Load(), late.heardAll.Load())
			return false
		}
	}
}

// finish ends the chatting, waits until everybody has heard everything, and leaves. It returns how many chats there
// were, and how many notifies of them were checked.
func (c *crowd) finish(ctx context.Context) (chats, notifies int64) {
	c.stopPacing()
	<-c.paced
	said := make(map[*room]int64)
	for _, m := range c.members {
		said[m.room] += m.sent.Load()
	}
	c.wait(ctx, func() *member {
		for _, m := range c.members {
			if m.heardAll.Load() != said[m.room] || m.answered.Load() != m.sent.Load() {
				return m
			}
		}
		return nil
	})
	c.disperse()
	return c.totals()
}

func (c *crowd) totals() (chats, notifies int64) {
	for _, m := range c.members {
		chats += m.heardOwn.Load()
		notifies += m.heardAll.Load()
	}
	return chats, notifies
}

func (c *crowd) disperse() {
	for _, m := range c.members {
		if m.client != nil {
			m.leaving.Store(true)
			m.close()
		}
	}
	c.listeners.Wait()
}
