package bridge

import (
	"sync"
	"sync/atomic"
	"time"
)

// event is a Message on its way to logic, with what has to be given back for it.
type event struct {
	conn   *goConn
	chunk  *chunk // packets: what data points into
	data   []byte
	kind   MessageType
	reason CloseReason
}

// logicQueue carries events from the readers to logic and counts the message pool. Readers add under its lock, many
// packets at a time, and wake logic only when it sleeps. Logic swaps what has arrived for an empty slice and hands it
// out without the lock.
//
// The pool is a number here, not memory: a packet in the queue or lent to logic takes one of it. A reader that finds
// none left waits in line; what logic gives back goes to the readers in line, first come first served, before anybody
// else. Connection and Close events take none, there are at most two for a slot.
type logicQueue struct {
	mu       sync.Mutex
	arrived  []event
	sleeping bool // logic waits on wake
	stopped  bool // Stop: nothing is delivered any more
	lastIn   bool // no connection will be added any more
	open     int  // connections added whose Close was not

	inUse         int
	capacity      int // MessagePool
	total         int // and ExtraMessagePool
	inLine        []*goConn
	reserveInUse  bool
	reserveUnsaid bool // the reserve was begun and nobody has logged it yet

	exhaustedUnsaid bool      // the pool was used up and nobody has logged it yet
	exhaustedQuiet  time.Time // until then it is not logged again
	received        uint64
	exhausted       uint64
	reserveUsed     uint64

	wake  chan struct{} // capacity 1
	woken atomic.Bool   // WakePoll was called and no Poll has returned since

	onArrival func() // see goCore; nil: none

	// The rest belongs to the goroutine inside poll.
	polling atomic.Bool
	taken   []event // what was swapped out of arrived
	lent    int     // taken[lent:next] is lent to logic, taken[next:] not yet delivered
	next    int
	timer   *time.Timer
}

// exhaustedLogPeriod is how often the log says at most that the pool is used up.
const exhaustedLogPeriod = time.Second

func newLogicQueue(pool, reserve int) *logicQueue {
	return &logicQueue{capacity: pool, total: pool + reserve, wake: make(chan struct{}, 1)}
}

