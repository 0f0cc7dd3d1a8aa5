package bridge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge/stream"
)

// goServer is one run of a goCore, from Start to Stop.
type goServer struct {
	config     Config
	logger     *zap.Logger
	listener   *stream.Listener
	port       int
	queue      *logicQueue
	chunks     *chunkPool
	sendBuffer sync.Pool // *sendBuffer
	counters   goCounters

	// slots has the connection of every slot, nil when the slot is free. The accept goroutine fills a slot, the
	// connection's reader empties it; everybody reads.
	slots       []atomic.Pointer[goConn]
	firstSlot   int      // see goCore
	generations []uint32 // see goCore

	freeMu   sync.Mutex
	free     []int // slots that were used and are free again; the last one is the next to be used, its memory is warm
	unused   int   // slots from here on were never used
	occupied int

	submitMu sync.Mutex
	toWake   []*goConn // scratch of submit

	limitsMu sync.Mutex // for setLimits
	limits   atomic.Pointer[goLimits]

	notAccepting atomic.Bool   // the listener is closed
	stopping     atomic.Bool   // no more accepting and reading
	stopped      chan struct{} // closed when stopping begins: ends everything that waits for time to pass
	stopOnce     sync.Once
	acceptEnded  chan struct{}
	goroutines   sync.WaitGroup
}

// goCounters are the counters of Stats that are not kept under the queue's lock.
type goCounters struct {
	accepted, refused, refusedAtStop, acceptErrors   atomic.Uint64
	bytesReceived, receivesPaused, receivesThrottled atomic.Uint64
	packetsSent, bytesSent                           atomic.Uint64
	sendsDropped                                     [SendDropCount]atomic.Uint64
	closeTimeouts, bytesDiscarded                    atomic.Uint64
	bytesReceivedDiscarded                           atomic.Uint64
	sendBufferHighWater                              atomic.Uint64 // with submitMu
	closed                                           [CloseReasonCount]atomic.Uint64
}

// goListen opens the listen socket that config asks for.
func goListen(config *Config) (net.Listener, error) {
	address, _ := config.bindAddr() // validated
	network, host := "tcp", ""
	if address.IsValid() {
		// The family is named, otherwise Go listens on both when the address is 0.0.0.0.
		host, network = address.String(), "tcp6"
		if address.Is4() {
			network = "tcp4"
		}
	}
	hostPort := net.JoinHostPort(host, strconv.Itoa(config.Port))
	lc := net.ListenConfig{KeepAlive: -1} // none
	if ask := config.KeepAlive; ask.Idle != 0 {
		lc.KeepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: ask.Idle, Interval: ask.Interval, Count: ask.Count}
	}
	// Plain TCP, as the native core has it: Go would use MPTCP where it can, which costs and is not what is compared.
	lc.SetMultipathTCP(false)
	listener, err := lc.Listen(context.Background(), network, hostPort)
	if err != nil && host == "" {
		// A system with IPv6 in the kernel and none configured.
		if v4, err4 := lc.Listen(context.Background(), "tcp4", hostPort); err4 == nil {
			return v4, nil
		}
	}
	if err == nil {
		return listener, nil
	}
	result := ResultListenBind
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		switch call.Syscall {
		case "socket":
			result = ResultListenSocket
		case "listen":
			result = ResultListenListen
		}
	}
	reason := err
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		reason = operation.Err
	}
	return nil, &StartError{result, fmt.Sprintf("cannot listen on %s: %v", hostPort, reason)}
}

// newGoServer makes a server around a listener, which it owns from then on. generations must have an element for each
// slot and belongs to the server until stop returns.
func newGoServer(config Config, logger *zap.Logger, listener net.Listener, door *Door, generations []uint32) *goServer {
	if config.MaxRecvOverlapped == 0 {
		config.MaxRecvOverlapped = config.RecvBufferSize
	}
	if config.MaxSendOverlapped == 0 {
		config.MaxSendOverlapped = config.SendBufferSize
	}
	s := &goServer{
		config:      config,
		logger:      logger,
		queue:       newLogicQueue(config.MessagePool, config.ExtraMessagePool),
		chunks:      newChunkPool(&config),
		slots:       make([]atomic.Pointer[goConn], config.MaxConnections),
		generations: generations,
		stopped:     make(chan struct{}),
		acceptEnded: make(chan struct{}),
	}
	now := time.Now()
	s.limits.Store(&goLimits{config.Limits, now, now})
	s.sendBuffer.New = func() any { return new(sendBuffer) }
	s.listener = stream.Listen(&optionListener{listener, &s.config}, s.streamConfig(door))
	if address, err := netip.ParseAddrPort(listener.Addr().String()); err == nil {
		s.port = int(address.Port())
	}
	return s
}

// run starts the goroutines that a server without connections has.
func (s *goServer) run() {
	s.goroutines.Add(1)
	go s.acceptLoop()
	if s.config.PerformancePeriod > 0 {
		s.goroutines.Add(1)
		go s.performanceLoop()
	}
	s.logger.Debug("listening", zap.String("core", "go"), zap.Stringer("address", s.listener.Addr()))
}

// goLimits are the limits that hold, and since when.
type goLimits struct {
	Limits
	timesSince, rateSince time.Time
}

