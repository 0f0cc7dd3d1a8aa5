package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/doorclient"
)

const (
	crowdMembers  = 50 // of each room
	crowdMessages = 4  // of each member
)

// heard is one notify: who said it, as a number within the room, and the how manyth message of that member it was.
type heard struct{ member, message int }

// crowdClient is one of many clients. It runs on its own goroutine and returns what is wrong as an error.
type crowdClient struct {
	room, member int
	kind         doorclient.Kind
	hostPort     string
	conn         *doorclient.Socket
	reader       *bufio.Reader
	heard        []heard
}

func (c *crowdClient) user() string { return fmt.Sprintf("r%02d-m%02d", c.room, c.member) }

func crowdText(room int, h heard) string {
	return fmt.Sprintf("방 %d: %d/%d", room, h.member, h.message)
}

func (c *crowdClient) expect(want string) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.reader, got); err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("got %q instead of %q", got, want)
	}
	return nil
}

// arrive connects, logs in and enters.
func (c *crowdClient) arrive() error {
	conn, err := enter(c.kind, c.hostPort)
	if err != nil {
		return err
	}
	c.conn, c.reader = conn, bufio.NewReaderSize(conn, 8<<10)
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, loginRequest(c.user())+enterRequest(int32(c.room))); err != nil {
		return err
	}
	if err := c.expect(loginResponse(0)); err != nil {
		return err
	}
	var enter [28]byte
	if _, err := io.ReadFull(c.reader, enter[:]); err != nil {
		return err
	}
	if want := enterResponse(0, ""); string(enter[:7]) != want[:7] { // who was there first is left to chance
		return fmt.Errorf("entering was answered with %q", enter)
	}
	return nil
}

// talk says everything at once and listens until all that everybody says has come.
func (c *crowdClient) talk() error {
	var speech strings.Builder
	for i := range crowdMessages {
		speech.WriteString(chatRequest(crowdText(c.room, heard{c.member, i})))
	}
	if _, err := io.WriteString(c.conn, speech.String()); err != nil {
		return err
	}
	responses, own := 0, 0
	for responses < crowdMessages || len(c.heard) < crowdMembers*crowdMessages {
		var header [5]byte
		if _, err := io.ReadFull(c.reader, header[:]); err != nil {
			return fmt.Errorf("after %d responses and %d notifies: %w", responses, len(c.heard), err)
		}
		rest := make([]byte, int(binary.LittleEndian.Uint16(header[:]))-len(header))
		if _, err := io.ReadFull(c.reader, rest); err != nil {
			return err
		}
		packet := string(header[:]) + string(rest)
		if packet == chatResponse(0) {
			responses++
			continue
		}
		h, err := c.parse(packet)
		if err != nil {
			return err
		}
		if h.member == c.member {
			own++
			if own > responses {
				return errors.New("the sender's notify came before its response")
			}
		}
		c.heard = append(c.heard, h)
	}
	return nil
}

// parse takes a notify apart, and checks that it is that notify to the last byte.
func (c *crowdClient) parse(packet string) (heard, error) {
	var h heard
	var room int
	if len(packet) != 283 {
		return h, fmt.Errorf("a packet %q", packet)
	}
	if _, err := fmt.Sscanf(strings.TrimRight(packet[26:], "\x00"), "방 %d: %d/%d", &room, &h.member,
		&h.message); err != nil {
		return h, fmt.Errorf("a packet %q: %w", packet, err)
	}
	sender := crowdClient{room: c.room, member: h.member}
	if packet != chatNotify(sender.user(), crowdText(c.room, h)) {
		return h, fmt.Errorf("in room %d a packet %q", c.room, packet)
	}
	return h, nil
}

// A thousand clients in twenty rooms, all chatting at once: everybody hears everything that is said in the room,
// once, and all members of a room in the same order.
func TestACrowd(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		gatherCrowd(t, 20, core, nil, tcpDoor)
	})
}

// The same for members that come into each room by all doors. A client takes more of them than on plain TCP, so they
// are fewer.
func TestACrowdThroughAllDoors(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		gatherCrowd(t, 5, core, nil, allDoors...)
	})
	t.Run("without plain TCP", func(t *testing.T) {
		gatherCrowd(t, 5, coresUnderTest()[0].option, []string{"--port", "-1"}, otherDoors...)
	})
}

// gatherCrowd lets the members of each room come by these doors in turn.
func gatherCrowd(t *testing.T, rooms int, core string, options []string, kinds ...doorclient.Kind) {
	t.Helper()
	options = append(options, "--max-connections", fmt.Sprint(rooms*crowdMembers), "--max-rooms", fmt.Sprint(rooms),
		"--max-room-users", fmt.Sprint(crowdMembers))
	server := startServer(t, core, append(doorOptions(t, slices.DeleteFunc(slices.Clone(kinds), doorclient.Kind.IsPlain)...), options...)...)
	var clients []*crowdClient
	for room := range rooms {
		for member := range crowdMembers {
			kind := kinds[member%len(kinds)]
			clients = append(clients, &crowdClient{room: room, member: member, kind: kind, hostPort: server.hostPort(kind)})
		}
	}
	defer func() {
		for _, c := range clients {
			if c.conn != nil {
				_ = c.conn.Close()
			}
		}
	}()
	all := func(what string, do func(c *crowdClient) error) {
		errs := make([]error, len(clients))
		var group sync.WaitGroup
		for i, c := range clients {
			group.Go(func() {
				if err := do(c); err != nil {
					errs[i] = fmt.Errorf("%s: %s: %w", c.user(), what, err)
				}
			})
		}
		group.Wait()
		require.NoError(t, errors.Join(errs...))
	}
	// Everybody is in before anybody talks, or the early ones would be heard by some only.
	all("arriving", (*crowdClient).arrive)
	all("talking", (*crowdClient).talk)
	for room := range rooms {
		compareRoom(t, clients[room*crowdMembers:(room+1)*crowdMembers])
	}
	// Nothing came on top of it.
	all("leaving", func(c *crowdClient) error {
		if _, err := io.WriteString(c.conn, leaveRequest()); err != nil {
			return err
		}
		return c.expect(leaveResponse(0))
	})
}

// compareRoom looks at what the members of a room have heard.
func compareRoom(t *testing.T, members []*crowdClient) {
	t.Helper()
	room := members[0].room
	times := map[heard]int{}
	for _, h := range members[0].heard {
		times[h]++
	}
	require.Len(t, times, crowdMembers*crowdMessages, "room %d", room)
	for h, n := range times {
		require.Equal(t, 1, n, "room %d, %v", room, h)
	}
	next := make([]int, crowdMembers)
	for _, h := range members[0].heard {
		require.Equal(t, next[h.member], h.message, "room %d: what %d said is out of order", room, h.member)
		next[h.member]++
	}
	for _, c := range members[1:] {
		require.True(t, slices.Equal(members[0].heard, c.heard), "room %d: %s heard another order than %s",
			room, c.user(), members[0].user())
	}
}
