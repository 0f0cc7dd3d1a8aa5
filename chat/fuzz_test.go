package chat

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
)

// The fuzzers begin with what is in testdata/fuzz. Their oracles say what must come out in words of their own, from the
// protocol's tables: they share no code with what they judge.

// FuzzDecodeHeader: a header is the first five bytes, whatever they are.
func FuzzDecodeHeader(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		header, err := DecodeHeader(data)
		if len(data) < 5 {
			require.ErrorIs(t, err, ErrPacketShape)
			require.Zero(t, header)
			return
		}
		require.NoError(t, err)
		require.Equal(t, int(data[0])+256*int(data[1]), int(header.Length))
		require.Equal(t, int(data[2])+256*int(data[3]), int(header.ID))
		require.NotEmpty(t, header.ID.String())
	})
}

// fieldAt is where a text field lies in a packet.
type fieldAt struct{ start, end int }

// wireShapes is every packet of the protocol: its id, its size and its text fields, from the tables.
var wireShapes = []struct {
	id, size int
	texts    []fieldAt
	make     func() packet
}{
	{201, 47, []fieldAt{{5, 26}, {26, 47}}, func() packet { return &LoginRequest{} }},
	{202, 7, nil, func() packet { return &LoginResponse{} }},
	{206, 9, nil, func() packet { return &RoomEnterRequest{} }},
	{207, 28, []fieldAt{{7, 28}}, func() packet { return &RoomEnterResponse{} }},
	{209, 5, nil, func() packet { return &RoomLeaveRequest{} }},
	{210, 7, nil, func() packet { return &RoomLeaveResponse{} }},
	{214, 262, []fieldAt{{5, 262}}, func() packet { return &RoomChatRequest{} }},
	{215, 7, nil, func() packet { return &RoomChatResponse{} }},
	{216, 283, []fieldAt{{5, 26}, {26, 283}}, func() packet { return &RoomChatNotify{} }},
}

// FuzzDecode gives every decoder bytes that somebody made up. Exactly the one whose id and size they have takes them,
// and what it took comes out of its encoder as it was, but for what the protocol gives no meaning to: Type, and what
// stands behind the end of a text.
func FuzzDecode(f *testing.F) {
	for _, g := range goldenPackets(f) {
		f.Add([]byte(g.bytes))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		for _, shape := range wireShapes {
			p := shape.make()
			err := p.Decode(data)
			right := len(data) == shape.size && len(data) == int(data[0])+256*int(data[1]) &&
				shape.id == int(data[2])+256*int(data[3])
			if !right {
				require.ErrorIs(t, err, ErrPacketShape)
				require.Equal(t, shape.make(), p, "it kept something of what it refused")
				continue
			}
			require.NoError(t, err)

			want := bytes.Clone(data)
			want[4] = 0
			for _, at := range shape.texts {
				ended := false
				for i := at.start; i < at.end; i++ {
					ended = ended || want[i] == 0 || i == at.end-1
					if ended {
						want[i] = 0
					}
				}
			}
			encoded := p.Append(nil)
			require.Equal(t, want, encoded)
			again := shape.make()
			require.NoError(t, again.Decode(encoded))
			require.Equal(t, encoded, again.Append(nil))
			// Append appends: what is there before stays.
			require.Equal(t, append([]byte("before"), encoded...), p.Append([]byte("before")))
		}
		require.Equal(t, before, data, "a decoder wrote to what it read")
	})
}

// textInWords is what a text field says, by the protocol's words: the bytes in front of the first NUL, valid UTF-8.
// Nothing here is what fieldText is made of: the UTF-8 rules are those of RFC 3629, section 4.
func textInWords(field []byte) (text []byte, err error) {
	end := slices.Index(field, 0)
	if end < 0 {
		return nil, ErrTextUnterminated
	}
	text = field[:end]
	for rest := text; len(rest) > 0; {
		size := runeSize(rest)
		if size == 0 {
			return nil, ErrTextNotUTF8
		}
		rest = rest[size:]
	}
	return text, nil
}

// runeSize is how many bytes the first character has, 0 if it is none, by the table of RFC 3629, section 4.
func runeSize(s []byte) int {
	in := func(i int, low, high byte) bool { return i < len(s) && low <= s[i] && s[i] <= high }
	tail := func(from, size int) int {
		for i := from; i < size; i++ {
			if !in(i, 0x80, 0xbf) {
				return 0
			}
		}
		return size
	}
	switch {
	case in(0, 0x00, 0x7f):
		return 1
	case in(0, 0xc2, 0xdf):
		return tail(1, 2)
	case in(0, 0xe0, 0xe0) && in(1, 0xa0, 0xbf),
		in(0, 0xe1, 0xec) && in(1, 0x80, 0xbf),
		in(0, 0xed, 0xed) && in(1, 0x80, 0x9f),
		in(0, 0xee, 0xef) && in(1, 0x80, 0xbf):
		return tail(2, 3)
	case in(0, 0xf0, 0xf0) && in(1, 0x90, 0xbf),
		in(0, 0xf1, 0xf3) && in(1, 0x80, 0xbf),
		in(0, 0xf4, 0xf4) && in(1, 0x80, 0x8f):
		return tail(2, 4)
	}
	return 0
}

// hasControl reports whether a valid text has a control character: C0, DEL, or C1, which UTF-8 writes as C2 80 to
// C2 9F.
func hasControl(text []byte) bool {
	for i, b := range text {
		if b < 0x20 || b == 0x7f || b == 0xc2 && text[i+1] < 0xa0 {
			return true
		}
	}
	return false
}

