package load

import (
	"context"
	"encoding/binary"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"iocpnetlib/cmd/internal/chatbench/scenario"
	"iocpnetlib/internal/chatmodel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	echoClosed = "workload = \"echo\"\nconnections = 3\nin_flight = 4"
	echoOpen   = "workload = \"echo\"\nconnections = 3\nrate = 2000"
	roomClosed = "workload = \"room\"\nrooms = 2\nmembers = 4\nin_flight = 3"
	roomCrowd  = "workload = \"room\"\nrooms = 1\nmembers = 2\nin_flight = 9" // members with several chats in flight
	roomOpen   = "workload = \"room\"\nrooms = 2\nmembers = 4\nrate = 500"
	mixed      = "workload = \"mixed\"\nrooms = 3\nmembers = 4\nrate = 500\nmove_share = 0.2\nreconnect_share = 0.1"
)

func TestRightServersPass(t *testing.T) {
	for _, text := range []string{echoClosed, echoOpen, roomClosed, roomCrowd, roomOpen, mixed,
		"workload = \"idle\"\nconnections = 10", "workload = \"idle\"\nconnections = 10\nin_flight = 1"} {
		t.Run(text, func(t *testing.T) {
			start := startChatModel
			if strings.Contains(text, "connections") {
				start = startEchoModel
			}
			m := runShort(t, start(t, honest), text)
			assert.Empty(t, m.Failures)
			if strings.Contains(text, "idle") {
				return
			}
			assert.Positive(t, m.Messages)
			assert.Positive(t, m.Latency.Quantiles().Count)
			assert.Equal(t, strings.Contains(text, "rate"), m.Lag != nil)
		})
	}
}

// once tampers with one packet, behind the first ones: with those, everybody arrives.
func once(isIt func(string) bool, change func(packet string) []byte) tamper {
	const arrivals = 24 // of the 12 clients of mixed; the others have fewer
	done := false
	return func(_, number int, packet string) []byte {
		if done || number <= arrivals && chatmodel.ID(packet) != echoPacketID || !isIt(packet) {
			return []byte(packet)
		}
		done = true
		return change(packet)
	}
}

func flipped(at int) func(string) []byte {
	return func(packet string) []byte {
		changed := []byte(packet)
		changed[(at+len(changed))%len(changed)] ^= 1
		return changed
	}
}

func isNotify(packet string) bool { return chatmodel.ID(packet) == chatmodel.NotifyID }
func isAnswer(packet string) bool { return chatmodel.ID(packet) == 215 }
func isAny(string) bool           { return true }

// Whatever a server does wrong is noticed. Of who moves, one thing is not: see hearing.hear.
func TestWrongServersAreNoticed(t *testing.T) {
	settled := strings.NewReplacer("share = 0.2", "share = 0", "share = 0.1", "share = 0").Replace(mixed)
	drop := func(string) []byte { return []byte{} }
	double := func(packet string) []byte { return []byte(packet + packet) }
	end := func(string) []byte { return nil }
	for _, c := range []struct {
		name, text string
		change     func(string) []byte
		of         func(string) bool
	}{
		{"echo, a changed body", echoClosed, flipped(-1), isAny},
		{"echo, a changed type", echoClosed, flipped(4), isAny},
		{"echo, one is missing", echoClosed, drop, isAny},
		{"echo, one comes twice", echoClosed, double, isAny},
		{"echo, an end", echoClosed, end, isAny},
		{"echo, open loop, one is missing", echoOpen, drop, isAny},
		{"echo, open loop, one comes twice", echoOpen, double, isAny},
		{"room, a changed type", roomClosed, flipped(4), isNotify},
		{"room, a changed name", roomClosed, flipped(6), isNotify},
		{"room, another member's name", roomClosed, flipped(5 + 13), isNotify},
		{"room, rubbish behind the name", roomClosed, flipped(5 + 20), isNotify},
		{"room, a changed number", roomClosed, flipped(5 + 21 + 9), isNotify},
		{"room, a changed text", roomClosed, flipped(5 + 21 + 15), isNotify},
		{"room, rubbish behind the text", roomClosed, flipped(-1), isNotify},
		{"room, a notify is missing", roomClosed, drop, isNotify},
		{"room, a notify comes twice", roomClosed, double, isNotify},
		{"room, a chat is refused", roomClosed, flipped(5), isAnswer},
		{"room, an answer is missing", roomClosed, drop, isAnswer},
		{"room, an answer comes twice", roomClosed, double, isAnswer},
		{"room, an end", roomClosed, end, isNotify},
		{"room, a packet of another kind", roomClosed, func(packet string) []byte {
			return []byte(packet + chatmodel.LeaveResponse(0))
		}, isNotify},
		{"room, open loop, a notify is missing", roomOpen, drop, isNotify},
		{"mixed, a notify is missing", settled, drop, isNotify},
		{"mixed, a notify comes twice", mixed, double, isNotify},
		{"mixed, a changed room", mixed, flipped(5 + 21 + 8), isNotify},
		{"mixed, an answer is missing", mixed, drop, isAnswer},
		{"mixed, an end", mixed, end, isNotify},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := startChatModel
			if strings.HasPrefix(c.text, "workload = \"echo") {
				start = startEchoModel
			}
			m := runShort(t, start(t, once(c.of, c.change)), c.text)
			assert.Positive(t, m.FailureCount)
			t.Logf("%s", m.Failures)
		})
	}
}

