package main

import (
	"fmt"
	"strings"
	"testing"
)

// exchange is a request with what it makes the server send to the same client.
type exchange struct{ request, answer string }

// session is a login and a visit to room 1, with a request of every kind and size. The name has a fixed length, so
// that all sessions have the same bytes at the same places but for the name itself.
func session(number int) []exchange {
	user := fmt.Sprintf("user-%06d", number)
	return append([]exchange{{loginRequest(user), loginResponse(0)}}, visit(user)...)
}

// visit is what a session does once it is logged in. It ends as it began, so it can be repeated.
func visit(user string) []exchange {
	return []exchange{
		{enterRequest(1), enterResponse(0, "")},
		{chatRequest("안녕하세요!"), chatResponse(0) + chatNotify(user, "안녕하세요!")},
		{wire(300, "unknown"), ""},
		{chatRequest("\xff"), chatResponse(63)},
		{leaveRequest(), leaveResponse(0)},
		{leaveRequest(), leaveResponse(71)},
	}
}

// bytesOf is all requests, and all answers, in a row.
func bytesOf(exchanges []exchange) (requests, answers string) {
	for _, e := range exchanges {
		requests += e.request
		answers += e.answer
	}
	return requests, answers
}

// answersTo is what the server owes after the first n bytes of the requests.
func answersTo(exchanges []exchange, n int) string {
	answers := ""
	for _, e := range exchanges {
		n -= len(e.request)
		if n < 0 {
			break
		}
		answers += e.answer
	}
	return answers
}

// A TCP stream has no packets: wherever a client's bytes are cut on their way, the server must see the same requests.
func TestRequestsInTwoPieces(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core)
		other := login(t, server.address(), "other")
		whole, _ := bytesOf(session(0))
		for cut := 1; cut < len(whole); cut++ {
			exchanges := session(cut)
			requests, answers := bytesOf(exchanges)
			c := dial(t, server.address())

			c.send(requests[:cut])
			early := answersTo(exchanges, cut)
			c.expect(early)
			// The half packet that is left has no answer to wait for. Another client's round trip gives it the time
			// to arrive alone.
			other.quiet()
			c.send(requests[cut:])
			c.expect(answers[len(early):])
			_ = c.conn.Close()
			if t.Failed() {
				t.Fatalf("cut after %d bytes", cut)
			}
		}
	})
}

func TestRequestsByteByByte(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		other := login(t, server.address(), "other")
		exchanges := session(0)
		requests, answers := bytesOf(exchanges)
		c := dial(t, server.address())
		received := 0
		for i := range len(requests) {
			c.send(requests[i : i+1])
			if early := answersTo(exchanges, i+1); len(early) > received {
				c.expect(early[received:])
				received = len(early)
			}
			other.quiet()
		}
		if received != len(answers) {
			t.Fatalf("%d of %d bytes of answers", received, len(answers))
		}
		c.quiet()
	})
}

func TestManyRequestsInOnePiece(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		for number, visits := range []int{1, 2, 10, 200} {
			exchanges := session(number)
			for range visits - 1 {
				exchanges = append(exchanges, visit(fmt.Sprintf("user-%06d", number))...)
			}
			requests, answers := bytesOf(exchanges)
			c := dial(t, server.address())
			c.send(requests)
			c.expect(answers)
			c.quiet()
		}
	})
}

// Pieces that have nothing to do with packets: sizes that are prime to every packet's, so that over time they are cut
// everywhere, with whole packets before and after the cut.
func TestRequestsInPiecesOfOddSizes(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		for number, size := range []int{3, 61, 263, 1021, 4099} {
			user := fmt.Sprintf("user-%06d", number)
			exchanges := session(number)
			for range 50 {
				exchanges = append(exchanges, visit(user)...)
			}
			requests, answers := bytesOf(exchanges)
			c := dial(t, server.address())
			done := make(chan struct{})
			go func() { // the answers are more than the sockets may hold
				defer close(done)
				for rest := requests; rest != ""; {
					n := min(size, len(rest))
					if _, err := c.conn.Write([]byte(rest[:n])); err != nil {
						return // the reader finds out
					}
					rest = rest[n:]
				}
			}()
			c.expect(answers)
			<-done
			c.quiet()
		}
	})
}

// answersTo itself decides what the tests above expect, so it is tested too.
func TestAnswersTo(t *testing.T) {
	exchanges := []exchange{{"ab", "1"}, {"cde", "2"}, {"f", ""}, {"g", "3"}}
	got := ""
	for n := range 8 {
		got += fmt.Sprint(n, ":", answersTo(exchanges, n), " ")
	}
	if want := "0: 1: 2:1 3:1 4:1 5:12 6:12 7:123 "; got != want {
		t.Fatalf("got %q, want %q", strings.TrimSpace(got), want)
	}
}
