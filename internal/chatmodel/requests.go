package chatmodel

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// Request is something that a client sends, with words for it.
type Request struct{ What, Bytes string }

// GoString is what a failed test shows of a request.
func (r Request) GoString() string { return r.What }

// Few users and texts, so that clients get in each other's way; the first are the simplest.
var (
	users    = []string{"a", "b", "c", "앨리스", "A", strings.Repeat("x", 20), "가나다라마바", "Bob!?"}
	badUsers = []string{"", strings.Repeat("u", 21), "\xff\xfe", "a\n", "\x1b[2J", "a\x7f", "a\u009b",
		strings.Repeat("x", 18) + "\xec\x95", "\x00a"}
	messages    = []string{"hi", "", "안녕하세요!", strings.Repeat("가", 85) + "!", "hi\x00what was there before", "a\x1b[2J"}
	badMessages = []string{strings.Repeat("m", 257), "hi \xff", strings.Repeat("m", 254) + "\xec\x95", "\xff\x00"}
)

// often draws from the first list three times out of four, and else what other draws.
func often(t *rapid.T, label string, list []string, other func() string) string {
	if rapid.IntRange(0, 3).Draw(t, label+" from") < 3 {
		return rapid.SampledFrom(list).Draw(t, label)
	}
	return other()
}

// typed is a request whose header has any Type, which the server does not read.
func typed(t *rapid.T, what, packet string) Request {
	bytes := []byte(packet)
	bytes[4] = rapid.Byte().Draw(t, "type")
	return Request{what, string(bytes)}
}

// Login draws a login with an id that is mostly a good one.
func Login() *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		user := often(t, "user", users, func() string {
			return rapid.OneOf(rapid.SampledFrom(badUsers), rapid.StringN(0, -1, 20),
				rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 21), func(b []byte) string { return string(b) })).
				Draw(t, "odd user")
		})
		return typed(t, fmt.Sprintf("login %q", user), LoginRequest(user))
	})
}

// Enter draws an entering of a room that mostly exists.
func Enter(limits Limits) *rapid.Generator[Request] {
	first, last := int32(limits.StartRoom), int32(limits.StartRoom+limits.MaxRooms-1)
	return rapid.Custom(func(t *rapid.T) Request {
		room := rapid.Int32Range(first, last).Draw(t, "room")
		if rapid.IntRange(0, 5).Draw(t, "room that exists") == 5 {
			room = rapid.OneOf(rapid.SampledFrom([]int32{first - 1, last + 1, -1, math.MinInt32, math.MaxInt32}),
				rapid.Int32()).Draw(t, "any room")
		}
		return typed(t, fmt.Sprintf("enter %d", room), EnterRequest(room))
	})
}

// Leave draws a leave.
func Leave() *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request { return typed(t, "leave", LeaveRequest()) })
}

// Chat draws a chat with a text that is mostly a good one.
func Chat() *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		message := often(t, "message", messages, func() string {
			return rapid.OneOf(rapid.SampledFrom(badMessages), rapid.StringN(0, -1, 257),
				rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 257), func(b []byte) string { return string(b) })).
				Draw(t, "odd message")
		})
		return typed(t, fmt.Sprintf("chat %q", message), ChatRequest(message))
	})
}

// Unknown draws a packet whose id is no request's: one of the server's own, or any other.
func Unknown(limits Limits) *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		id := rapid.OneOf(rapid.SampledFrom([]uint16{300, 0, 99, 100, 200, 202, 207, 210, 215, 216, 1000, 65535}),
			rapid.Uint16().Filter(func(id uint16) bool { return requestSizes[id] == 0 })).Draw(t, "unknown id")
		most := limits.MaxPacketSize - headerSize
		size := rapid.OneOf(rapid.SampledFrom([]int{0, 2, 42, most}), rapid.IntRange(0, most)).Draw(t, "size of body")
		return typed(t, fmt.Sprintf("unknown id %d with %d bytes", id, headerSize+size), Packet(id, Text(size, "")))
	})
}

// WrongSize draws a request of a size that is not its id's.
func WrongSize(limits Limits) *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		id := rapid.SampledFrom([]uint16{leaveID, loginID, enterID, chatID}).Draw(t, "id")
		right := requestSizes[id]
		size := rapid.OneOf(rapid.SampledFrom([]int{right + 1, right - 1, headerSize, limits.MaxPacketSize}),
			rapid.IntRange(headerSize, limits.MaxPacketSize)).
			Filter(func(size int) bool { return size >= headerSize && size != right }).Draw(t, "size")
		return typed(t, fmt.Sprintf("id %d with %d bytes", id, size), Packet(id, Text(size-headerSize, "")))
	})
}

// BrokenLength draws a header with a length that no packet has, and some bytes behind it.
func BrokenLength(limits Limits) *rapid.Generator[Request] {
	return rapid.Custom(func(t *rapid.T) Request {
		length := rapid.OneOf(rapid.SampledFrom([]int{0, 4, limits.MaxPacketSize + 1, math.MaxUint16}),
			rapid.IntRange(0, headerSize-1), rapid.IntRange(limits.MaxPacketSize+1, math.MaxUint16)).Draw(t, "length")
		id := rapid.SampledFrom([]uint16{loginID, leaveID, 300}).Draw(t, "id")
		behind := rapid.IntRange(0, 300).Draw(t, "bytes behind the header")
		return typed(t, fmt.Sprintf("length %d", length), u16(length)+u16(int(id))+"\x00"+Text(behind, ""))
	})
}

// kinds are the kinds of requests, the frequent ones often. One out of forty breaks the protocol.
var kinds = slices.Concat(slices.Repeat([]string{"login"}, 8), slices.Repeat([]string{"enter"}, 10),
	slices.Repeat([]string{"chat"}, 15), slices.Repeat([]string{"leave"}, 3), slices.Repeat([]string{"unknown"}, 3),
	[]string{"wrong size"})

// Any draws any packet with a length that a packet may have.
func Any(limits Limits) *rapid.Generator[Request] {
	requests := map[string]*rapid.Generator[Request]{"login": Login(), "enter": Enter(limits), "chat": Chat(),
		"leave": Leave(), "unknown": Unknown(limits), "wrong size": WrongSize(limits)}
	return rapid.Custom(func(t *rapid.T) Request {
		return requests[rapid.SampledFrom(kinds).Draw(t, "kind")].Draw(t, "request")
	})
}

// Joined is several requests in a row.
func Joined(requests []Request) string {
	var all strings.Builder
	for _, request := range requests {
		all.WriteString(request.Bytes)
	}
	return all.String()
}
