package main

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestColoursOfUsers(t *testing.T) {
	for _, dark := range []bool{true, false} {
		p, again := newPalette(dark, true), newPalette(dark, true)
		assert.Equal(t, p.user("앨리스"), again.user("앨리스"), "the same colour each time")
		seen := map[string]bool{}
		for i := range 100 {
			seen[p.user(fmt.Sprint("user", i)).Render("x")] = true
		}
		assert.Len(t, seen, len(p.users), "all colours are used")
	}
	s := inARoom(t, 70, 12, "a", 1)
	dark := s.View().Content
	s.Update(tea.BackgroundColorMsg{Color: ansi.BrightWhite})
	assert.NotEqual(t, dark, s.View().Content)
	s.colours = false
	s.palette = newPalette(true, false)
	s.events(messageCame{"b", "hi", false})
	assert.NotRegexp(t, `\x1b\[[0-9;]*[34]8;`, s.View().Content, "no colours at all")
}

// TestNothingButNarrowSigns: the signs that East Asian terminals may draw in one column or two are not used, nor any
// that fonts of consoles lack.
func TestNothingButNarrowSigns(t *testing.T) {
	s := inARoom(t, 70, 40, "a", 1)
	s.keys("/help", "enter", "pgup")
	s.events(messageCame{"b", "hi", false}, connectionChanged{state: waiting, why: closedByServer})
	for _, r := range s.text() {
		assert.True(t, r < 0x7f || strings.ContainsRune("✓✗", r), "%U %c", r, r)
	}
}

// TestEverySizeOfTheScreen lets a screen have any size, and any text in its place, and measures it.
func TestEverySizeOfTheScreen(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := inARoom(t, 80, 24, "앨리스", 1)
		text := rapid.StringOf(rapid.SampledFrom([]rune("abc  가나다라-한글!\u0301\u200d👩💻\u1112\u1161\u11ab\u00a0")))
		for range rapid.IntRange(0, 12).Draw(r, "messages") {
			s.events(messageCame{rapid.SampledFrom([]string{"밥", "bob", "아주긴이름임"}).Draw(r, "from"),
				text.Draw(r, "text"), false})
		}
		if rapid.Bool().Draw(r, "measured by grapheme") {
			s.Update(tea.ModeReportMsg{Mode: ansi.ModeUnicodeCore, Value: ansi.ModeReset})
		}
		for range rapid.IntRange(1, 5).Draw(r, "steps") {
			columns, rows := rapid.IntRange(1, 120).Draw(r, "columns"), rapid.IntRange(1, 30).Draw(r, "rows")
			s.Update(tea.WindowSizeMsg{Width: columns, Height: rows})
			s.Update(tea.PasteMsg{Content: text.Draw(r, "typed")})
			s.keys(rapid.SampledFrom([]string{"pgup", "pgdown", "left", "home", "end", "tab", "ctrl+home", "x"}).Draw(r, "key"))
			view := s.View()
			lines := strings.Split(view.Content, "\n")
			require.Len(r, lines, rows)
			for _, line := range lines {
				require.Equal(r, columns, s.widths.columns(line), "%q", line)
			}
			if view.Cursor != nil {
				require.Less(r, view.Cursor.X, columns)
				require.Less(r, view.Cursor.Y, rows)
			}
		}
	})
}
