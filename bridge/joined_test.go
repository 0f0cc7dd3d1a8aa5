package bridge

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"iocpnetlib/bridge/stream"
	"iocpnetlib/internal/doorclient"
)

// Several doors at once. What each of them does is the contract's; here it is what they do together.

// house is a joined core with a door of every kind.
type house struct {
	*subject
	kinds []doorclient.Kind // of the ports, as Doors has them
}

// openHouse makes a house around core, which may be nil.
func openHouse(t *testing.T, core Core, isInline bool) *house {
	t.Helper()
	secure, _ := testCertificate()
	web := &stream.WebSocket{MaxMessage: 1 << 20}
	h := &house{kinds: []doorclient.Kind{{TLS: true}, {WebSocket: true}, {TLS: true, WebSocket: true}}}
	doors := []Door{{Name: "tls", TLS: secure}, {Name: "ws", WebSocket: web}, {Name: "wss", TLS: secure, WebSocket: web}}
	if core != nil {
		h.kinds = slices.Insert(h.kinds, 0, doorclient.Kind{})
	}
	joined := Join(core, nil, doors...)
	h.subject = &subject{t: t, kind: testCore{isInline: isInline}, core: joined}
	t.Cleanup(func() { assert.NoError(t, joined.Close()) })
	return h
}

// onEachHouse runs a test on houses around every core, and on one without.
func onEachHouse(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	for _, c := range append(coresUnderTest(), testCore{name: "none"}) {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { goleak.VerifyNone(t) })
			if c.name == "none" {
				test(t, openHouse(t, nil, false))
				return
			}
			h := openHouse(t, c.open(t, nil), c.isInline)
			h.subject.kind.io = c.io
			test(t, h)
		})
	}
}

// visit connects through each door, and returns the clients and what logic calls them.
func (h *house) visit() ([]*client, []ConnectionID) {
	h.t.Helper()
	var ids []ConnectionID
	clients := h.comeIn(func() { ids = append(ids, h.expectConnection()) })
	return clients, ids
}

// comeIn connects through each door, and calls isIn after each.
func (h *house) comeIn(isIn func()) []*client {
	h.t.Helper()
	var clients []*client
	for i, door := range Doors(h.core) {
		c, err := connect(h.t, "127.0.0.1", door.Port)
		require.NoError(h.t, err)
		h.t.Cleanup(func() { c.socket.Close() })
		_, config := testCertificate()
		c.socket, err = doorclient.Enter(c.socket.TCPConn, h.kinds[i], config, 1024)
		require.NoError(h.t, err)
		c.reader.Reset(c.socket)
		clients = append(clients, c)
		isIn()
	}
	return clients
}

func TestJoinedClientsHearTheSame(t *testing.T) {
	onEachHouse(t, func(t *testing.T, h *house) {
		config := testConfig()
		h.start(config)
		const guests, chats = 3, 100
		// Every client says something to all; logic numbers it.
		var ids []ConnectionID
		slots := map[int]bool{}
		number := 0
		isIn := make(chan struct{})
		h.runLogic(func(m *Message, batch *SendBatch) {
			switch m.Type {
			case MessageConnection:
				assert.Less(t, m.ID.Index(), config.MaxConnections*len(h.kinds))
				assert.False(t, slots[m.ID.Index()])
				slots[m.ID.Index()] = true
				ids = append(ids, m.ID)
				isIn <- struct{}{}
			case MessageRecv:
				batch.Broadcast(ids, numbered(0, number, 32))
				batch.Send(m.ID, packetOf(1, m.Data[HeaderLength:]))
				number++
			case MessageClose:
			}
		})
		var clients []*client
		for range guests {
			clients = append(clients, h.comeIn(func() { <-isIn })...)
		}
		var all sync.WaitGroup
		for who, c := range clients {
			all.Go(func() {
				for i := range chats {
					if _, err := c.socket.Write(numbered(who, i, 20)); !assert.NoError(t, err) {
						return
					}
				}
			})
			all.Go(func() {
				heard, answers := 0, 0
				for heard < chats*len(clients) || answers < chats {
					packet, err := c.read()
					if !assert.NoError(t, err) {
						return
					}
					if len(packet) == 20 {
						sender, i := senderOf(packet)
						assert.Equal(t, []int{who, answers}, []int{sender, i})
						answers++
						continue
					}
					if !assert.Equal(t, numbered(0, heard, 32), packet) {
						return
					}
					heard++
				}
			})
		}
		all.Wait()
	})
}

