package bridge

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

// Random streams of bytes, cut at random places, to every core: what logic sees of each connection is compared with
// what splitNaively makes of the stream, and so the cores are compared with each other.
//
// The streams go in waves: some connections at a time, with one configuration. Everything about a wave follows from
// its seed, which a failure names: with it as IOCPNETLIB_DIFFERENTIAL_SEED that wave is the first.
// IOCPNETLIB_DIFFERENTIAL_STREAMS is how many streams each core gets.

const (
	connectionsInWave = 10
	configurations    = 7 // wave by wave
)

// defaultDifferentialStreams is some seconds for each core.
func defaultDifferentialStreams() uint64 {
	const once = configurations * connectionsInWave
	if runtime.GOOS == "windows" {
		return once // where it is tested, under Wine, system calls are slow
	}
	return 8 * once
}

// splitNaively is how a stream becomes packets, by the protocol's words and one byte at a time: it shares nothing with
// the cores. The violation is CloseNone if there is none.
func splitNaively(stream []byte, maxPacketSize int) (packets [][]byte, violation CloseReason) {
	var packet []byte
	for _, b := range stream {
		packet = append(packet, b)
		if len(packet) < 2 {
			continue
		}
		length := int(packet[0]) + 256*int(packet[1])
		if length < 5 {
			return packets, ClosePacketTooShort
		}
		if length > maxPacketSize {
			return packets, ClosePacketTooLong
		}
		if len(packet) == length {
			packets = append(packets, packet)
			packet = nil
		}
	}
	return packets, CloseNone
}

// streamEnd is what the client does after its last byte.
type streamEnd int

const (
	endByClose streamEnd = iota
	endByHalfClose
	endByReset
	streamEndCount
)

func (e streamEnd) String() string { return [...]string{"close", "half-close", "reset"}[e] }

// randomStream is what one client sends, and what has to become of it.
type randomStream struct {
	data      []byte
	writes    []int // how many bytes each write has
	pauses    bool  // between writes, so that they are received one by one
	end       streamEnd
	packets   [][]byte
	violation CloseReason
}

// wave is a configuration and the streams that come at a time.
type wave struct {
	seed    uint64
	name    string
	config  Config
	batch   int  // most messages that logic takes at once
	holds   bool // logic rests before it gives a batch back
	streams []*randomStream
}

func newWave(seed uint64) *wave {
	r := rand.New(rand.NewPCG(seed, 0))
	w := &wave{seed: seed, config: testConfig(), batch: 1 + r.IntN(64)}
	c := &w.config
	c.MaxConnections = connectionsInWave
	largestStream := 20_000
	switch seed % configurations {
	case 0:
		w.name = "usual"
	case 1:
		w.name = "small ring"
		c.MaxPacketSize = HeaderLength + r.IntN(60)
		c.RecvBufferSize = c.MaxPacketSize + r.IntN(2*c.MaxPacketSize)
		c.MaxRecvOverlapped = r.IntN(min(c.RecvBufferSize, 20))
		largestStream = 3000
	case 2:
		w.name = "smallest of everything"
		c.MaxPacketSize, c.RecvBufferSize = HeaderLength, HeaderLength
		c.MessagePool, c.ExtraMessagePool, w.batch = 1, 0, 1
		largestStream = 300
	case 3:
		w.name = "largest packets"
		c.MaxPacketSize = maxPacketSize
		c.RecvBufferSize = maxPacketSize + r.IntN(maxPacketSize)
		largestStream = 200_000
	case 4:
		w.name = "small message pool"
		c.MessagePool, c.ExtraMessagePool = 1+r.IntN(3), r.IntN(3)
	case 5:
		w.name = "logic that holds"
		w.holds = true
		c.MaxPacketSize = 200
		c.RecvBufferSize = 200 + r.IntN(1000)
		c.MessagePool = 1 + r.IntN(200)
		largestStream = 3000
	case 6:
		w.name = "rate limit"
		burst := minRateBurst + time.Duration(r.IntN(5))*time.Millisecond
		c.Rate = RateLimit{PacketsPerSecond: 4000, BytesPerSecond: 1 << 20, Burst: burst}
		largestStream = 8000
	}
	c.SendBufferSize = max(c.SendBufferSize, c.MaxPacketSize)
	for range connectionsInWave {
		w.streams = append(w.streams, newRandomStream(r, c.MaxPacketSize, largestStream))
	}
	return w
}

