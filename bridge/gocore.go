package bridge

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// goCore is the core in pure Go: the net package behind Core. It needs no library and no cgo, and it is what the
// native core is compared with, so it is written to be fast.
//
// What belongs to which goroutine:
//   - one goroutine accepts (gocore_accept.go);
//   - each connection has a reader, which reads, frames, queues packets for logic and finally takes the connection
//     down (gocore_read.go, gocore_close.go), and from its first payload on a writer (gocore_write.go);
//   - logic's own goroutine runs Poll and gives back what it was lent (gocore_queue.go).
//
// Everything that lives from Start to Stop hangs on one goServer, so a goCore can be started any number of times.
type goCore struct {
	logger *zap.Logger
	door   *Door // nil: packets on TCP, as a native core has them

	lifecycle sync.Mutex // serialises Start, Stop and Close
	server    atomic.Pointer[goServer]

	// generations has the last used generation of every slot. It outlives the server: an id that logic kept over a
	// restart must not fit a connection of the new run. Written by the accept goroutine only, of which there is one.
	generations []uint32

	lastStats atomic.Pointer[Stats] // of the last run

	// onArrival, if there is one, is called when messages come that logic does not wait for in this core's own Poll. It
	// is set before the start, must not block, and is called with the queue's lock.
	onArrival func()
	firstSlot int // the index of the first slot in IDs; set before the start
}

// NewGoCore makes a stopped core in pure Go. It logs to logger; nil means no log.
func NewGoCore(logger *zap.Logger) Core {
	if logger == nil {
		logger = zap.NewNop()
	}
	return &goCore{logger: logger}
}

func (g *goCore) Name() string { return "go" }

func (g *goCore) Start(config Config) error {
	g.lifecycle.Lock()
	defer g.lifecycle.Unlock()
	if g.server.Load() != nil {
		return &StartError{Result: ResultAlreadyStarted}
	}
	if g.door != nil {
		config.Port = g.door.Port
	}
	if err := config.validate(); err != nil {
		return err
	}
	if g.door != nil {
		if err := g.door.validate(&config); err != nil {
			return err
		}
	}
	listener, err := goListen(&config)
	if err != nil {
		return err
	}
	if missing := config.MaxConnections - len(g.generations); missing > 0 {
		g.generations = append(g.generations, make([]uint32, missing)...)
	}
	server := newGoServer(config, g.logger, listener, g.door, g.generations)
	server.queue.onArrival = g.onArrival
	server.firstSlot = g.firstSlot
	server.run()
	g.server.Store(server)
	return nil
}

func (g *goCore) Port() int {
	if server := g.server.Load(); server != nil {
		return server.port
	}
	return 0
}

func (g *goCore) Poll(messages []Message, wait time.Duration) (int, error) {
	server := g.server.Load()
	if server == nil {
		return 0, ErrNotStarted
	}
	if len(messages) == 0 {
		return 0, ResultInvalidArgument
	}
	return server.queue.poll(messages, wait)
}

func (g *goCore) WakePoll() {
	if server := g.server.Load(); server != nil {
		server.queue.wakePoll()
	}
}

func (g *goCore) Submit(batch *SendBatch) error {
	server := g.server.Load()
	if server == nil {
		return ErrNotStarted
	}
	if batch == nil {
		return ResultInvalidArgument
	}
	return server.submit(batch)
}

func (g *goCore) Stats() Stats {
	if server := g.server.Load(); server != nil {
		return server.stats()
	}
	if last := g.lastStats.Load(); last != nil {
		return *last
	}
	return Stats{}
}

func (g *goCore) SetLimits(limits Limits) error {
	if err := limits.validate(); err != nil {
		return err
	}
	server := g.server.Load()
	if server == nil {
		return ErrNotStarted
	}
	server.setLimits(limits)
	return nil
}

// LogLevelChanged: the logger is asked for every line.
func (g *goCore) LogLevelChanged() {}

func (g *goCore) StopAccepting() error {
	server := g.server.Load()
	if server == nil {
		return ErrNotStarted
	}
	server.stopAccepting()
	return nil
}

func (g *goCore) BeginStop() error {
	server := g.server.Load()
	if server == nil {
		return ErrNotStarted
	}
	server.beginStop()
	return nil
}

func (g *goCore) Stop(drain time.Duration) error {
	if drain < 0 || drain > maxTimeout {
		return ResultInvalidArgument
	}
	g.lifecycle.Lock()
	defer g.lifecycle.Unlock()
	server := g.server.Load()
	if server == nil {
		return ErrNotStarted
	}
	server.stop(drain)
	last := server.stats()
	last.MessagesInUse = 0 // what logic still holds is the collector's now
	g.lastStats.Store(&last)
	g.server.Store(nil)
	return nil
}

func (g *goCore) Close() error {
	if err := g.Stop(0); err != nil && !errors.Is(err, ErrNotStarted) {
		return err
	}
	return nil
}
