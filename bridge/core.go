// Package bridge connects Go logic to a network core: it loads a native core (IocpNetLib.dll, libIocpNetLib.so) at run
// time, or offers the pure-Go core, behind one interface. It knows connections and packets, and nothing of what they
// mean.
//
// A server has one logic loop. The loop polls a batch of messages, handles them, collects what it wants sent in a
// SendBatch, submits that in one call, and polls again:
//
//	for {
//		n, err := core.Poll(messages, time.Second)
//		if errors.Is(err, bridge.ErrStopped) {
//			return
//		}
//		for i := range messages[:n] {
//			handle(&messages[i], batch)
//		}
//		core.Submit(batch)
//		batch.Reset()
//	}
package bridge

import "time"

// HeaderLength is the length of the packet header in bytes: u16 PacketLength, u16 PacketId, u8 Type, little-endian.
// PacketLength counts the whole packet, header included.
const HeaderLength = 5

// WaitForever makes Poll wait until there is a message. A wait of 0 does not wait.
const WaitForever time.Duration = -1

// ConnectionID names one connection for its whole life: slot index in the low 32 bits, generation in the high 32. The
// slot is used again by later connections, the ID never is. The zero ConnectionID names no connection.
type ConnectionID uint64

// Index is the slot of the connection, below Config.MaxConnections, or with doors (see Join) below the sum of all of them:
// a key for tables of fixed size. At any time at
// most one connection that logic has seen the Connection of, and not yet the Close, has a given index.
func (id ConnectionID) Index() int { return int(uint32(id)) }

// Generation tells connections of one slot apart.
func (id ConnectionID) Generation() uint32 { return uint32(id >> 32) }

// MessageType says what a Message tells.
type MessageType uint16

// The message types. For every connection, logic receives exactly one MessageConnection, its packets in the order in
// which they were sent, one MessageClose, and nothing after it.
const (
	MessageConnection MessageType = 1 // Data: the peer's address as text, "unknown address" if it had gone before
	MessageClose      MessageType = 2 // Reason: why
	MessageRecv       MessageType = 3 // Data: one whole packet, header included
)

// Message is one event of one connection.
type Message struct {
	ID ConnectionID
	// Data belongs to the core. It is valid and unchanged until the next call of Poll or Stop; logic copies what it
	// keeps longer, and never writes to it.
	Data   []byte
	Type   MessageType
	Reason CloseReason
}

// Core is a network core: it owns sockets, I/O threads and buffers. A Core is made stopped; Start and Stop may follow
// each other any number of times; Close ends it.
type Core interface {
	// Name tells the I/O mechanism of the run that is under way, or of the last one: "io_uring", "epoll", "iocp"; "none"
	// before the first; always "go" for the pure-Go core.
	Name() string

	// Start listens and starts the I/O threads. An error is a *StartError that says what is wrong with which setting,
	// and wraps its NetResult; nothing is left running then.
	Start(config Config) error

	// Port is the TCP port that the core listens on, 0 if it is stopped.
	Port() int

	// Poll fills messages with up to len(messages) messages, waiting up to wait for the first (0: do not wait,
	// WaitForever), and returns how many. It first gives back to the core everything that the last Poll returned, so
	// earlier Data is invalid. 0 messages without an error: nothing came in time, or WakePoll was called. ErrStopped:
	// the core is stopping and everything was delivered. One goroutine polls at a time; another one gets ErrBusy. A
	// native core without I/O threads works best if it is always the same system thread, as Loop makes it: io_uring
	// reports to the thread that began an operation.
	Poll(messages []Message, wait time.Duration) (int, error)

	// WakePoll makes a Poll that waits, or else the next one, return. Any goroutine.
	WakePoll()

	// Submit carries out the operations of batch in order and copies what it needs, so the batch can be reset
	// afterwards. What is for a connection that has gone is dropped and counted. Any goroutine; calls are serialised.
	Submit(batch *SendBatch) error

	// Stats returns the counters. Any goroutine.
	Stats() Stats

	// SetLimits holds every connection, also those that are there, to other limits from some moment soon after on.
	// If a timeout changes, silence counts anew from that moment, and if Rate does, what a client has used of it. An error
	// wraps ResultInvalidArgument (nothing changes) or ErrNotStarted. Any goroutine; of several calls the last one holds.
	SetLimits(limits Limits) error

	// LogLevelChanged tells a running core that its logger takes other levels than at the start: a native core does not
	// even make lines that are not taken. Any goroutine.
	LogLevelChanged()

	// StopAccepting stops listening, soon after it returns, and leaves the connections that are there alone. Who
	// connects later is refused by the system; who was on the way is closed and counted in RefusedAtStop. Port still
	// tells the port. Only a new Start listens again. Any goroutine; called again it does nothing.
	StopAccepting() error

	// BeginStop stops accepting and reading and returns at once. Logic goes on polling: it receives every packet that
	// was already accepted, a MessageClose (CloseServerStop) a connection, then ErrStopped. Any goroutine.
	BeginStop() error

	// Stop gives what is queued up to drain (at most 10 minutes) to be sent, closes every connection, ends every
	// thread and frees all buffers. Messages that logic has not polled are dropped, payloads that it still holds
	// become invalid. Any goroutine; a Poll that waits returns ErrStopped.
	Stop(drain time.Duration) error

	// Close stops the core, with no drain, and frees what it was made of. No other call may follow or overlap.
	Close() error
}

// Stats are the counters of a core since Start, and gauges.
type Stats struct {
	ConnectionsCurrent    uint64                // gauge: slots in use
	ConnectionsAccepted   uint64                // connections that logic was, or will be, told of
	ConnectionsRefused    uint64                // closed at once because MaxConnections was reached
	RefusedAtStop         uint64                // connections closed at once because the core was stopping or accepted no more
	AcceptErrors          uint64                // accepts that the system failed, also one whose client had gone (Windows)
	PacketsReceived       uint64                // handed to the logic queue
	BytesReceived         uint64                // read from sockets
	PacketsSent           uint64                // payloads queued for a connection; a broadcast counts once a receiver
	BytesSent             uint64                // written to sockets
	SendsDropped          [SendDropCount]uint64 // payloads that were not queued, by reason
	MessagesInUse         uint64                // gauge: pool messages queued for logic or held by it
	MessagePoolExhausted  uint64                // times that reading paused because the pool, reserve included, was empty
	MessageReserveUsed    uint64                // times that the reserve was begun
	ReceivesPaused        uint64                // times that reading paused because logic held a connection's whole receive buffer
	ReceivesThrottled     uint64                // times that reading paused because a client exceeded Config.Rate
	CloseTimeouts         uint64                // connections cut off while sending what was queued
	BytesDiscardedOnClose uint64                // queued for sending and not sent when the connection ended
	// BytesReceivedDiscarded were received and never handed to logic: an unfinished packet, or what came when nothing
	// more was wanted.
	BytesReceivedDiscarded uint64
	SendBufferHighWater    uint64 // the most bytes that were seen waiting for one connection
	Closed                 [CloseReasonCount]uint64
}

// AllSendsDropped is the sum of SendsDropped.
func (s *Stats) AllSendsDropped() uint64 {
	var all uint64
	for _, count := range s.SendsDropped {
		all += count
	}
	return all
}
