package load

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// mixedClients talk in rooms, change rooms, and reconnect under another name. The sender lets them do that when it is
// due; each client's goroutine reads, and makes the new connection.
type mixedClients struct {
	*run
	tag       string
	all       []*mixedClient
	places    []atomic.Int64 // of each room: clients in it or on their way into or out of it
	listeners sync.WaitGroup
	sender    *actionSender
	open      atomic.Int64 // actions that are not finished

	dialing     context.Context // ends with shut
	stopDialing context.CancelFunc
}

// roomCapacity is how many clients are in a room at most, for each that is there at the start. The server's rooms need
// so many places.
const roomCapacity = 2

func newMixedClients(r *run) *mixedClients {
	s := r.scenario
	c := &mixedClients{run: r, tag: nameTag(), places: make([]atomic.Int64, s.Rooms)}
	c.dialing, c.stopDialing = context.WithCancel(context.Background())
	for index := range s.Clients() {
		c.all = append(c.all, newMixedClient(c, index))
		c.places[index/s.Members].Add(1)
	}
	return c
}

// connect lets the first member of each room in before the others: then it is known whom they are told of.
func (c *mixedClients) connect(ctx context.Context) error {
	s := c.scenario
	arrive := func(index int, rival string) error {
		client := c.all[index]
		conn, err := c.dial(ctx, index)
		if err != nil {
			return err
		}
		client.conn = conn
		client.room, client.heardIn = index/s.Members, index/s.Members
		return client.arrive(client.name(), s.FirstRoom+client.room, rival)
	}
	if err := each(ctx, s.Rooms, func(index int) error { return arrive(index*s.Members, "") }); err != nil {
		return err
	}
	others := s.Members - 1
	return each(ctx, s.Rooms*others, func(index int) error {
		first := index / others * s.Members
		return arrive(first+1+index%others, c.all[first].name())
	})
}

func (c *mixedClients) start() {
	c.sender = newActionSender(c)
	for _, client := range c.all {
		c.listeners.Go(client.run)
	}
	go c.sender.run()
}

// settle waits until every action is finished. Then everybody chats once more, and has to be heard by everybody in its
// room: since each talker counts its chats, nothing that was said before can be missing either.
func (c *mixedClients) settle(ctx context.Context) {
	if !c.waitSender(ctx, c.sender.ended) {
		return
	}
	if !c.poll(ctx, func() bool { return c.open.Load() == 0 }) {
		c.tellMissing(ctx, "actions have no answer")
		return
	}
	for _, client := range c.all {
		client.lastHeard.Store(-c.places[client.room].Load())
	}
	c.stopping.orderly.Store(true)
	for _, client := range c.all {
		if err := c.sender.chat(client, c.window.now()); err != nil {
			c.failures.Add("%v could not chat: %v", client, err)
			return
		}
	}
	if !c.poll(ctx, func() bool {
		for _, client := range c.all {
			if client.lastHeard.Load() != 0 {
				return false
			}
		}
		return c.open.Load() == 0
	}) {
		c.tellMissing(ctx, "chats of the last round are missing")
		return
	}
	for _, client := range c.all {
		client.endWriting()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.listeners.Wait()
	}()
	if !c.waitUntil(ctx, ended) {
		c.tellMissing(ctx, "connections are not ended by the server after their clients have ended them")
	}
}

// pollPeriod is the time between two looks at what all clients together have to reach.
const pollPeriod = 5 * time.Millisecond

func (c *mixedClients) poll(ctx context.Context, reached func() bool) bool {
	tick := time.NewTicker(pollPeriod)
	defer tick.Stop()
	limit := time.NewTimer(c.options.Patience)
	defer limit.Stop()
	for !reached() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		case <-c.failures.Any():
			return false
		case <-limit.C:
			return false
		}
	}
	return true
}

// tellMissing says what there is no answer to, unless it is known that something was wrong.
func (c *mixedClients) tellMissing(ctx context.Context, what string) {
	if _, count := c.failures.First(); count == 0 && ctx.Err() == nil {
		c.failures.Add("%d %s since %v", max(1, c.open.Load()), what, c.options.Patience)
	}
}

func (c *mixedClients) shut() {
	c.stopping.cut.Store(true)
	c.window.end()
	c.stopDialing()
	for _, client := range c.all {
		client.mutex.Lock()
		client.interrupt()
		client.mutex.Unlock()
	}
	if c.sender != nil {
		<-c.sender.ended
	}
	c.listeners.Wait()
	for _, client := range c.all {
		client.close()
	}
}

func (c *mixedClients) messages() (sum int64) {
	for _, client := range c.all {
		sum += client.received.Load()
	}
	return sum
}

func (c *mixedClients) counted() (sum int64) {
	for _, client := range c.all {
		sum += client.inWindow
	}
	return sum
}

// install gives a client its next connection instead of the one that has ended, unless the run has ended meanwhile.
func (m *mixedClient) install(conn *connection) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.clients.stopping.cut.Load() {
		_ = conn.Close()
		return fmt.Errorf("the run has ended: %w", net.ErrClosed)
	}
	m.close()
	m.conn = conn
	m.ending.Store(false)
	return nil
}
