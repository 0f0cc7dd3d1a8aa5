package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/latency"
)

// echoPacketID is the id of the packets. A server that sends packets back does not look at it.
const echoPacketID = 300

// wsaConnReset is Winsock's WSAECONNRESET: on Windows syscall.ECONNRESET is a number of Go's own.
const wsaConnReset = syscall.Errno(10054)

// clientBits is where the number of a packet has its client: so no two packets of a run are the same, and one that
// reaches the wrong client is noticed.
const clientBits = 40

// echoClients send packets that have to come back as they are.
type echoClients struct {
	*run
	all       []*echoClient
	listeners sync.WaitGroup
	answered  sync.WaitGroup // clients whose packets have all come back after the end of the window
	sender    *echoSender    // in an open loop
}

func newEchoClients(r *run) *echoClients { return &echoClients{run: r} }

func (c *echoClients) connect(ctx context.Context) error {
	s := c.scenario
	c.all = make([]*echoClient, s.Connections)
	return each(ctx, s.Connections, func(index int) error {
		conn, err := c.dial(ctx, index)
		if err != nil {
			return err
		}
		c.all[index] = newEchoClient(c, conn, index)
		return nil
	})
}

func (c *echoClients) start() {
	c.answered.Add(len(c.all))
	if c.scenario.OpenLoop() {
		c.sender = newEchoSender(c)
	}
	for _, client := range c.all {
		c.listeners.Go(client.run)
	}
	if c.sender != nil {
		c.sender.start()
	}
}

func (c *echoClients) settle(ctx context.Context) {
	if c.sender != nil {
		if !c.waitSender(ctx, c.sender.ended) {
			return
		}
		c.stopping.orderly.Store(true)
		for _, client := range c.all {
			client.endIfAllBack()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.answered.Wait()
	}()
	c.settled(ctx, done)
}

// settled waits until all packets are back, and then for the ends of the connections.
func (c *echoClients) settled(ctx context.Context, done <-chan struct{}) {
	if c.waitUntil(ctx, done) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.listeners.Wait()
		}()
		if c.waitUntil(ctx, ended) {
			return
		}
	}
	if _, count := c.failures.First(); count > 0 || ctx.Err() != nil {
		return
	}
	for _, client := range c.all {
		if sent, received := client.sent.Load(), client.received.Load(); received < sent {
			c.failures.Add("client %d misses %d of its packets since %v", client.index, sent-received, c.options.Patience)
		}
	}
	if _, count := c.failures.First(); count == 0 {
		c.failures.Add("the server does not end connections that their clients have ended, since %v", c.options.Patience)
	}
}

func (c *echoClients) shut() {
	c.stopping.cut.Store(true)
	c.window.end()
	for _, client := range c.all {
		if client != nil {
			client.interrupt()
		}
	}
	if c.sender != nil {
		c.sender.wait()
	}
	c.listeners.Wait()
	for _, client := range c.all {
		if client != nil {
			client.close()
		}
	}
}

func (c *echoClients) messages() (sum int64) {
	for _, client := range c.all {
		sum += client.received.Load()
	}
	return sum
}

func (c *echoClients) counted() (sum int64) {
	for _, client := range c.all {
		sum += client.inWindow
	}
	return sum
}

// echoClient is one connection. Its goroutine reads, and writes in a closed loop.
type echoClient struct {
	stream
	clients *echoClients
	index   int

	burst  []byte   // packets to send, all but their numbers written once; in an open loop nil
	expect []byte   // the packet that has to come next
	sentAt []moment // by number modulo their count; in an open loop nil

	sent, received atomic.Int64 // packets
	latencies      *latency.Recorder
	inWindow       int64 // packets received in the window
	isAnswered     sync.Once
}

func newEchoClient(c *echoClients, conn *connection, index int) *echoClient {
	s := c.scenario
	client := &echoClient{clients: c, index: index, expect: echoPackets(s.Size, 1),
		latencies: latency.NewRecorder(c.latency)}
	client.conn, client.buffer = conn, make([]byte, bufferSize(s.Connections, s.Size))
	if !s.OpenLoop() {
		client.burst = echoPackets(s.Size, s.InFlight)
		client.sentAt = make([]moment, s.InFlight)
	}
	return client
}

