package bridge

import "encoding/binary"

// lengthFieldLength is how many bytes of a packet must be there before its length is known.
const lengthFieldLength = 2

// framePacket looks at the first packet in data, which is what a peer sent so far and was not framed yet. It returns
//   - the length of the packet, when the whole packet is there;
//   - 0, when more bytes are needed;
//   - 0 and the reason to close the connection, when the packet's length breaks the rules.
//
// The length is judged as soon as its two bytes are there: a packet that must not be is not waited for. The function
// only reads data and keeps nothing.
func framePacket(data []byte, maxPacketSize int) (int, CloseReason) {
	if len(data) < lengthFieldLength {
		return 0, CloseNone
	}
	length := int(binary.LittleEndian.Uint16(data))
	switch {
	case length < HeaderLength:
		return 0, ClosePacketTooShort
	case length > maxPacketSize:
		return 0, ClosePacketTooLong
	case length > len(data):
		return 0, CloseNone
	}
	return length, CloseNone
}
