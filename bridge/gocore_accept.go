package bridge

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge/stream"
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
	var refusals refusalLog
	defer func() { s.logRefusals(refusals.rest()) }()
	for {
		accepted, err := s.listener.Accept()
		if s.notAccepting.Load() {
			if err == nil {
				s.counters.refusedAtStop.Add(1)
				_ = accepted.Close()
			}
			<-s.stopped // until then logic has to wait for more from the connections that are there
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
			s.counters.refused.Add(1) // before the client can know
			_ = accepted.Close()
			s.logRefusals(refusals.add(time.Now()))
			continue
		}
		s.admit(slot, accepted)
	}
}

// refusalLogPeriod is the least time between two lines about refused connections: there may be thousands a second.
const refusalLogPeriod = time.Second

// refusalLog counts the refused connections that no line has told of.
type refusalLog struct {
	count uint64
	last  time.Time // of the last line
}

// add counts a refusal. It returns how many the line that is due tells of, or 0 if none is due.
func (r *refusalLog) add(now time.Time) uint64 {
	r.count++
	if now.Sub(r.last) < refusalLogPeriod {
		return 0
	}
	r.last = now
	return r.rest()
}

// rest returns how many the last line tells of.
func (r *refusalLog) rest() uint64 {
	count := r.count
	r.count = 0
	return count
}

func (s *goServer) logRefusals(count uint64) {
	if count > 0 {
		s.logger.Warn(fmt.Sprintf("%d connections refused: all %d places are taken", count, s.config.MaxConnections),
			zap.Uint64("refused", count), zap.Int("max_connections", s.config.MaxConnections))
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

// optionListener gives connections the socket options that config asks for, before anything is sent to them.
type optionListener struct {
	net.Listener
	config *Config
}

func (l *optionListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	socket := accepted.(*net.TCPConn)
	if l.config.Nagle {
		_ = socket.SetNoDelay(false) // Go sets TCP_NODELAY by itself; a socket that broke meanwhile says so on reading
	}
	var userTimeout time.Duration
	if ask := &l.config.KeepAlive; ask.Idle != 0 {
		userTimeout = ask.Idle + time.Duration(ask.Count)*ask.Interval
	}
	setSendBounds(socket, userTimeout)
	return socket, nil
}

// admit puts a connection into a slot, tells logic and starts reading.
func (s *goServer) admit(slot int, socket stream.Conn) {
	generation := s.generations[slot] + 1
	if generation == 0 {
		generation = 1 // so that no id is ever 0
	}
	s.generations[slot] = generation
	c := newGoConn(s, ConnectionID(generation)<<32|ConnectionID(s.firstSlot+slot), socket)
	s.counters.accepted.Add(1)
	if entry := s.logger.Check(zap.DebugLevel, "connected"); entry != nil {
		entry.Write(zap.String("peer", c.peer), zap.Uint64("connection", uint64(c.id)))
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
	if address == nil {
		return "unknown address"
	}
	parsed, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return address.String()
	}
	return netip.AddrPortFrom(parsed.Addr().Unmap(), parsed.Port()).String()
}
