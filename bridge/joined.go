package bridge

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// joinedCore is a core and doors behind one Core. Logic has one poll, and IDs that it cannot tell apart.
//
// The slots of its parts lie one behind the other, so each part makes IDs that no other makes, and nothing has to be
// translated. A batch goes to the first part, which is the fast one, as it is while no door has a client.
//
// Poll waits in the first part. A message that comes through another one wakes it, if it waits.
type joinedCore struct {
	lifecycle sync.Mutex // serialises Start, Stop and Close
	isStarted atomic.Bool
	parts     []*joinedPart

	waitsIn atomic.Int32 // 1 + the part in which Poll waits, 0: it does not
	woken   atomic.Bool  // WakePoll was called and no Poll has returned since
	atDoors atomic.Int64 // connections of the parts behind the first that logic knows of
	polling atomic.Bool

	// The goroutine inside Poll's:
	closesLent int64 // Closes of those that logic is looking at
	skipped    bool  // the last Poll did not come to the part that waits
	turn       int   // who is first

	submitMu       sync.Mutex
	sendBufferSize int
}

// joinedPart is one of the cores.
type joinedPart struct {
	core      Core
	door      string // its name
	firstSlot int    // of those that its IDs have
	places    int    // slots

	arrived atomic.Bool // it may have messages

	// The goroutine inside Poll's:
	lends bool // the last Poll returned messages of it
	ended bool // everything of it was delivered

	// With submitMu:
	batch    SendBatch // what is for it; the payload is the whole batch's
	assigned int       // receivers in batch that belong to an operation
}

// DoorTCP is the name of the port that is no Door: packets on TCP.
const DoorTCP = "tcp"

// Join makes one core of a core and doors, which have Config.MaxConnections places each: ConnectionID.Index is below the
// sum. Stats are the sums. core may be nil if there is a door; then the first door's port is Port. The doors log to
// logger, nil means no log. The core that is returned owns core; without doors it is core. core must not be a joined one
// itself: Join panics then, as all doors have to be known at once.
func Join(core Core, logger *zap.Logger, doors ...Door) Core {
	if len(doors) == 0 {
		return core
	}
	if _, isJoined := core.(*joinedCore); isJoined {
		panic("bridge: Join of a joined core")
	}
	j := &joinedCore{}
	if core != nil {
		j.parts = append(j.parts, &joinedPart{core: core, door: DoorTCP})
	}
	for _, door := range doors {
		part := &joinedPart{core: NewDoor(door, logger), door: door.Name}
		number := int32(len(j.parts))
		part.core.(*goCore).onArrival = func() { j.messagesCame(part, number) }
		j.parts = append(j.parts, part)
	}
	return j
}

// DoorStats tells of one port of a core.
type DoorStats struct {
	Name  string // DoorTCP or that of its Door
	Port  int
	Stats Stats
}

// Doors tells of every port of a core. Any goroutine.
func Doors(core Core) []DoorStats {
	joined, ok := core.(*joinedCore)
	if !ok {
		name := DoorTCP
		if single, ok := core.(*goCore); ok && single.door != nil {
			name = single.door.Name
		}
		return []DoorStats{{name, core.Port(), core.Stats()}}
	}
	var doors []DoorStats
	for _, part := range joined.parts {
		doors = append(doors, DoorStats{part.door, part.core.Port(), part.core.Stats()})
	}
	return doors
}

func (j *joinedCore) Name() string { return j.parts[0].core.Name() }

func (j *joinedCore) Port() int { return j.parts[0].core.Port() }

func (j *joinedCore) bindsThread() bool {
	first, ok := j.parts[0].core.(threadBound)
	return ok && first.bindsThread()
}

func (j *joinedCore) enableMiniDump(folder string) error {
	return EnableMiniDump(j.parts[0].core, folder)
}

func (j *joinedCore) Start(config Config) error {
	j.lifecycle.Lock()
	defer j.lifecycle.Unlock()
	if j.isStarted.Load() {
		return &StartError{Result: ResultAlreadyStarted}
	}
	j.waitsIn.Store(0)
	j.woken.Store(false)
	j.atDoors.Store(0)
	j.closesLent, j.skipped = 0, false
	j.sendBufferSize = config.SendBufferSize
	for i, part := range j.parts {
		part.firstSlot, part.places = i*config.MaxConnections, config.MaxConnections
		if door, ok := part.core.(*goCore); ok {
			door.firstSlot = part.firstSlot
		}
		part.lends, part.ended = false, false
		part.arrived.Store(false)
		if err := part.core.Start(config); err != nil {
			for _, started := range j.parts[:i] {
				err = errors.Join(err, started.core.Stop(0))
			}
			if failed, ok := errors.AsType[*StartError](err); ok && i > 0 {
				return &StartError{failed.Result, fmt.Sprintf("door %s: %s", part.door, failed.Detail)}
			}
			return err
		}
	}
	j.isStarted.Store(true)
	return nil
}

