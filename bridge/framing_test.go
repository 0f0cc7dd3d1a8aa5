package bridge

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFramePacket(t *testing.T) {
	for _, c := range []struct {
		name   string
		data   []byte
		length int
		reason CloseReason
	}{
		{"nothing", nil, 0, CloseNone},
		{"half a length that may become anything", []byte{0}, 0, CloseNone},
		{"length 0", []byte{0, 0}, 0, ClosePacketTooShort},
		{"length 4", []byte{4, 0, 1, 1, 1}, 0, ClosePacketTooShort},
		{"length 5, header not complete", []byte{5, 0, 1, 1}, 0, CloseNone},
		{"length 5", []byte{5, 0, 1, 1, 1}, 5, CloseNone},
		{"length 5 and more", []byte{5, 0, 1, 1, 1, 0, 0}, 5, CloseNone},
		{"longest, not complete", []byte{0, 4}, 0, CloseNone},
		{"longest", append([]byte{0, 4}, make([]byte, 1022)...), 1024, CloseNone},
		{"one too long", []byte{1, 4}, 0, ClosePacketTooLong},
		{"longest there is", []byte{255, 255}, 0, ClosePacketTooLong},
	} {
		length, reason := framePacket(c.data, 1024)
		assert.Equal(t, c.length, length, c.name)
		assert.Equal(t, c.reason, reason, c.name)
	}
	length, reason := framePacket(append([]byte{255, 255}, make([]byte, 65533)...), 65535)
	assert.Equal(t, 65535, length)
	assert.Equal(t, CloseNone, reason)
}

// Whatever a peer sends: a packet lies within the data and within the bounds, and what is said of a stream does not
// depend on where it was cut, and is what splitNaively says.
func FuzzFramePacket(f *testing.F) {
	f.Add([]byte{}, uint16(1024), uint8(0))
	f.Add([]byte{5, 0, 201, 0, 0}, uint16(1024), uint8(1))
	f.Add([]byte{6, 0, 201, 0, 0, 9, 5, 0, 202, 0, 0, 4, 0}, uint16(64), uint8(3))
	f.Add([]byte{0, 0}, uint16(5), uint8(2))
	f.Add([]byte{255, 255, 1, 1, 1}, uint16(65535), uint8(4))
	f.Fuzz(func(t *testing.T, stream []byte, maximum uint16, cut uint8) {
		maxSize := max(int(maximum), HeaderLength)
		all := func(step int) (packets []int, reason CloseReason) {
			start := 0
			for end := min(step, len(stream)); ; end = min(end+step, len(stream)) {
				for {
					length, why := framePacket(stream[start:end], maxSize)
					if why != CloseNone {
						require.Zero(t, length)
						require.True(t, why.Violation())
						return packets, why
					}
					if length == 0 {
						break
					}
					require.GreaterOrEqual(t, length, HeaderLength)
					require.LessOrEqual(t, length, maxSize)
					require.LessOrEqual(t, start+length, end)
					require.Equal(t, length, int(binary.LittleEndian.Uint16(stream[start:])))
					packets = append(packets, length)
					start += length
				}
				if end == len(stream) {
					return packets, CloseNone
				}
			}
		}
		whole, wholeReason := all(max(len(stream), 1))
		cutUp, cutUpReason := all(int(cut) + 1)
		require.Equal(t, whole, cutUp)
		require.Equal(t, wholeReason, cutUpReason)
		packets, violation := splitNaively(stream, maxSize)
		require.Equal(t, violation, wholeReason)
		require.Len(t, whole, len(packets))
		for i, packet := range packets {
			require.Len(t, packet, whole[i])
		}
	})
}
