package stream

import "encoding/binary"

// frames follows the frames of a WebSocket (RFC 6455, 5.2) without looking at what they carry. What is no frame is found
// by the library, which reads the same bytes.
type frames struct {
	header    [14]byte // the one that has not come whole
	come      int      // bytes of it
	payload   uint64   // bytes of the frame that are still to come
	inMessage bool     // more frames of a message are to come
}

const (
	opcodeClose = 0x8
	finalFrame  = 0x80
)

// untilClose is how many of the next bytes come before a Close frame inside a message: all if there is none. After less
// than all, nothing more may be asked.
func (f *frames) untilClose(p []byte) int {
	for i := 0; i < len(p); {
		if f.payload > 0 {
			skipped := min(f.payload, uint64(len(p)-i))
			f.payload -= skipped
			i += int(skipped)
			continue
		}
		if f.come == 0 && f.inMessage && p[i] == finalFrame|opcodeClose {
			return i
		}
		f.header[f.come] = p[i]
		f.come++
		i++
		f.take()
	}
	return len(p)
}

// take ends a header that is whole.
func (f *frames) take() {
	const masked, length16, length64 = 0x80, 126, 127
	if f.come < 2 {
		return
	}
	size, length := 2, uint64(f.header[1]&^masked)
	switch length {
	case length16:
		size += 2
	case length64:
		size += 8
	}
	if f.header[1]&masked != 0 {
		size += 4
	}
	if f.come < size {
		return
	}
	switch length {
	case length16:
		length = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case length64:
		length = binary.BigEndian.Uint64(f.header[2:])
	}
	f.come, f.payload = 0, length
	if isControl := f.header[0]&opcodeClose != 0; !isControl {
		f.inMessage = f.header[0]&finalFrame == 0
	}
}