func (j *joinedCore) WakePoll() {
	j.woken.Store(true)
	if waits := j.waitsIn.Load(); waits != 0 {
		j.parts[waits-1].core.WakePoll()
	}
}

// messagesCame is called by a door, from any goroutine and under locks of its own.
func (j *joinedCore) messagesCame(part *joinedPart, number int32) {
	part.arrived.Store(true)
	waits := j.waitsIn.Load()
	if waits != 0 && waits-1 != number && j.waitsIn.CompareAndSwap(waits, 0) {
		j.parts[waits-1].core.WakePoll()
	}
}

func (j *joinedCore) Stats() Stats {
	var sum Stats
	for _, part := range j.parts {
		stats := part.core.Stats()
		sum.add(&stats)
	}
	return sum
}

func (j *joinedCore) SetLimits(limits Limits) error {
	return j.each(func(core Core) error { return core.SetLimits(limits) })
}

func (j *joinedCore) LogLevelChanged() {
	for _, part := range j.parts {
		part.core.LogLevelChanged()
	}
}

func (j *joinedCore) StopAccepting() error { return j.each(Core.StopAccepting) }
func (j *joinedCore) BeginStop() error     { return j.each(Core.BeginStop) }

// each does something with every part, also after one that fails, and returns the first error.
func (j *joinedCore) each(do func(core Core) error) error {
	var first error
	for _, part := range j.parts {
		if err := do(part.core); first == nil {
			first = err
		}
	}
	return first
}

func (j *joinedCore) Stop(drain time.Duration) error {
	j.lifecycle.Lock()
	defer j.lifecycle.Unlock()
	if !j.isStarted.Load() {
		return ErrNotStarted
	}
	if drain < 0 || drain > maxTimeout {
		return ResultInvalidArgument
	}
	// At once: the time for the drain is the same for all.
	failures := make([]error, len(j.parts))
	var all sync.WaitGroup
	for i, part := range j.parts {
		all.Go(func() { failures[i] = part.core.Stop(drain) })
	}
	all.Wait()
	j.isStarted.Store(false)
	return errors.Join(failures...)
}

func (j *joinedCore) Close() error {
	j.lifecycle.Lock()
	defer j.lifecycle.Unlock()
	if j.isStarted.Swap(false) {
		// All before any is freed: a door's goroutines wake the one that waits.
		if err := j.each(func(core Core) error { return core.Stop(0) }); err != nil {
			return err
		}
	}
	return j.each(Core.Close)
}

// add makes s the sum; the high-water mark is the higher one.
func (s *Stats) add(other *Stats) {
	highest := max(s.SendBufferHighWater, other.SendBufferHighWater)
	for _, pair := range []struct {
		sum   *uint64
		value uint64
	}{
		{&s.ConnectionsCurrent, other.ConnectionsCurrent},
		{&s.ConnectionsAccepted, other.ConnectionsAccepted},
		{&s.ConnectionsRefused, other.ConnectionsRefused},
		{&s.RefusedAtStop, other.RefusedAtStop},
		{&s.AcceptErrors, other.AcceptErrors},
		{&s.PacketsReceived, other.PacketsReceived},
		{&s.BytesReceived, other.BytesReceived},
		{&s.PacketsSent, other.PacketsSent},
		{&s.BytesSent, other.BytesSent},
		{&s.MessagesInUse, other.MessagesInUse},
		{&s.MessagePoolExhausted, other.MessagePoolExhausted},
		{&s.MessageReserveUsed, other.MessageReserveUsed},
		{&s.ReceivesPaused, other.ReceivesPaused},
		{&s.ReceivesThrottled, other.ReceivesThrottled},
		{&s.CloseTimeouts, other.CloseTimeouts},
		{&s.BytesDiscardedOnClose, other.BytesDiscardedOnClose},
		{&s.BytesReceivedDiscarded, other.BytesReceivedDiscarded},
	} {
		*pair.sum += pair.value
	}
	for i := range s.SendsDropped {
		s.SendsDropped[i] += other.SendsDropped[i]
	}
	for i := range s.Closed {
		s.Closed[i] += other.Closed[i]
	}
	s.SendBufferHighWater = highest
}