// setLimits: what changes counts anew; what is the same goes on.
func (s *goServer) setLimits(limits Limits) {
	s.limitsMu.Lock()
	defer s.limitsMu.Unlock()
	next := *s.limits.Load()
	now := time.Now()
	if limits.FirstPacketTimeout != next.FirstPacketTimeout || limits.IdleTimeout != next.IdleTimeout {
		next.timesSince = now
	}
	if limits.Rate != next.Rate {
		next.rateSince = now
	}
	next.Limits = limits
	s.limits.Store(&next)
	for i := range s.slots {
		if c := s.slots[i].Load(); c != nil {
			c.limitsChanged()
		}
	}
}

func (s *goServer) stopAccepting() {
	if !s.notAccepting.Swap(true) {
		s.listener.Close()
	}
}

// beginStop ends accepting and reading. It does not wait: the readers deliver what they have and then their Close.
func (s *goServer) beginStop() {
	s.stopOnce.Do(func() {
		s.stopping.Store(true)
		close(s.stopped)
		s.stopAccepting()
		// A connection that is being put into its slot meanwhile sees stopping itself.
		for i := range s.slots {
			if c := s.slots[i].Load(); c != nil {
				c.end(CloseServerStop)
			}
		}
	})
}

// stop ends everything and returns when no goroutine of the server is left.
func (s *goServer) stop(drain time.Duration) {
	deadline := time.Now().Add(drain)
	s.beginStop()
	<-s.acceptEnded // no new connections from here on
	s.queue.stop()
	for i := range s.slots {
		if c := s.slots[i].Load(); c != nil {
			c.stop(deadline)
		}
	}
	s.goroutines.Wait()
	s.listener.Wait()
	s.logger.Debug("stopped", zap.String("core", "go"))
}

// takeSlot is a free slot, or -1.
func (s *goServer) takeSlot() int {
	s.freeMu.Lock()
	defer s.freeMu.Unlock()
	var slot int
	if last := len(s.free) - 1; last >= 0 {
		slot = s.free[last]
		s.free = s.free[:last]
	} else if s.unused < len(s.slots) {
		slot = s.unused
		s.unused++
	} else {
		return -1
	}
	s.occupied++
	return slot
}

// freeSlot makes a slot free for the next connection. The caller has emptied it.
func (s *goServer) freeSlot(slot int) {
	s.freeMu.Lock()
	s.free = append(s.free, slot)
	s.occupied--
	s.freeMu.Unlock()
}

// connection is the connection that id names, nil if it has gone.
func (s *goServer) connection(id ConnectionID) *goConn {
	index := id.Index() - s.firstSlot
	if index < 0 || index >= len(s.slots) {
		return nil
	}
	if c := s.slots[index].Load(); c != nil && c.id == id {
		return c
	}
	return nil
}

func (s *goServer) stats() Stats {
	// First: whoever sees that a connection has gone sees what it counted at its end, too.
	s.freeMu.Lock()
	occupied := s.occupied
	s.freeMu.Unlock()
	n := &s.counters
	stats := Stats{
		ConnectionsCurrent:    uint64(occupied),
		ConnectionsAccepted:   n.accepted.Load(),
		ConnectionsRefused:    n.refused.Load(),
		RefusedAtStop:         n.refusedAtStop.Load(),
		AcceptErrors:          n.acceptErrors.Load(),
		BytesReceived:         n.bytesReceived.Load(),
		PacketsSent:           n.packetsSent.Load(),
		BytesSent:             n.bytesSent.Load(),
		ReceivesPaused:        n.receivesPaused.Load(),
		ReceivesThrottled:     n.receivesThrottled.Load(),
		CloseTimeouts:         n.closeTimeouts.Load(),
		BytesDiscardedOnClose: n.bytesDiscarded.Load(),

		BytesReceivedDiscarded: n.bytesReceivedDiscarded.Load(),
		SendBufferHighWater:    n.sendBufferHighWater.Load(),
	}
	for reason := range stats.SendsDropped {
		stats.SendsDropped[reason] = n.sendsDropped[reason].Load()
	}
	for reason := range stats.Closed {
		stats.Closed[reason] = n.closed[reason].Load()
	}
	s.queue.addStats(&stats)
	return stats
}

// performanceLoop logs once a period what went through the server.
func (s *goServer) performanceLoop() {
	defer s.goroutines.Done()
	ticker := time.NewTicker(s.config.PerformancePeriod)
	defer ticker.Stop()
	last, lastTime := s.stats(), time.Now()
	for {
		select {
		case <-s.stopped:
			return
		case <-ticker.C:
		}
		now, nowTime := s.stats(), time.Now()
		seconds := nowTime.Sub(lastTime).Seconds()
		s.logger.Info("performance",
			zap.Float64("packets_received_per_second", float64(now.PacketsReceived-last.PacketsReceived)/seconds),
			zap.Float64("packets_sent_per_second", float64(now.PacketsSent-last.PacketsSent)/seconds),
			zap.Uint64("connections", now.ConnectionsCurrent),
			zap.Uint64("messages_in_use", now.MessagesInUse))
		last, lastTime = now, nowTime
	}
}
