package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// roomClients are the members of rooms, who talk in turns.
type roomClients struct {
	*run
	rooms     []*chatRoom
	members   []*member
	listeners sync.WaitGroup
	sender    *chatSender // in an open loop
}

func newRoomClients(r *run) *roomClients {
	c := &roomClients{run: r}
	s := r.scenario
	tag := nameTag()
	for number := range s.Rooms {
		room := newChatRoom(c, number)
		for index := range s.Members {
			room.members = append(room.members, newMember(room, index, fmt.Sprintf("%s.%04d.%04d", tag, number, index)))
		}
		c.rooms = append(c.rooms, room)
		c.members = append(c.members, room.members...)
	}
	return c
}

// connect lets the first member of each room in before the others: then it is known whom they are told of.
func (c *roomClients) connect(ctx context.Context) error {
	s := c.scenario
	arrive := func(m *member, rival string) error {
		conn, err := c.dial(ctx, m.room.number*s.Members+m.index)
		if err != nil {
			return err
		}
		m.conn, m.buffer = conn, make([]byte, bufferSize(s.Clients(), len(m.expect)))
		return m.arrive(m.name, s.FirstRoom+m.room.number, rival)
	}
	if err := each(ctx, s.Rooms, func(index int) error { return arrive(c.rooms[index].members[0], "") }); err != nil {
		return err
	}
	others := s.Members - 1
	return each(ctx, s.Rooms*others, func(index int) error {
		members := c.rooms[index/others].members
		return arrive(members[1+index%others], members[0].name)
	})
}

func (c *roomClients) start() {
	if c.scenario.OpenLoop() {
		c.sender = newChatSender(c)
	}
	for _, m := range c.members {
		c.listeners.Go(m.run)
	}
	if c.sender != nil {
		c.sender.start()
		return
	}
	for _, room := range c.rooms {
		if err := room.begin(c.scenario.InFlight); err != nil {
			c.failures.Add("%v", err)
		}
	}
}

func (c *roomClients) settle(ctx context.Context) {
	if c.sender != nil && !c.waitSender(ctx, c.sender.ended) {
		return
	}
	c.stopping.orderly.Store(true)
	for _, room := range c.rooms {
		room.markFinished()
		if !c.waitUntil(ctx, room.allFinished) {
			c.tellMissing(ctx)
			return
		}
	}
	// Whatever comes before the server's end is too much.
	for _, m := range c.members {
		m.endWriting()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.listeners.Wait()
	}()
	if !c.waitUntil(ctx, ended) {
		if _, count := c.failures.First(); count == 0 && ctx.Err() == nil {
			c.failures.Add("the server does not end connections that their clients have ended, since %v", c.options.Patience)
		}
	}
}

// tellMissing says who waits for what, unless it is known that something was wrong.
func (c *roomClients) tellMissing(ctx context.Context) {
	if _, count := c.failures.First(); count > 0 || ctx.Err() != nil {
		return
	}
	for _, room := range c.rooms {
		said := room.said.Load()
		for _, m := range room.members {
			if heard := m.received.Load(); heard < said {
				c.failures.Add("%v misses %d notifies since %v", m, said-heard, c.options.Patience)
			}
		}
	}
}

func (c *roomClients) shut() {
	c.stopping.cut.Store(true)
	c.window.end()
	for _, m := range c.members {
		m.interrupt()
	}
	if c.sender != nil {
		c.sender.wait()
	}
	c.listeners.Wait()
	for _, m := range c.members {
		m.close()
	}
}

func (c *roomClients) messages() (sum int64) {
	for _, m := range c.members {
		sum += m.received.Load()
	}
	return sum
}

func (c *roomClients) counted() (sum int64) {
	for _, m := range c.members {
		sum += m.inWindow
	}
	return sum
}

// openOrder is how many chats of a room may wait for their notifies in an open loop. A server that is further behind
// cannot bear the rate.
const openOrder = 4096

// chatRoom is one room: what has been said, and in which order its members have heard that.
type chatRoom struct {
	clients *roomClients
	number  int // from 0
	members []*member
	order   chatOrder

	said        atomic.Int64 // chats; the next one is the turn of member said % len(members)
	finished    atomic.Int64 // chats that all members have heard
	allFinished chan struct{}
	markOnce    sync.Once
}

func newChatRoom(c *roomClients, number int) *chatRoom {
	inFlight := openOrder
	if !c.scenario.OpenLoop() {
		inFlight = c.scenario.InFlight
	}
	return &chatRoom{clients: c, number: number, order: newChatOrder(c.scenario.Members, inFlight),
		allFinished: make(chan struct{})}
}

// begin lets the first members say so many chats.
func (r *chatRoom) begin(chats int) error {
	return r.say(int(r.said.Add(int64(chats)))-chats, chats)
}

// say lets members say so many chats, the first of which has this number. Those of one member leave in one write.
func (r *chatRoom) say(first, chats int) error {
	count := len(r.members)
	for i := range min(chats, count) {
		m := r.members[(first+i)%count]
		if err := m.say((chats - i + count - 1) / count); err != nil {
			return fmt.Errorf("%v could not chat: %w", m, err)
		}
	}
	return nil
}

// finish notes that all members have heard so many chats, the last of them now. In a closed loop the next follow.
func (r *chatRoom) finish(chats int, now moment) error {
	if r.clients.sender != nil || r.clients.window.over(now) {
		r.finished.Add(int64(chats))
		r.markFinished()
		return nil
	}
	// The next count as said before these count as finished, or it would look as if nothing were on its way.
	first := int(r.said.Add(int64(chats))) - chats
	r.finished.Add(int64(chats))
	return r.say(first, chats)
}

// markFinished tells whoever waits that all that was said is heard. It does so only when nobody says anything any more.
func (r *chatRoom) markFinished() {
	if r.clients.stopping.orderly.Load() && r.finished.Load() == r.said.Load() {
		r.markOnce.Do(func() { close(r.allFinished) })
	}
}
