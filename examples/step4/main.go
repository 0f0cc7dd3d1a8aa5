// Step4 does something by itself: once a second all players hear how late it is in the game.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"sync"
	"time"

	"iocpnetlib/bridge"
)

const tickNotify packetID = 105 // u32 number of the tick, u16 players

// game is the server of step 3 and a clock.
type game struct {
	*server
	ticks uint32
}

// tick runs on the logic loop, between two batches of messages: it may use everything that belongs to the logic.
func (g *game) tick(batch *bridge.SendBatch) {
	g.ticks++
	body := binary.LittleEndian.AppendUint32(nil, g.ticks)
	body = binary.LittleEndian.AppendUint16(body, uint16(len(g.players)))
	g.broadcast(newPacket(tickNotify, body), batch)
}

// tickEvery lets the loop tick until the context ends. It has a goroutine to itself.
func tickEvery(ctx context.Context, period time.Duration, loop *bridge.Loop, tick func(batch *bridge.SendBatch)) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := loop.Do(ctx, tick); err != nil {
				return // the context or the loop has ended
			}
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	core, err := bridge.Open(bridge.CoreAuto, nil)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(core, 11021, time.Second))
}

// serve runs until the core is stopped.
func serve(core bridge.Core, port int, period time.Duration) error {
	config := bridge.DefaultConfig()
	config.Port = port
	if err := core.Start(config); err != nil {
		return err
	}
	fmt.Println("listening on port", core.Port())
	g := &game{server: newServer()}
	loop := bridge.NewLoop(core, g)

	ctx, cancel := context.WithCancel(context.Background())
	var clock sync.WaitGroup
	clock.Go(func() { tickEvery(ctx, period, loop, g.tick) })
	defer clock.Wait() // nobody may use a core that is closed: the clock ends before whoever called this closes it
	defer cancel()
	return loop.Run(context.Background())
}
