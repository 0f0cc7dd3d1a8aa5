package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"iocpnetlib/chat"
)

// FuzzHostileServerOnScreen gives a screen whatever a server may send to a client that logs in, enters a room, talks
// and leaves. What it draws must be harmless text of the screen's own size.
func FuzzHostileServerOnScreen(f *testing.F) {
	notify := (&chat.RoomChatNotify{}).Append(nil)
	f.Add([]byte(loginOK+enterOK+string(notify)+chatOK+string(notify)), byte(0))
	copy(notify[5:], "\x1b[2J\xff")
	copy(notify[26:], "\u202e\u2028가\n")
	f.Add([]byte(loginOK+enterOK+string(notify)), byte(3))
	f.Add([]byte(loginAnswer31()+loginAnswer31()), byte(1))
	f.Fuzz(func(t *testing.T, stream []byte, order byte) {
		request, err := chat.NewLoginRequest("앨리스", "")
		require.NoError(t, err)
		room := int32(1)
		c := newConversation(&wishes{&request, &room}, usualLoginPauses[:1], order%2 == 1)
		said, err := chat.NewRoomChatRequest("가 나")
		require.NoError(t, err)
		for i := range 4 {
			c.request([]command{chatCommand{said}, enterCommand{2}, leaveCommand{}, chatCommand{said}}[(int(order)+i)%4])
		}
		s := newScreen("127.0.0.1:1", make(chan command, 1), roomFile{}, true)
		s.Update(tea.WindowSizeMsg{Width: 61, Height: 12})
		reader := bufio.NewReader(bytes.NewReader(stream))
		for {
			_, events := c.next()
			s.Update(linkEvents(events))
			packet, err := readPacket(reader)
			if err != nil {
				s.Update(linkEvents{connectionChanged{state: closed, why: inSentence(err)}})
				break
			}
			told, err := c.handle(packet)
			if err != nil {
				break
			}
			c.pause = 0
			s.Update(linkEvents(told))
		}
		s.Update(linkEvents(c.undelivered()))
		text := ansi.Strip(s.View().Content)
		requireHarmless(t, text)
		require.Equal(t, 12, strings.Count(text, "\n")+1)
		for line := range strings.SplitSeq(text, "\n") {
			require.Equal(t, 61, byRune.columns(line), "%q", line)
		}
	})
}