func newRandomStream(r *rand.Rand, maxPacketSize, largest int) *randomStream {
	s := &randomStream{end: streamEnd(r.IntN(int(streamEndCount))), pauses: r.IntN(4) == 0}
	packet := func() []byte {
		size := HeaderLength
		switch r.IntN(8) {
		case 0:
			size = maxPacketSize
		case 1:
			size = max(HeaderLength, maxPacketSize-r.IntN(4))
		case 2, 3:
			size += r.IntN(maxPacketSize - HeaderLength + 1)
		default:
			size += r.IntN(min(maxPacketSize-HeaderLength, 40) + 1)
		}
		ids := []uint16{201, 206, 209, 214, 300, 0, 65535, uint16(r.Uint32())} // framing knows no ids
		p := packetOf(ids[r.IntN(len(ids))], randomBytes(r, size-HeaderLength))
		p[4] = byte(r.Uint32()) // Type
		return p
	}
	wanted := r.IntN(largest)
	if r.IntN(10) == 0 {
		wanted = 0
	}
	for len(s.data) < wanted {
		s.data = append(s.data, packet()...)
	}
	if r.IntN(3) == 0 { // a broken length, and more of anything after it
		lengths := []int{r.IntN(HeaderLength), r.IntN(HeaderLength), 65535, maxPacketSize + 1,
			maxPacketSize + 1 + r.IntN(65535)}
		length := min(lengths[r.IntN(len(lengths))], 65535) // which is no broken one where packets may be so large
		s.data = append(s.data, byte(length), byte(length>>8))
		s.data = append(s.data, randomBytes(r, r.IntN(50))...)
	}
	switch r.IntN(6) {
	case 0, 1: // a part of a packet
		p := packet()
		s.data = append(s.data, p[:r.IntN(len(p))]...)
	case 2:
		s.data = append(s.data, packet()...)
	case 3:
		s.data = append(s.data, randomBytes(r, r.IntN(50))...)
	}
	s.packets, s.violation = splitNaively(s.data, maxPacketSize)

	largestWrite := []int{1, 3, 50, 1000, 70_000, 1_000_000}[r.IntN(6)]
	if len(s.data) > 1000*largestWrite {
		largestWrite = 1000 // system calls are slow
	}
	for left := len(s.data); left > 0; {
		n := min(left, 1+r.IntN(largestWrite))
		s.writes = append(s.writes, n)
		left -= n
	}
	return s
}

func randomBytes(r *rand.Rand, n int) []byte {
	data := make([]byte, 0, n+8)
	for len(data) < n {
		data = binary.LittleEndian.AppendUint64(data, r.Uint64())
	}
	return data[:n]
}

// send is the client's part. An error is not one where the core ended the connection for a violation.
func (s *randomStream) send(c *client) error {
	err := s.write(c)
	switch {
	case err != nil:
	case s.end == endByHalfClose:
		if err = c.socket.CloseWrite(); err == nil {
			_, err = io.Copy(io.Discard, c.reader)
		}
	case s.end == endByReset:
		err = c.socket.SetLinger(0)
	}
	err = errors.Join(err, c.socket.Close())
	if s.violation != CloseNone {
		return nil
	}
	return err
}

func (s *randomStream) write(c *client) error {
	left := s.data
	for _, n := range s.writes {
		if _, err := c.socket.Write(left[:n]); err != nil {
			return err
		}
		left = left[n:]
		if s.pauses && len(s.writes) < 200 {
			time.Sleep(100 * time.Microsecond)
		}
	}
	return nil
}

// seen is what logic saw of one connection, between its Connection and its Close.
type seen struct {
	packets [][]byte
	reason  CloseReason
}

// judge says what is wrong with what logic saw, nothing if it is as it must be.
func (s *randomStream) judge(saw *seen) string {
	for i, packet := range saw.packets {
		if i >= len(s.packets) {
			return fmt.Sprintf("packet %d should not be: % x", i, packet)
		}
		if !bytes.Equal(packet, s.packets[i]) {
			return fmt.Sprintf("packet %d is % x\nshould be % x", i, packet, s.packets[i])
		}
	}
	reason := s.violation
	if reason == CloseNone {
		reason = ClosePeerClosed
	}
	// A reset overtakes what was sent before it: the client's system drops what it has not sent yet, and the server's
	// may drop what the core has not read. So only the order is certain, not how far the core came. Which reason it is
	// told is up to the system, too: some say "end of the stream" where a reset met a receive that was not under way.
	if s.end == endByReset && (saw.reason == ClosePeerReset || saw.reason == ClosePeerClosed) {
		return ""
	}
	if saw.reason != reason {
		return fmt.Sprintf("closed with %v instead of %v, after %d of %d packets", saw.reason, reason, len(saw.packets),
			len(s.packets))
	}
	if len(saw.packets) != len(s.packets) {
		return fmt.Sprintf("%d of %d packets came", len(saw.packets), len(s.packets))
	}
	return ""
}

// describe is a stream as a failure shows it.
func (s *randomStream) describe() string {
	shown := s.data[:min(len(s.data), 300)]
	return fmt.Sprintf("%d bytes with %d packets, violation %v, %d writes (pauses: %v) beginning with %v, end by %v\n% x",
		len(s.data), len(s.packets), s.violation, len(s.writes), s.pauses, s.writes[:min(len(s.writes), 20)], s.end, shown)
}