// echoPackets are packets without their numbers.
func echoPackets(size, count int) []byte {
	packets := make([]byte, 0, size*count)
	for range count {
		packets = binary.LittleEndian.AppendUint16(packets, uint16(size))
		packets = binary.LittleEndian.AppendUint16(packets, echoPacketID)
		packets = append(packets, 0)
		for i := bridge.HeaderLength; i < size; i++ {
			packets = append(packets, byte(i*7+i>>8)) // no two places that could be confused look the same
		}
	}
	return packets
}

func putEchoNumber(packet []byte, client int, number int64) {
	binary.LittleEndian.PutUint64(packet[bridge.HeaderLength:], uint64(client)<<clientBits|uint64(number))
}

func (e *echoClient) run() {
	defer e.markAnswered()
	defer e.latencies.Flush()
	var err error
	if e.burst != nil {
		err = e.send(len(e.sentAt), e.clients.window.now())
	}
	if err == nil {
		err = e.read(e)
	}
	if (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, wsaConnReset)) && e.ending() {
		err = nil // every packet is back; a server may end its connections in that way
	}
	if err == nil && !e.ending() {
		err = errors.New("the server has ended the connection")
	}
	if err != nil && !e.clients.stopping.cut.Load() {
		e.clients.failures.Add("client %d: %v", e.index, err)
	}
}

// ending tells whether the client has received everything and said so.
func (e *echoClient) ending() bool {
	w := e.clients.window
	return e.allBack() && w.over(w.now()) && (e.burst != nil || e.clients.stopping.orderly.Load())
}

func (e *echoClient) allBack() bool { return e.received.Load() == e.sent.Load() }

func (e *echoClient) markAnswered() { e.isAnswered.Do(e.clients.answered.Done) }

// send sends packets in one write.
func (e *echoClient) send(count int, now moment) error {
	size, number := len(e.expect), e.sent.Load()
	for i := range count {
		putEchoNumber(e.burst[i*size:], e.index, number)
		e.sentAt[number%int64(len(e.sentAt))] = now
		number++
	}
	e.sent.Store(number)
	_, err := e.conn.Write(e.burst[:count*size])
	return err
}

func (e *echoClient) receive(data []byte) (used int, err error) {
	w := e.clients.window
	now := w.now()
	size, first := len(e.expect), e.received.Load()
	number := first
	for ; len(data)-used >= size; used += size {
		putEchoNumber(e.expect, e.index, number)
		if !bytes.Equal(data[used:used+size], e.expect) {
			return used, fmt.Errorf("packet %d came back as %x where %x has to come", number, data[used:used+size], e.expect)
		}
		e.recordLatency(number, now)
		number++
	}
	if number == first {
		return used, nil
	}
	e.received.Store(number)
	if w.has(now) {
		e.inWindow += number - first
	}
	if e.burst == nil {
		if e.clients.stopping.orderly.Load() { // before that, the sender may be about to send the next
			e.endIfAllBack()
		}
		return used, nil
	}
	if w.over(now) {
		e.endIfAllBack()
		return used, nil
	}
	return used, e.send(int(number-first), now)
}

// recordLatency records how long a packet took that has come back now: in a closed loop from its sending, in an open
// loop from when it was due, and then those count that were due in the window.
func (e *echoClient) recordLatency(number int64, now moment) {
	w := e.clients.window
	if e.burst != nil {
		if w.has(now) {
			e.latencies.Record(time.Duration(now - e.sentAt[number%int64(len(e.sentAt))]))
		}
		return
	}
	if due := e.clients.sender.due(number, e.index); w.has(due) {
		e.latencies.Record(time.Duration(now - due))
	}
}

// endIfAllBack ends the sending side when every packet is back. Whatever comes after that is wrong.
func (e *echoClient) endIfAllBack() {
	if e.allBack() {
		e.markAnswered()
		e.endWriting()
	}
}
