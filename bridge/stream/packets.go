package stream

import "encoding/binary"

// lengthSize is how many bytes a packet's length has, at its beginning: u16, little-endian, the whole packet.
const lengthSize = 2

// boundary follows a stream of packets and knows whether it is between two of them.
type boundary struct {
	rest    int  // bytes that the packet still has
	low     byte // of a length whose second byte has not come
	hasHalf bool
}

// pass follows bytes.
func (b *boundary) pass(bytes []byte) {
	for len(bytes) > 0 {
		if b.rest > 0 {
			n := min(b.rest, len(bytes))
			b.rest -= n
			bytes = bytes[n:]
			continue
		}
		if !b.hasHalf {
			b.low, b.hasHalf = bytes[0], true
			bytes = bytes[1:]
			continue
		}
		// A length under its own size breaks the protocol, which whoever gets the bytes will find.
		b.rest = max(int(binary.LittleEndian.Uint16([]byte{b.low, bytes[0]}))-lengthSize, 0)
		b.hasHalf = false
		bytes = bytes[1:]
	}
}

// wanted is how many bytes are missing until the length of a packet is known, or if it is, until its end.
func (b *boundary) wanted() int {
	switch {
	case b.rest > 0:
		return b.rest
	case b.hasHalf:
		return 1
	default:
		return lengthSize
	}
}

// isBetween reports that the last packet is whole.
func (b *boundary) isBetween() bool { return b.rest == 0 && !b.hasHalf }

// wholePackets is how many bytes at the start of packets are whole packets of size bytes in all at most, but at least the
// first packet. What logic sends is taken for packets; anything else comes in one piece.
func wholePackets(packets []byte, size int) int {
	end := 0
	for len(packets)-end >= lengthSize {
		length := int(binary.LittleEndian.Uint16(packets[end:]))
		if length < lengthSize || length > len(packets)-end {
			return len(packets)
		}
		if end > 0 && end+length > size {
			return end
		}
		end += length
	}
	if end == 0 {
		return len(packets)
	}
	return end
}
