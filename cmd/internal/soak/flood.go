package soak

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"time"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/failures"
	"iocpnetlib/cmd/internal/numberedchat"
)

// FloodKind is what a flooder sends as fast as it can.
type FloodKind int

// The kinds of flooders.
const (
	FloodChat    FloodKind = iota // chats, in a room of members, who all have to hear them
	FloodTiny                     // requests of five bytes, each of which is refused
	FloodUnknown                  // packets with an unknown id, up to the violation that closes the connection
	floodKinds
)

// floodKindNames are the kinds on the command line.
var floodKindNames = [floodKinds]string{"chat", "tiny", "unknown"}

// floodChunk is how many bytes, roughly, a flooder writes with one call.
const floodChunk = 16 << 10

// flooders are clients that send as fast as the server takes it, or at a fixed rate. They read, and throw away, what
// comes back. Whoever is disconnected comes again.
type flooders struct {
	*hostile
	entrance *entrance
	checks   *failures.List
	rooms    int
	kinds    []FloodKind
	rate     float64 // packets a second and flooder; 0: as fast as it can
	base     int64   // incarnations of the groups before

	packets      atomic.Int64 // sent
	disconnected atomic.Int64
}

func startFlooders(ctx context.Context, entrance *entrance, c *Config, checks *failures.List, base int64) *flooders {
	f := &flooders{entrance: entrance, checks: checks, rooms: c.Rooms, kinds: c.FloodKinds, rate: c.FloodRate, base: base}
	f.hostile = unleash(ctx, c.Flooders, f.run)
	return f
}

func (f *flooders) run(ctx context.Context, index int) {
	kind := f.kinds[index%len(f.kinds)]
	for incarnation := f.base; ctx.Err() == nil; incarnation++ {
		if err := f.visit(ctx, kind, index, incarnation); err != nil && ctx.Err() == nil {
			f.checks.Add("flooder %d could not log in: %v", index, err)
			return
		}
	}
}

// visit lasts until the server has disconnected the client.
func (f *flooders) visit(ctx context.Context, kind FloodKind, index int, incarnation int64) error {
	c, err := f.entrance.dial(ctx, nil)
	if err != nil {
		return err
	}
	defer c.reset()
	defer context.AfterFunc(ctx, c.reset)()
	name := strangerName('f', index, incarnation)
	if kind == FloodChat {
		err = c.arrive(name, index%f.rooms)
	} else {
		c.setDeadline()
		if _, err = c.conn.Write(loginRequest(nil, name)); err == nil {
			err = c.expect(loginResponse(chat.ResultNone))
		}
	}
	if err != nil {
		return err
	}
	_ = c.conn.SetDeadline(time.Time{}) // a server may throttle it for as long as it likes
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, c.conn)
		c.reset() // ends the writing
	}()
	f.send(ctx, c, kind)
	if ctx.Err() == nil {
		f.disconnected.Add(1)
	}
	c.reset()
	<-drained
	return nil
}

// send writes until that fails.
func (f *flooders) send(ctx context.Context, c *client, kind FloodKind) {
	packet := floodPacket(kind)
	count := floodChunk / len(packet)
	if f.rate > 0 {
		count = min(count, max(1, int(f.rate/50)))
	}
	chunk := bytes.Repeat(packet, count)
	start := time.Now()
	for sent := int64(0); ; sent += int64(count) {
		if kind == FloodChat {
			for i := range count {
				numberedchat.PutNumber(chunk[i*len(packet)+numberedchat.RequestNumber:], sent+int64(i))
			}
		}
		if f.rate > 0 {
			due := start.Add(time.Duration(float64(sent) / f.rate * float64(time.Second)))
			if !pause(ctx, time.Until(due)) {
				return
			}
		}
		if _, err := c.conn.Write(chunk); err != nil {
			return
		}
		f.packets.Add(int64(count))
	}
}

func floodPacket(kind FloodKind) []byte {
	switch kind {
	case FloodChat:
		return numberedchat.NewRequest()
	case FloodTiny:
		return (&chat.RoomLeaveRequest{}).Append(nil) // refused: it is in no room
	}
	const unknown = chat.MaxPacketID
	return []byte{bridge.HeaderLength, 0, byte(unknown & 0xff), byte(unknown >> 8), 0}
}