// Two packets that change places are noticed by the client that gets them, or, where each client gets a right order of
// its own, by comparison.
func TestAnotherOrderIsNoticed(t *testing.T) {
	o := newChatOrder(2, 4)
	for place, chat := range [][2]int{{0, 0}, {1, 0}, {0, 1}} {
		same, last := o.hear(int64(place), chat[0], int64(chat[1]))
		assert.True(t, same)
		assert.False(t, last)
	}
	same, last := o.hear(0, 0, 0)
	assert.True(t, same)
	assert.True(t, last)
	same, _ = o.hear(1, 0, 1)
	assert.False(t, same)
}

// A place of the order is free again when everybody has been there.
func TestTheOrderIsUsedAgain(t *testing.T) {
	o := newChatOrder(3, 1)
	for place := range int64(1000) {
		for member := range 3 {
			same, last := o.hear(place, int(place%3), place)
			require.True(t, same)
			require.Equal(t, member == 2, last)
		}
	}
}

func TestARunThatIsStopped(t *testing.T) {
	s, err := scenario.Parse([]byte("name = \"test\"\nduration = \"1h\"\n" + roomClosed))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Run(ctx, s, Options{Address: startChatModel(t, honest), Progress: func(p Progress) {
		if p.Rate > 0 {
			cancel()
		}
	}})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAServerThatIsNotThere(t *testing.T) {
	s, err := scenario.Parse([]byte("name = \"test\"\n" + echoClosed))
	require.NoError(t, err)
	_, err = Run(context.Background(), s, Options{Address: "127.0.0.1:1"})
	assert.ErrorContains(t, err, " of 3: ")
}

// A server that reads nothing does not keep the run from ending.
// A connection whose client has everything back may end by a reset; one that ends like that before may not.
func TestAServerThatResets(t *testing.T) {
	const scenario = "workload = \"echo\"\nconnections = 3\nsize = 64\nin_flight = 2\n"
	m := runShort(t, startResettingEcho(t, math.MaxInt), scenario)
	assert.Empty(t, m.Failures)
	assert.NotZero(t, m.Messages)
	m = runShort(t, startResettingEcho(t, 10), scenario)
	assert.NotEmpty(t, m.Failures)
}

func TestAServerThatDoesNotRead(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	m := runShort(t, listener.Addr().String(), "workload = \"echo\"\nconnections = 2\nrate = 100000\nsize = 60000")
	assert.Positive(t, m.FailureCount)
	t.Logf("%s", m.Failures)
}

func TestSourceAddresses(t *testing.T) {
	assert.Nil(t, sourceAddress("127.0.0.1:1", connectionsPerSource-1))
	assert.Equal(t, "127.0.0.3", sourceAddress("127.0.0.1:1", connectionsPerSource).IP.String())
	assert.Nil(t, sourceAddress("10.0.0.1:1", connectionsPerSource))
	assert.Nil(t, sourceAddress("localhost:1", connectionsPerSource))
}

func TestEchoPacketsHaveTheirSize(t *testing.T) {
	packets := echoPackets(20, 3)
	require.Len(t, packets, 60)
	for i := range 3 {
		assert.EqualValues(t, 20, binary.LittleEndian.Uint16(packets[20*i:]))
	}
}

func TestTimetable(t *testing.T) {
	table := newTimetable(1000, 1e6) // one each microsecond
	assert.EqualValues(t, 1000, table.due(0))
	assert.EqualValues(t, 6000, table.due(5))
	assert.EqualValues(t, 0, table.dueBy(999))
	assert.EqualValues(t, 1, table.dueBy(1000))
	assert.EqualValues(t, 6, table.dueBy(6999))
}