// wakeLocked returns logic from its sleep, if it sleeps. With the lock.
func (q *logicQueue) wakeLocked() {
	if q.onArrival != nil {
		q.onArrival()
	}
	if q.sleeping {
		q.sleeping = false
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// addConnection tells logic of c. Before c's reader runs.
func (q *logicQueue) addConnection(c *goConn) {
	q.mu.Lock()
	q.open++
	q.arrived = append(q.arrived, event{conn: c, data: []byte(c.peer), kind: MessageConnection})
	q.wakeLocked()
	q.mu.Unlock()
}

// addClose tells logic that c has ended. c's reader, after its last packet. What c had of the pool without using it is
// given back.
func (q *logicQueue) addClose(c *goConn, reason CloseReason) {
	q.mu.Lock()
	q.leaveLineLocked(c)
	q.open--
	q.arrived = append(q.arrived, event{conn: c, kind: MessageClose, reason: reason})
	q.wakeLocked()
	q.mu.Unlock()
}

// noMoreConnections: addConnection will not be called any more.
func (q *logicQueue) noMoreConnections() {
	q.mu.Lock()
	q.lastIn = true
	q.wakeLocked()
	q.mu.Unlock()
}

// stop makes poll return ErrStopped whatever is queued.
func (q *logicQueue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.arrived = nil
	q.wakeLocked()
	q.mu.Unlock()
}

// wakePoll is Core.WakePoll. It takes no lock: a core may be woken from under the lock of another one's queue.
func (q *logicQueue) wakePoll() {
	q.woken.Store(true)
	select {
	case q.wake <- struct{}{}:
	default: // what is there wakes as well
	}
}

// added is what addPackets did.
type added struct {
	bytes       int           // framed and queued
	violation   CloseReason   // the packet behind them breaks the rules
	poolEmpty   bool          // there are more packets but no place in the pool; the reader is in line now
	wait        time.Duration // over 0: there are more packets, which the client's rate lets pass after so long
	logsReserve bool          // the caller is to log that the reserve was begun
	logsEmpty   bool          // the caller is to log that the pool is used up
}

// addPackets frames what c has received and queues each whole packet. c's reader; b is its buffer. Called again with
// the rest after poolEmpty, it changes nothing until it is c's turn.
func (q *logicQueue) addPackets(c *goConn, b *recvBuffer, maxPacketSize int, limit *RateLimit) added {
	var result added
	data := b.unframed()
	// A look before the lock: most often the first packet is not all there, or all there is.
	length, violation := framePacket(data, maxPacketSize)
	if length == 0 {
		result.violation = violation
		return result
	}
	var now time.Time
	if limit.isOn() {
		now = time.Now()
		if result.wait = c.rate.wait(limit, now); result.wait > 0 {
			return result
		}
	}
	packets := 0
	q.mu.Lock()
	for length > 0 {
		if limit.isOn() {
			if result.wait = c.rate.wait(limit, now); result.wait > 0 {
				break
			}
		}
		if !q.takeLocked(c) {
			result.poolEmpty = true
			break
		}
		if limit.isOn() {
			c.rate.use(limit, length, now)
		}
		end := result.bytes + length
		q.arrived = append(q.arrived, event{
			conn: c, chunk: b.chunk, data: data[result.bytes:end:end], kind: MessageRecv,
		})
		packets++
		result.bytes = end
		length, result.violation = framePacket(data[end:], maxPacketSize)
	}
	if packets > 0 {
		q.received += uint64(packets)
		// Still under the lock, so before logic can give any of them back.
		b.chunk.users.Add(int32(packets))
		c.lent.Add(int64(result.bytes))
		q.wakeLocked()
	}
	result.logsReserve, q.reserveUnsaid = q.reserveUnsaid, false
	result.logsEmpty, q.exhaustedUnsaid = q.exhaustedUnsaid, false
	q.mu.Unlock()
	b.start += result.bytes
	return result
}

// takeLocked takes one of the pool for c, or puts c in line. With the lock.
func (q *logicQueue) takeLocked(c *goConn) bool {
	if c.granted > 0 {
		c.granted--
		return true
	}
	if len(q.inLine) == 0 && q.inUse < q.total {
		q.useLocked()
		return true
	}
	if !c.inLine {
		c.inLine = true
		q.inLine = append(q.inLine, c)
		q.exhausted++
		if now := time.Now(); now.After(q.exhaustedQuiet) {
			q.exhaustedUnsaid, q.exhaustedQuiet = true, now.Add(exhaustedLogPeriod)
		}
	}
	return false
}

// useLocked takes one of the pool. With the lock, when there is one.
func (q *logicQueue) useLocked() {
	q.inUse++
	if q.inUse > q.capacity && !q.reserveInUse {
		q.reserveInUse, q.reserveUnsaid = true, true
		q.reserveUsed++
	}
}

// giveBackLocked gives n back to the pool, and each of them to the next reader in line. With the lock.
func (q *logicQueue) giveBackLocked(n int) {
	q.inUse -= n
	if q.inUse <= q.capacity/2 {
		q.reserveInUse = false // well below: the next time that the reserve is begun is worth a log line again
	}
	served := 0
	for served < len(q.inLine) && q.inUse < q.total {
		c := q.inLine[served]
		served++
		c.inLine = false
		c.granted++
		q.useLocked()
		c.wakeReader()
	}
	if served > 0 {
		left := copy(q.inLine, q.inLine[served:])
		clear(q.inLine[left:])
		q.inLine = q.inLine[:left]
	}
}

// leaveLineLocked takes c out of the line, with all that it was granted. With the lock.
func (q *logicQueue) leaveLineLocked(c *goConn) {
	if c.inLine {
		c.inLine = false
		for i, waiting := range q.inLine {
			if waiting == c {
				q.inLine = append(q.inLine[:i], q.inLine[i+1:]...)
				break
			}
		}
	}
	if c.granted > 0 {
		n := c.granted
		c.granted = 0
		q.giveBackLocked(n)
	}
}

// addStats writes the counters that the queue keeps.
func (q *logicQueue) addStats(stats *Stats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	stats.PacketsReceived = q.received
	stats.MessagesInUse = uint64(q.inUse)
	stats.MessagePoolExhausted = q.exhausted
	stats.MessageReserveUsed = q.reserveUsed
}

// poll is Core.Poll.
func (q *logicQueue) poll(messages []Message, wait time.Duration) (int, error) {
	if !q.polling.CompareAndSwap(false, true) {
		return 0, ErrBusy
	}
	defer q.polling.Store(false)
	free := q.giveBack()
	var timeout <-chan time.Time // nil: for ever
	q.mu.Lock()
	if free > 0 {
		q.giveBackLocked(free)
	}
	for {
		if q.stopped {
			q.mu.Unlock()
			return 0, ErrStopped
		}
		if q.next == len(q.taken) && len(q.arrived) > 0 {
			q.taken, q.arrived = q.arrived, q.taken[:0]
			q.lent, q.next = 0, 0
		}
		if q.woken.Swap(false) || q.next < len(q.taken) {
			q.mu.Unlock()
			return q.lend(messages), nil
		}
		if q.lastIn && q.open == 0 {
			q.mu.Unlock()
			return 0, ErrStopped
		}
		if wait == 0 {
			q.mu.Unlock()
			return 0, nil
		}
		q.sleeping = true
		q.mu.Unlock()
		if wait > 0 && timeout == nil {
			timeout = q.startTimer(wait)
			defer q.timer.Stop()
		}
		select {
		case <-q.wake:
		case <-timeout:
			wait = 0
		}
		q.mu.Lock()
		q.sleeping = false
	}
}

func (q *logicQueue) startTimer(wait time.Duration) <-chan time.Time {
	if q.timer == nil {
		q.timer = time.NewTimer(wait)
	} else {
		q.timer.Reset(wait)
	}
	return q.timer.C
}

// lend fills messages from what was taken.
func (q *logicQueue) lend(messages []Message) int {
	q.lent = q.next
	n := min(len(messages), len(q.taken)-q.next)
	for i := range messages[:n] {
		e := &q.taken[q.next+i]
		messages[i] = Message{ID: e.conn.id, Data: e.data, Type: e.kind, Reason: e.reason}
	}
	q.next += n
	return n
}

// giveBack returns what was lent to its connections, and says how many of the pool came free.
func (q *logicQueue) giveBack() int {
	lent := q.taken[q.lent:q.next]
	free := 0
	for i := 0; i < len(lent); {
		e := &lent[i]
		if e.kind != MessageRecv {
			if e.kind == MessageClose {
				e.conn.closeTaken()
			}
			i++
			continue
		}
		// Packets of one connection lie together, as its reader framed them: one atomic operation for all.
		packets, bytes := 0, 0
		for ; i < len(lent) && lent[i].chunk == e.chunk && lent[i].kind == MessageRecv; i++ {
			packets++
			bytes += len(lent[i].data)
		}
		e.chunk.release(packets)
		e.conn.giveBack(bytes)
		free += packets
	}
	clear(lent)
	q.lent = q.next
	return free
}
