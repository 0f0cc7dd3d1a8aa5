// Step5 is a server for a public port: clients are held to limits, and Ctrl+C ends it in good order.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

const (
	tickNotify    packetID = 105 // u32 number of the tick, u16 players
	closingNotify packetID = 106 // u16 seconds until the server disconnects everybody
)

// game is the server of step 3 and a clock.
type game struct {
	*server
	ticks uint32
}

func (g *game) tick(batch *bridge.SendBatch) {
	g.ticks++
	body := binary.LittleEndian.AppendUint32(nil, g.ticks)
	body = binary.LittleEndian.AppendUint16(body, uint16(len(g.players)))
	g.broadcast(newPacket(tickNotify, body), batch)
}

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

// settings are what the tests change.
type settings struct {
	net   bridge.Config
	tick  time.Duration
	drain time.Duration // for players to leave by themselves
	stop  time.Duration // to send what is queued
}

func defaultSettings() settings {
	net := bridge.DefaultConfig()
	net.WorkThreads = 0 // the logic loop does the I/O itself
	net.MaxConnections = 500
	net.MaxPacketSize = 256
	net.FirstPacketTimeout = 10 * time.Second
	net.IdleTimeout = 5 * time.Minute
	net.Rate.PacketsPerSecond = 50
	net.Rate.BytesPerSecond = 8 << 10
	return settings{net: net, tick: time.Second, drain: 10 * time.Second, stop: 5 * time.Second}
}

func main() {
	told, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(told, release) // a second Ctrl+C ends the process at once
	logger := zap.Must(zap.NewDevelopment())
	core, err := bridge.Open(bridge.CoreAuto, logger)
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(told, core, defaultSettings(), logger); err != nil {
		log.Fatal(err)
	}
}

// serve runs until told ends, and then stops in good order. The core is closed afterwards.
func serve(told context.Context, core bridge.Core, s settings, logger *zap.Logger) (err error) {
	defer func() { err = errors.Join(err, core.Close()) }()
	if err := core.Start(s.net); err != nil {
		return err
	}
	logger.Info("ready", zap.Int("port", core.Port()), zap.String("core", core.Name()))
	g := &game{server: newServer()}
	loop := bridge.NewLoop(core, g)
	ctx, cancel := context.WithCancel(context.WithoutCancel(told)) // loop and clock go on while the server drains
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	var clock sync.WaitGroup
	clock.Go(func() { tickEvery(ctx, s.tick, loop, g.tick) })
	defer clock.Wait() // before the core is closed
	defer cancel()

	select {
	case err := <-ended: // the core failed
		return err
	case <-told.Done():
	}
	if err := drain(core, loop, g, s.drain, logger); err != nil {
		return err
	}
	return stop(core, ended, s.stop, logger)
}

// drain lets nobody in any more, tells the players, and waits until they have left, or the time is over.
func drain(core bridge.Core, loop *bridge.Loop, g *game, limit time.Duration, logger *zap.Logger) error {
	logger.Info("draining", zap.Uint64("connections", core.Stats().ConnectionsCurrent))
	if err := core.StopAccepting(); err != nil {
		return err
	}
	body := binary.LittleEndian.AppendUint16(nil, uint16(limit.Seconds()))
	err := loop.Do(context.Background(), func(batch *bridge.SendBatch) {
		g.broadcast(newPacket(closingNotify, body), batch)
	})
	if err != nil {
		return err
	}
	for end := time.Now().Add(limit); time.Now().Before(end) && core.Stats().ConnectionsCurrent > 0; {
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// stop disconnects everybody: what was received is handled, what is queued is sent.
func stop(core bridge.Core, ended <-chan error, limit time.Duration, logger *zap.Logger) error {
	logger.Info("stopping", zap.Uint64("connections", core.Stats().ConnectionsCurrent))
	end := time.Now().Add(limit)
	if err := core.BeginStop(); err != nil {
		return err
	}
	// The loop ends when it has handled everything: only then may the core free what it has lent to the logic.
	if err := <-ended; err != nil {
		return err
	}
	return core.Stop(max(time.Until(end), 0))
}
