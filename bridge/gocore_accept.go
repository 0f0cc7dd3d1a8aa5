package bridge

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// The pause after a failed accept grows from the first to the second while accepts go on failing.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// acceptLoop is the accept goroutine. Accepts that the system fails (no file handles left, as a rule) are tried again
// after a pause, and only the first of a row is logged: there may be thousands.
func (s *goServer) acceptLoop() {
	defer s.goroutines.Done()
	defer close(s.acceptEnded)
	defer s.queue.noMoreConnections()
	pause := acceptPauseMin
	refusing := false
	for {
		accepted, err := s.listener.Accept()
		if s.stopping.Load() {
			if err == nil {
				accepted.Close()
			}
			return
		}
		if err != nil {
			s.counters.acceptErrors.Add(1)
			if clientGone(err) {
				continue // it says nothing about the next one
			}
			if pause == acceptPauseMin {
				s.logger.Warn("accepting failed, trying again", zap.Error(err))
			}
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-s.stopped:
				timer.Stop()
				return
			}
			pause = min(2*pause, acceptPauseMax)
			continue
		}
		pause = acceptPauseMin
		slot := s.takeSlot()
		if slot < 0 {
			accepted.Close()
			s.counters.refused.Add(1)
			if !refusing {
				refusing = true
				s.logger.Warn("refusing connections: MaxConnections reached",
					zap.Int("maxConnections", s.config.MaxConnections))
			}
			continue
		}
		refusing = false
		s.admit(slot, accepted.(*net.TCPConn))
	}
}

// clientGone reports that an accept failed because of the client that it was to accept, which has reset the connection
// already. On Linux such a connection is accepted and its first read fails. On Windows the net package passes over what
// Windows itself says then; Wine says something else.
func clientGone(err error) bool {
	const wsaNotConnected, wsaConnectionAborted, wsaConnectionReset = 10057, 10053, 10054
	var number syscall.Errno
	if runtime.GOOS != "windows" || !errors.As(err, &number) {
		return false
	}
	return number == wsaNotConnected || number == wsaConnectionAborted || number == wsaConnectionReset
}

// admit puts a connection into a slot, tells logic and starts reading.
func (s *goServer) admit(slot int, socket *net.TCPConn) {
	if s.config.Nagle {
		_ = socket.SetNoDelay(false) // Go sets TCP_NODELAY by itself; a socket that broke meanwhile says so on reading
	}
	generation := s.generations[slot] + 1
	if generation == 0 {
		generation = 1 // so that no id is ever 0
	}
	s.generations[slot] = generation
	c := newGoConn(s, ConnectionID(generation)<<32|ConnectionID(slot), socket)
	s.counters.accepted.Add(1)
	if entry := s.logger.Check(zap.DebugLevel, "connected"); entry != nil {
		entry.Write(zap.String("peer", c.peer), zap.Uint64("id", uint64(c.id)))
	}
	s.slots[slot].Store(c) // before logic knows the id: it may send at once
	s.queue.addConnection(c)
	s.goroutines.Add(1)
	go c.run()
	if s.stopping.Load() {
		c.end(CloseServerStop) // beginStop may have looked into the slot too early
	}
}

// peerText is an address as logs and MessageConnection show it. A client that came over IPv4 looks so, whatever the
// family of the listen socket.
func peerText(address net.Addr) string {
	parsed, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return address.String()
	}
	return netip.AddrPortFrom(parsed.Addr().Unmap(), parsed.Port()).String()
}