// A crowd at one door does not hold up the others for longer than a batch.
func TestJoinedDoorsAreServedInTurn(t *testing.T) {
	for _, try := range []struct{ crowded, batch int }{{0, 8}, {1, 8}, {2, 8}, {0, 1}, {1, 1}, {2, 1}} {
		crowded, batch := try.crowded, try.batch
		h := openHouse(t, NewGoCore(nil), false)
		h.start(testConfig())
		clients, ids := h.visit()
		h.expectNothing()
		const many = 500
		for number := range many {
			clients[crowded].write(numbered(crowded, number, 20))
		}
		h.eventually("the crowd has come", func(stats Stats) bool { return stats.PacketsReceived == many })
		others := map[ConnectionID]bool{}
		for i, c := range clients {
			if i != crowded {
				c.write(numbered(i, 0, 20))
				others[ids[i]] = true
			}
		}
		h.eventually("the others, too", func(stats Stats) bool { return stats.PacketsReceived == many+uint64(len(others)) })
		messages := make([]Message, batch)
		for polls := 0; len(others) > 0; polls++ {
			require.Less(t, polls, 2*len(clients), "door %d is crowded, %d others wait", crowded, len(others))
			n, err := h.core.Poll(messages, 0)
			require.NoError(t, err)
			for i := range messages[:n] {
				delete(others, messages[i].ID)
			}
		}
		require.NoError(t, h.core.Stop(0))
	}
}

// One message at a time serves all doors, too: those behind the first do not keep it from its turn.
func TestJoinedOneMessageAtATime(t *testing.T) {
	onEachHouse(t, func(t *testing.T, h *house) {
		h.start(testConfig())
		clients, ids := h.visit()
		const each = 20
		for number := range each {
			for who, c := range clients {
				c.write(numbered(who, number, 20))
			}
		}
		next := map[ConnectionID]int{}
		for range each * len(clients) {
			m := h.next()
			_, number := senderOf(m.data)
			require.Equal(t, next[m.id], number)
			next[m.id]++
		}
		for _, id := range ids {
			require.Equal(t, each, next[id])
		}
	})
}

func TestJoinedStopTellsOfEveryClient(t *testing.T) {
	onEachHouse(t, func(t *testing.T, h *house) {
		for range 2 { // it can be started again
			h.start(testConfig())
			clients, ids := h.visit()
			for _, c := range clients {
				c.write(packetOf(1, nil))
			}
			for range clients {
				require.Equal(t, MessageRecv, h.next().kind)
			}
			require.NoError(t, h.core.BeginStop())
			closed := map[ConnectionID]bool{}
			for {
				m, err := h.nextOrError()
				if errors.Is(err, ErrStopped) {
					break
				}
				require.NoError(t, err)
				require.Equal(t, CloseServerStop, m.reason)
				closed[m.id] = true
			}
			require.Len(t, closed, len(ids))
			require.NoError(t, h.core.Stop(0))
			for _, c := range clients {
				c.expectEnd()
				c.close()
			}
			_, err := h.core.Poll(make([]Message, 1), 0)
			require.ErrorIs(t, err, ErrNotStarted)
			require.Equal(t, uint64(len(ids)), h.core.Stats().Closed[CloseServerStop])
		}
	})
}

func TestJoinedStartThatFailsAtADoor(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	secure, _ := testCertificate()
	free := Door{Name: "tls", TLS: secure}
	core := Join(NewGoCore(nil), nil, free, Door{Name: "second", TLS: secure, Port: taken.Addr().(*net.TCPAddr).Port})
	err = core.Start(testConfig())
	var failed *StartError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, ResultListenBind, failed.Result)
	require.ErrorContains(t, err, "door second")
	_, err = core.Poll(make([]Message, 1), 0)
	require.ErrorIs(t, err, ErrNotStarted)
	for _, door := range Doors(core) {
		require.Zero(t, door.Port, "nothing listens")
	}
	require.NoError(t, core.Close())
	goleak.VerifyNone(t)
}

func TestJoinedWithoutDoorsIsTheCore(t *testing.T) {
	core := NewGoCore(nil)
	require.Same(t, core, Join(core, nil))
}
