package stream

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A Close frame inside a message is found wherever the bytes are cut, and nothing else is taken for one.
func TestFramesUntilClose(t *testing.T) {
	mask := []byte{8, 8, 8, 8}
	frame := func(first byte, length []byte, payload int) []byte {
		return append(append(append([]byte{first}, length...), mask...), bytes.Repeat([]byte{0x88}, payload)...)
	}
	short := func(first byte, payload int) []byte { return frame(first, []byte{0x80 | byte(payload)}, payload) }
	longer := frame(0x02, []byte{0x80 | 126, 1, 0}, 256)
	longest := frame(0x02, []byte{0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0}, 1<<16)
	unmasked := []byte{0x02, 3, 0x88, 0x88, 0x88}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		before, after []byte
	}{
		"nothing":                  {},
		"between messages":         {before: join(short(0x82, 5), short(0x88, 2))},
		"after the last fragment":  {before: join(short(0x02, 5), short(0x00, 5), short(0x80, 5), short(0x88, 2))},
		"after one fragment":       {join(short(0x02, 5)), short(0x88, 2)},
		"packed":                   {join(short(0x42, 5)), short(0x88, 0)},
		"after pings between":      {join(short(0x02, 5), short(0x89, 125), short(0x8A, 0)), short(0x88, 2)},
		"after an empty fragment":  {join(short(0x02, 0)), short(0x88, 2)},
		"behind a longer frame":    {longer, short(0x88, 2)},
		"behind the longest frame": {longest, short(0x88, 2)},
		"behind an unmasked frame": {unmasked, short(0x88, 2)},
		"one that is not final":    {before: join(short(0x02, 5), short(0x08, 2))}, // the library refuses it
		"a second message":         {join(short(0x82, 5), short(0x02, 1)), short(0x88, 2)},
	} {
		for _, size := range []int{1, 2, 3, 7, 100, 1 << 20} {
			var f frames
			var got []byte
			for rest := join(c.before, c.after); len(rest) > 0; {
				piece := rest[:min(size, len(rest))]
				until := f.untilClose(piece)
				got = append(got, piece[:until]...)
				if until < len(piece) {
					break
				}
				rest = rest[until:]
			}
			assert.Equal(t, c.before, got, "%s, in pieces of %d", name, size)
		}
	}
}
