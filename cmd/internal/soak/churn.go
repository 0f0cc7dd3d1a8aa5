package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/failures"
	"iocpnetlib/cmd/internal/numberedchat"
)

// churners are clients that connect, sometimes log in, enter and chat, and end in every way there is. Each first
// proves that its connection is new: nothing comes before the answer to its first request, and that answer says that
// nobody is logged in on it. So whatever was meant for the one who had the slot before is noticed.
type churners struct {
	*hostile
	entrance *entrance
	checks   *failures.List
	rooms    int
	seed     uint64
	rate     float64 // connections a second of all together; 0: as fast as they can
	start    time.Time
	limit    int64 // connections; 0: until they are stopped

	begun  atomic.Int64 // numbers the connections
	closed [churnWays]atomic.Int64
}

// churnWay is a way in which a connection ends.
type churnWay int

const (
	churnOrderly   churnWay = iota // closed after its answers were read
	churnReset                     // reset, with answers on their way
	churnHalfOpen                  // the sending side ended, all answers read up to the server's end
	churnMidPacket                 // closed in the middle of a packet
	churnAtOnce                    // closed right after it was made, before or after handshakes, at times with a reset
	churnViolation                 // closed by the server for a packet length that cannot be
	churnWays
)

var churnWayNames = [churnWays]string{"orderly", "reset", "half-open", "mid-packet", "at once", "violation"}

// startChurners starts the clients. limit is the number of connections, 0 for no end.
func startChurners(ctx context.Context, entrance *entrance, c *Config, checks *failures.List, limit int64) *churners {
	ch := &churners{entrance: entrance, checks: checks, rooms: c.Rooms, seed: c.Seed, rate: c.ChurnRate, limit: limit,
		start: time.Now()}
	ch.hostile = unleash(ctx, c.Churners, ch.run)
	return ch
}

// connections is how many have ended.
func (ch *churners) connections() (sum int64) {
	for way := range ch.closed {
		sum += ch.closed[way].Load()
	}
	return sum
}

func (ch *churners) run(ctx context.Context, index int) {
	random := rand.New(rand.NewPCG(ch.seed, uint64(index)+1))
	for incarnation := int64(0); ctx.Err() == nil; incarnation++ {
		number := ch.begun.Add(1) - 1
		if ch.limit > 0 && number >= ch.limit {
			return
		}
		if ch.rate > 0 {
			due := ch.start.Add(time.Duration(float64(number) / ch.rate * float64(time.Second)))
			if !pause(ctx, time.Until(due)) {
				return
			}
		}
		way := churnWay(random.IntN(int(churnWays)))
		v := churnVisit{churners: ch, random: random, name: strangerName('c', index, incarnation)}
		if err := v.run(ctx, way); err != nil && ctx.Err() == nil {
			ch.checks.Add("connection %d of the churn, %s (%s): %v", number, v.name, churnWayNames[way], err)
		}
		ch.closed[way].Add(1)
	}
}

// churnVisit is one connection.
type churnVisit struct {
	*churners
	*client
	random *rand.Rand
	name   string
}

func (v *churnVisit) run(ctx context.Context, way churnWay) error {
	come := func() (*client, error) { return v.entrance.dial(ctx, nil) }
	if way == churnAtOnce && !v.entrance.kind.IsPlain() && v.random.IntN(2) == 0 {
		come = func() (*client, error) { return v.entrance.knock(ctx) }
	}
	c, err := come()
	if err != nil {
		return err
	}
	v.client = c
	defer c.close()
	defer context.AfterFunc(ctx, c.reset)()
	c.setDeadline()
	if way == churnAtOnce {
		if v.random.IntN(2) == 0 {
			c.reset()
		}
		return nil
	}
	if err := v.proveNew(); err != nil {
		return err
	}
	return v.end(way)
}

// proveNew asks for something that only somebody who is logged in may do. On a connection that was mixed up with
// another one the answer would differ.
func (v *churnVisit) proveNew() error {
	if _, err := v.conn.Write(enterRequest(nil, 0)); err != nil {
		return err
	}
	if err := v.expect(enterResponse(chat.ResultEnterRoomNotFoundUser)); err != nil {
		return fmt.Errorf("a new connection: %w", err)
	}
	return nil
}

func (v *churnVisit) end(way churnWay) error {
	// Up to where it comes, and whether it says something there.
	login, enter, say := v.random.IntN(4) > 0, v.random.IntN(2) > 0, v.random.IntN(4) == 0
	enter = enter && login
	say = say && enter
	var requests []byte
	if login {
		requests = loginRequest(requests, v.name)
	}
	if enter {
		requests = enterRequest(requests, v.random.IntN(v.rooms))
	}
	if say {
		requests = append(requests, numberedchat.NewRequest()...)
	}
	switch way {
	case churnMidPacket:
		half := numberedchat.NewRequest()
		requests = append(requests, half[:1+v.random.IntN(len(half)-1)]...)
	case churnViolation:
		requests = append(requests, impossibleHeader(v.random)...)
	}
	if len(requests) > 0 {
		if _, err := v.conn.Write(requests); err != nil {
			return err
		}
	}
	if way == churnReset || way == churnMidPacket && v.random.IntN(2) == 0 {
		if v.random.IntN(2) == 0 {
			v.reset()
		}
		return nil
	}
	if way == churnHalfOpen {
		if err := v.conn.CloseWrite(); err != nil {
			return err
		}
	}
	if err := v.readAnswers(login, enter, say); err != nil {
		return err
	}
	if way == churnHalfOpen || way == churnViolation {
		return v.readToEnd(enter)
	}
	return nil
}

// impossibleHeader is the start of a packet whose length is under a header's or over what a packet may have.
func impossibleHeader(random *rand.Rand) []byte {
	if random.IntN(2) == 0 {
		return []byte{byte(random.IntN(bridge.HeaderLength)), 0, byte(chat.RoomChatRequestID), 0, 0}
	}
	return []byte{0xff, 0xff, byte(chat.RoomChatRequestID), 0, 0}
}

// readAnswers reads what has to come, in this order; in a room, others may be heard in between.
func (v *churnVisit) readAnswers(login, enter, say bool) error {
	if login {
		if err := v.expect(loginResponse(chat.ResultNone)); err != nil {
			return fmt.Errorf("login: %w", err)
		}
	}
	if enter {
		if err := v.expectEntered(); err != nil {
			return err
		}
	}
	if !say {
		return nil
	}
	hearing := newHearing()
	answered := false
	for {
		id, packet, err := v.next()
		if err != nil {
			return fmt.Errorf("after a chat: %w", err)
		}
		switch {
		case id == chat.RoomChatResponseID && !answered && string(packet) == string(chatResponse(chat.ResultNone)):
			answered = true
		case id == chat.RoomChatNotifyID:
			h, err := hearing.hear(packet, -1)
			if err != nil {
				return err
			}
			if string(h.name) == v.name {
				if !answered {
					return errors.New("its chat came back before the answer to it")
				}
				return nil
			}
		default:
			return fmt.Errorf("after a chat came %q", packet)
		}
	}
}

// readToEnd reads up to the server's end. In a room others may be heard until then; otherwise there is nothing more.
func (v *churnVisit) readToEnd(inRoom bool) error {
	hearing := newHearing()
	for {
		id, packet, err := v.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("instead of the end: %w", err)
		}
		if !inRoom || id != chat.RoomChatNotifyID {
			return fmt.Errorf("instead of the end came %q", packet)
		}
		if _, err := hearing.hear(packet, -1); err != nil {
			return err
		}
	}
}
