package main

import (
	"math"
	"strings"
	"testing"
)

// The book's scenario: Alice and Bob log in, enter room 1 and greet each other.
func TestAliceAndBob(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		alice, bob := dial(t, server.address()), dial(t, server.address())

		alice.do(loginRequest("Alice"), loginResponse(0))
		bob.do(loginRequest("Bob"), loginResponse(0))
		alice.do(enterRequest(1), enterResponse(0, ""))
		bob.do(enterRequest(1), enterResponse(0, "Alice"))

		const hello, answer = "안녕하세요!", "안녕하세요, Alice! 반가워요."
		alice.do(chatRequest(hello), chatResponse(0), chatNotify("Alice", hello))
		bob.expect(chatNotify("Alice", hello))
		bob.do(chatRequest(answer), chatResponse(0), chatNotify("Bob", answer))
		alice.expect(chatNotify("Bob", answer))

		alice.quiet()
		bob.quiet()
	})
}

// The same scenario, written down once more as the bytes themselves.
func TestAliceAndBobInBytes(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		alice, bob := dial(t, server.address()), dial(t, server.address())
		zeros := func(n int) string { return strings.Repeat("\x00", n) }

		alice.do("\x2f\x00\xc9\x00\x00"+"Alice"+zeros(16)+zeros(21), "\x07\x00\xca\x00\x00\x00\x00")
		bob.do("\x2f\x00\xc9\x00\x00"+"Bob"+zeros(18)+zeros(21), "\x07\x00\xca\x00\x00\x00\x00")
		alice.do("\x09\x00\xce\x00\x00\x01\x00\x00\x00", "\x1c\x00\xcf\x00\x00\x00\x00"+zeros(21))
		bob.do("\x09\x00\xce\x00\x00\x01\x00\x00\x00", "\x1c\x00\xcf\x00\x00\x00\x00"+"Alice"+zeros(16))
		hello := "\xec\x95\x88\xeb\x85\x95\xed\x95\x98\xec\x84\xb8\xec\x9a\x94\x21" // 안녕하세요!
		notify := "\x1b\x01\xd8\x00\x00" + "Alice" + zeros(16) + hello + zeros(241)
		alice.do("\x06\x01\xd6\x00\x00"+hello+zeros(241), "\x07\x00\xd7\x00\x00\x00\x00", notify)
		bob.expect(notify)
		bob.do("\x05\x00\xd1\x00\x00", "\x07\x00\xd2\x00\x00\x00\x00")
	})
}

// Clients in the original's style leave the header's Type as it was in their memory.
func TestTheTypeOfARequestIsNotRead(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		c := dial(t, d.start(t).address())
		request := []byte(loginRequest("Alice"))
		request[4] = 0xcd
		c.do(string(request), loginResponse(0))
	})
}

// Every row of the protocol's Behaviour table.
func TestTheBehaviourTable(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--start-room", "10", "--max-rooms", "2", "--max-room-users", "2",
			"--max-users", "3", "--max-connections", "10")
		address := server.address()

		// In NONE.
		alice := dial(t, address)
		alice.do(enterRequest(10), enterResponse(51, ""))
		alice.do(leaveRequest(), leaveResponse(71))
		alice.do(chatRequest("psst"), chatResponse(81))
		for _, id := range []string{"", strings.Repeat("x", 21), "\xff\xfe", "a\nb", "\x1b[2J",
			strings.Repeat("x", 18) + "\xec\x95"} {
			alice.do(loginRequest(id), loginResponse(12))
		}
		alice.do(loginRequest("Alice"), loginResponse(0))

		// In LOGIN.
		alice.do(loginRequest("Alice"), loginResponse(31))
		alice.do(loginRequest("Other"), loginResponse(31))
		alice.do(leaveRequest(), leaveResponse(71))
		alice.do(chatRequest("psst"), chatResponse(81))
		for _, room := range []int32{9, 12, 0, -1, math.MinInt32, math.MaxInt32} {
			alice.do(enterRequest(room), enterResponse(61, ""))
		}

		// The id is taken; the table gets full.
		bob := dial(t, address)
		bob.do(loginRequest("Alice"), loginResponse(31))
		bob.do(loginRequest("Bob"), loginResponse(0))
		carol := login(t, address, "Carol")
		dave := dial(t, address)
		dave.do(loginRequest("Dave"), loginResponse(32))
		dave.do(loginRequest("Alice"), loginResponse(31))

		// In ROOM.
		alice.do(enterRequest(11), enterResponse(0, ""))
		alice.do(loginRequest("Alice"), loginResponse(31))
		alice.do(enterRequest(10), enterResponse(52, ""))
		alice.do(enterRequest(11), enterResponse(52, ""))
		alice.do(chatRequest("alone"), chatResponse(0), chatNotify("Alice", "alone"))
		bob.do(enterRequest(11), enterResponse(0, "Alice"))
		carol.do(enterRequest(11), enterResponse(54, ""))
		carol.do(enterRequest(10), enterResponse(0, ""))

		alice.do(wire(214, strings.Repeat("x", 257)), chatResponse(63))
		alice.do(chatRequest("\xff"), chatResponse(63))
		longest := strings.Repeat("가", 85) + "!"
		bob.do(chatRequest(longest), chatResponse(0), chatNotify("Bob", longest))
		alice.expect(chatNotify("Bob", longest))
		bob.do(chatRequest("hi\x00what was said before"), chatResponse(0), chatNotify("Bob", "hi"))
		alice.expect(chatNotify("Bob", "hi"))
		carol.quiet()

		// A leave gives the place and the rank back.
		alice.do(leaveRequest(), leaveResponse(0))
		alice.do(leaveRequest(), leaveResponse(71))
		alice.do(chatRequest("psst"), chatResponse(81))
		carol.do(leaveRequest(), leaveResponse(0))
		carol.do(enterRequest(11), enterResponse(0, "Bob"))
		alice.do(enterRequest(11), enterResponse(54, ""))
		bob.quiet()

		// Unknown ids, the server's own among them, are dropped.
		for _, id := range []uint16{0, 99, 100, 202, 216, 300, 1000, 65535} {
			alice.send(wire(id, "whatever"))
		}
		alice.quiet()

		// A close frees room and id. The close is another connection's event, so others see it some time later: the
		// full room tells when.
		_ = bob.conn.Close()
		await(t, alice, enterRequest(11), enterResponse(54, ""), enterResponse(0, "Carol"))
		await(t, dave, loginRequest("Bob"), loginResponse(31), loginResponse(0))
		dave.do(chatRequest("psst"), chatResponse(81))
	})
}

// await repeats a request until its answer is no longer before but after, which must have the same size.
func await(t *testing.T, c *client, request, before, after string) {
	t.Helper()
	got := before
	for got == before {
		c.send(request)
		got = c.receive(len(after))
	}
	if got != after {
		t.Fatalf("got %q, want %q", got, after)
	}
}
