package main

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"iocpnetlib/chat"
)

// requireHarmless requires that a terminal shows this as lines of text and does nothing else: no control characters
// but the ends of lines, nothing that changes the direction of writing, valid UTF-8.
func requireHarmless(t *testing.T, text string) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%q", text)
	for _, r := range text {
		// Cc and Cf are control and format characters, Zl and Zp ends of lines and paragraphs, Cs and Co no characters
		// that anybody knows. The joiners of Korean, Hindi or emoji are format characters that do no harm.
		if r == '\n' || r == '\u200c' || r == '\u200d' {
			continue
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co) {
			require.Fail(t, "a character that a terminal may obey", "%U in %q", r, text)
		}
	}
}

// FuzzHostileServer gives a session whatever a server may send, in whatever state the client is. It must end, with a
// sentence that says why, and print nothing but lines of harmless text.
func FuzzHostileServer(f *testing.F) {
	f.Fuzz(func(t *testing.T, state byte, stream []byte) {
		var stdout, stderr bytes.Buffer
		s := newSession(nil, &stdout, &stderr)
		request, err := chat.NewLoginRequest("앨리스", "")
		require.NoError(t, err)
		s.user, s.asked, s.room = request.UserID, request.UserID, 1
		said, err := chat.NewRoomChatRequest("hello")
		require.NoError(t, err)
		s.sent = said.Message
		const states = byte(moreNotifies + 1)
		s.pending = awaited(state % states)
		s.wanted = int(state / states)
		asksOn := state >= 128 // a client that asks for something else after each answer

		// What run does with the server's side of the conversation, without its goroutines: a fuzzer learns from which
		// lines an input reaches, and those of a scheduler are noise.
		reader := bufio.NewReader(bytes.NewReader(stream))
		for code := exitOK; code == exitOK; {
			if packet, err := readPacket(reader); err != nil {
				code = s.connectionEnded(err)
			} else if err := s.handle(packet); err != nil {
				code = s.fail("%v", err)
			} else if asksOn && s.pending == nothing {
				state++
				s.pending = awaited(state % states)
			}
		}
		requireHarmless(t, stdout.String())
		requireHarmless(t, stderr.String())
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "%q", stderr.String())
		require.True(t, strings.HasPrefix(stderr.String(), "chatclient: "), "%q", stderr.String())
		// Every packet of the server is at most one line, and none is printed that was not sent.
		require.LessOrEqual(t, strings.Count(stdout.String(), "\n"), len(stream)/chat.LoginResponseSize)
		require.Equal(t, s.notifies, strings.Count("\n"+stdout.String(), "\n["))
	})
}

// FuzzReadPacket compares what the client reads of a stream with what each packet's own words about itself say, and
// reads it again through a pipe that is cut elsewhere.
func FuzzReadPacket(f *testing.F) {
	f.Fuzz(func(t *testing.T, stream []byte, cut byte) {
		whole := bufio.NewReader(bytes.NewReader(stream))
		parts := bufio.NewReaderSize(&partReader{stream, int(cut) + 1}, 16)
		rest := stream
		for {
			packet, err := readPacket(whole)
			again, againErr := readPacket(parts)
			require.Equal(t, packet, again)
			if err != nil {
				require.EqualError(t, againErr, err.Error())
				require.Nil(t, packet)
				requireHarmless(t, err.Error())
				return
			}
			require.NoError(t, againErr)
			require.GreaterOrEqual(t, len(rest), 5)
			size, id := int(rest[0])|int(rest[1])<<8, chat.PacketID(rest[2])|chat.PacketID(rest[3])<<8
			require.GreaterOrEqual(t, size, 5)
			require.GreaterOrEqual(t, len(rest), size)
			switch packet.(type) {
			case *chat.LoginResponse:
				require.Equal(t, []any{chat.PacketID(202), 7}, []any{id, size})
			case *chat.RoomEnterResponse:
				require.Equal(t, []any{chat.PacketID(207), 28}, []any{id, size})
			case *chat.RoomLeaveResponse:
				require.Equal(t, []any{chat.PacketID(210), 7}, []any{id, size})
			case *chat.RoomChatResponse:
				require.Equal(t, []any{chat.PacketID(215), 7}, []any{id, size})
			case *chat.RoomChatNotify:
				require.Equal(t, []any{chat.PacketID(216), 283}, []any{id, size})
			case unknownPacket:
				require.NotContains(t, []chat.PacketID{202, 207, 210, 215, 216}, id)
			default:
				require.Fail(t, "no kind of packet", "%T", packet)
			}
			rest = rest[size:]
		}
	})
}

// partReader gives out so many bytes at a time.
type partReader struct {
	data []byte
	size int
}

func (r *partReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.size)], r.data)
	r.data = r.data[n:]
	return n, nil
}

// FuzzPrintable: whatever the bytes, a terminal shows them as text of one line, and harmless text as it is.
func FuzzPrintable(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		shown := printable(text)
		requireHarmless(t, shown)
		require.NotContains(t, shown, "\n")
		harmless := utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
		if harmless {
			require.Equal(t, string(text), shown)
		}
	})
}
