package stream

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawPackets is a stream of whole packets, and where they end.
func drawPackets(t *rapid.T) (packets []byte, ends map[int]bool) {
	ends = map[int]bool{0: true}
	for range rapid.IntRange(0, 20).Draw(t, "packets") {
		size := rapid.OneOf(rapid.IntRange(5, 9), rapid.IntRange(5, 600)).Draw(t, "size")
		packet := make([]byte, size)
		binary.LittleEndian.PutUint16(packet, uint16(size))
		packets = append(packets, packet...)
		ends[len(packets)] = true
	}
	return packets, ends
}

func TestBoundaryKnowsWhereItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packets, ends := drawPackets(t)
		var b boundary
		for at := 0; at < len(packets); {
			require.Equal(t, ends[at], b.isBetween(), "%d", at)
			n := rapid.IntRange(1, len(packets)-at).Draw(t, "piece")
			b.pass(packets[at : at+n])
			at += n
		}
		require.True(t, b.isBetween())
	})
}

func TestWholePackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packets, ends := drawPackets(t)
		size := rapid.IntRange(1, 1000).Draw(t, "size")
		for at := 0; at < len(packets); {
			n := wholePackets(packets[at:], size)
			require.Positive(t, n)
			require.True(t, ends[at+n], "whole packets")
			if n > size {
				first := int(binary.LittleEndian.Uint16(packets[at:]))
				require.Equal(t, first, n, "over the size only if one packet is")
			} else if at+n < len(packets) {
				next := int(binary.LittleEndian.Uint16(packets[at+n:]))
				require.Greater(t, n+next, size, "as much as fits")
			}
			at += n
		}
	})
}

// What is no packet comes in one piece, whatever its length says.
func TestWholePacketsOfWhatIsNone(t *testing.T) {
	for _, bytes := range [][]byte{{1}, {0, 0}, {1, 0, 9}, {5, 0, 0}, {255, 255, 1, 2}} {
		require.Equal(t, len(bytes), wholePackets(bytes, 1))
	}
	require.Zero(t, wholePackets(nil, 1))
}

func TestBeginsWithProxyHeader(t *testing.T) {
	for _, test := range []struct {
		data             string
		begins, mayBegin bool
	}{
		{"", false, true}, {"P", false, true}, {"PROXY", false, true}, {"PROXY ", true, false}, {"PROXY TCP4", true, false},
		{"PROXX", false, false}, {"\r", false, true}, {"\r\n\r\n\x00\r\nQUIT", false, true},
		{"\r\n\r\n\x00\r\nQUIT\n", true, false}, {"\r\n\r\n\x00\r\nQUIT\n!", true, false}, {"\r\n\r\n\x00\r\nQUIT!", false, false},
		{"\x05\x00", false, false},
	} {
		begins, mayBegin := BeginsWithProxyHeader([]byte(test.data))
		require.Equal(t, []bool{test.begins, test.mayBegin}, []bool{begins, mayBegin}, "%q", test.data)
	}
}