// run sends a wave to a core, and returns what logic saw of each stream.
func (w *wave) run(s *subject) []*seen {
	t := s.t
	s.start(w.config)
	defer func() { assert.NoError(t, s.core.Stop(0)) }()
	clients := make([]*client, len(w.streams))
	for i := range clients {
		clients[i] = s.dial()
	}

	// Nothing is sent before logic knows every connection: one that was reset before it was accepted would not be told.
	s.isPolled.Store(true)
	defer s.isPolled.Store(false)
	allAreConnected := make(chan struct{})
	sendErrors := make([]error, len(clients))
	var sending sync.WaitGroup
	for i, c := range clients {
		sending.Go(func() {
			<-allAreConnected
			sendErrors[i] = w.streams[i].send(c)
		})
	}
	saw := w.logic(s, allAreConnected)
	sending.Wait()
	for i, err := range sendErrors {
		assert.NoError(t, err, "client %d", i)
	}

	inOrder := make([]*seen, len(clients))
	var bytesSeen uint64
	for i, c := range clients {
		inOrder[i] = saw[c.address()]
		require.NotNil(t, inOrder[i])
		for _, packet := range inOrder[i].packets {
			bytesSeen += uint64(len(packet))
		}
	}
	s.isPolled.Store(false)
	s.eventually("every byte is accounted for", func(stats Stats) bool {
		return stats.ConnectionsCurrent == 0 && stats.BytesReceived == bytesSeen+stats.BytesReceivedDiscarded
	})
	return inOrder
}

// logic takes the messages of a wave and returns what they say, by the client's address. It looks at the data of a
// batch as late as it may: then whatever overwrites it is found.
func (w *wave) logic(s *subject, allAreConnected chan<- struct{}) map[string]*seen {
	release := sync.OnceFunc(func() { close(allAreConnected) })
	defer release() // whatever happens the clients end

	r := rand.New(rand.NewPCG(w.seed, 1))
	byAddress := map[string]*seen{}
	byID := map[ConnectionID]*seen{}
	messages := make([]Message, w.batch)
	for closes := 0; closes < len(w.streams); {
		n, err := s.core.Poll(messages[:1+r.IntN(w.batch)], patience)
		require.NoError(s.t, err)
		require.NotZero(s.t, n, "no message came, %d connections and %d closes did", len(byID), closes)
		if w.holds && r.IntN(5) == 0 {
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
		for i := range messages[:n] {
			m := &messages[i]
			require.NoError(s.t, s.life.see(m))
			switch m.Type {
			case MessageConnection:
				byID[m.ID] = &seen{}
				byAddress[string(m.Data)] = byID[m.ID]
			case MessageRecv:
				byID[m.ID].packets = append(byID[m.ID].packets, bytes.Clone(m.Data))
			case MessageClose:
				byID[m.ID].reason = m.Reason
				closes++
			}
		}
		if len(byID) == len(w.streams) {
			release()
		}
	}
	s.expectNothing()
	return byAddress
}

// numberFromEnvironment is the value of a variable, or another one if it is not set.
func numberFromEnvironment(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return number
}

func TestCoresSeeTheSameInRandomStreams(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	streams := numberFromEnvironment(t, "IOCPNETLIB_DIFFERENTIAL_STREAMS", defaultDifferentialStreams())
	seed := numberFromEnvironment(t, "IOCPNETLIB_DIFFERENTIAL_SEED", rand.Uint64())
	t.Logf("the first seed is %d", seed)

	cores := coresUnderTest()
	open := make([]Core, len(cores))
	for i, c := range cores {
		open[i] = c.open(t, zap.NewNop())
		t.Cleanup(func() { assert.NoError(t, open[i].Close()) })
	}
	spent := make([]time.Duration, len(cores))
	waves := map[string]int{}
	var packets, byteCount int
	for number := range (streams + connectionsInWave - 1) / connectionsInWave {
		w := newWave(seed + number)
		waves[w.name]++
		results := make([][]*seen, len(cores))
		for i, c := range cores {
			begin := time.Now()
			// A test of its own, so that the clients end with the wave, and that the wave is named where one fails.
			name := fmt.Sprintf("%s, IOCPNETLIB_DIFFERENTIAL_SEED=%d (%s)", c.name, w.seed, w.name)
			if !t.Run(name, func(t *testing.T) { results[i] = w.run(&subject{t: t, kind: c, core: open[i]}) }) {
				return
			}
			spent[i] += time.Since(begin)
		}
		for n, stream := range w.streams {
			var wrong []string
			for i, c := range cores {
				if what := stream.judge(results[i][n]); what != "" {
					wrong = append(wrong, c.name+": "+what)
				}
			}
			if len(wrong) > 0 {
				require.Fail(t, "the cores do not see what was sent", "IOCPNETLIB_DIFFERENTIAL_SEED=%d (%s), stream %d: %s\n%s",
					w.seed, w.name, n, stream.describe(), strings.Join(wrong, "\n"))
			}
			packets += len(stream.packets)
			byteCount += len(stream.data)
		}
	}
	for i, c := range cores {
		t.Logf("%s: %v for %d streams, %d packets, %d bytes", c.name, spent[i].Round(time.Millisecond), streams, packets,
			byteCount)
	}
	t.Logf("waves: %v", waves)
}