// FuzzFieldText: no text comes out of a field that was not checked.
func FuzzFieldText(f *testing.F) {
	f.Fuzz(func(t *testing.T, field []byte) {
		want, wantErr := textInWords(field)
		text, err := fieldText(field)
		require.ErrorIs(t, err, wantErr)
		require.Equal(t, string(want), string(text))
		if err != nil {
			require.Nil(t, text)
			return
		}
		require.NotContains(t, text, byte(0))
		require.True(t, bytes.HasPrefix(field, append(bytes.Clone(text), 0)))
		require.Equal(t, len(text), cap(text), "who appends to it would write behind the text")
	})
}

// FuzzUserID: exactly the ids that the protocol allows are taken, and nothing of what stands behind one.
func FuzzUserID(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var field NameField
		require.Len(t, field.raw, 21)
		copy(field.raw[:], data)
		text, want := textInWords(field.raw[:])
		switch {
		case want != nil:
		case len(text) == 0:
			want = ErrTextEmpty
		case hasControl(text):
			want = ErrTextHasControl
		}
		id, err := field.UserID()
		require.ErrorIs(t, err, want)
		if want != nil {
			require.Zero(t, id)
			return
		}
		require.Equal(t, string(text), id.String())
		clean := id.Field()
		require.Equal(t, append(bytes.Clone(text), make([]byte, 21-len(text))...), clean.raw[:])
		same, err := NewUserID(string(text))
		require.NoError(t, err)
		require.Equal(t, id, same)
	})
}

// FuzzNewFields: a text goes into a field whole or not at all, and comes out as it went in.
func FuzzNewFields(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		check := func(field []byte, err error, out func() ([]byte, error)) {
			_, wrong := textInWords(append([]byte(text), 0))
			switch {
			case len(text) > len(field)-1:
				require.ErrorIs(t, err, ErrTextTooLong)
			case wrong != nil || !utf8.ValidString(text):
				require.ErrorIs(t, err, ErrTextNotUTF8)
			case slices.Contains([]byte(text), 0):
				require.ErrorIs(t, err, ErrTextHasNUL)
			default:
				require.NoError(t, err)
				again, err := out()
				require.NoError(t, err)
				require.Equal(t, text, string(again))
				require.Equal(t, append([]byte(text), make([]byte, len(field)-len(text))...), field)
				return
			}
			require.Equal(t, make([]byte, len(field)), field, "a part of a text that was refused")
		}
		name, err := NewNameField(text)
		check(name.raw[:], err, name.Text)
		message, err := NewMessageField(text)
		check(message.raw[:], err, message.Text)
	})
}

// bobInWords is what the protocol's table of behaviour says of a client that is logged in as bob, while alice is in
// room 0 and nobody else is there: what bob and alice are sent for each of his packets, as harness.take shows it.
type bobInWords struct {
	config       Config
	room         int // -1: in none
	unknownInRow int
	closed       bool
}

func (b *bobInWords) answers(packet []byte) (toBob, toAlice string) {
	if b.closed {
		return "", ""
	}
	id := int(packet[2]) + 256*int(packet[3])
	size, known := map[int]int{201: 47, 206: 9, 209: 5, 214: 262}[id]
	if !known {
		b.unknownInRow++
		b.closed = b.unknownInRow > b.config.MaxUnknownPackets
	} else {
		b.unknownInRow = 0
		b.closed = len(packet) != size
	}
	switch {
	case b.closed:
		return "closed", ""
	case id == 201:
		return "202:31", ""
	case id == 206 && b.room >= 0:
		return "207:52()", ""
	case id == 206:
		number := int(int32(binary.LittleEndian.Uint32(packet[5:])))
		if number < b.config.StartRoom || number >= b.config.StartRoom+b.config.MaxRooms {
			return "207:61()", ""
		}
		b.room = number
		if number == 0 {
			return "207:0(alice)", ""
		}
		return "207:0()", ""
	case id == 209 && b.room < 0:
		return "210:71", ""
	case id == 209:
		b.room = -1
		return "210:0", ""
	case id == 214 && b.room < 0:
		return "215:81", ""
	case id == 214:
		text, err := textInWords(packet[5:])
		if err != nil {
			return "215:63", ""
		}
		notify := "216:bob(" + string(text) + ")"
		if b.room == 0 {
			toAlice = notify
		}
		return "215:0 " + notify, toAlice
	}
	return "", ""
}

// FuzzServer sends a stream of made-up packets to a server with two members in a room. Whatever they are, each is
// answered as the protocol says, and the other member is served as if nothing were.
func FuzzServer(f *testing.F) {
	for _, g := range goldenPackets(f) {
		f.Add([]byte(g.bytes))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		h := newHarness(t)
		alice, bob := h.member(0, "alice", 0), h.member(1, "bob", 0)
		model := bobInWords{config: DefaultConfig()}
		for len(stream) >= bridge.HeaderLength {
			size := int(stream[0]) | int(stream[1])<<8
			if size < bridge.HeaderLength || size > len(stream) {
				break
			}
			h.receive(bob, stream[:size]) // describe checks every byte of what comes back
			toBob, toAlice := model.answers(stream[:size])
			require.Equal(t, toBob, h.take(bob))
			require.Equal(t, toAlice, h.take(alice))
			stream = stream[size:]
		}
		h.chat(alice, "well?")
		require.Equal(t, "215:0 216:alice(well?)", h.take(alice))
		heard := ""
		if model.room == 0 && !model.closed {
			heard = "216:alice(well?)"
		}
		require.Equal(t, heard, h.take(bob))
	})
}
