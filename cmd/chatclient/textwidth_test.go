package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWrap(t *testing.T) {
	for name, test := range map[string]struct {
		text            string
		behind, columns int
		want            []string
	}{
		"empty":                    {"", 0, 10, []string{""}},
		"fits":                     {"안녕 bob", 0, 8, []string{"안녕 bob"}},
		"at a space":               {"안녕 bob", 0, 7, []string{"안녕", "bob"}},
		"a wide letter at the end": {"가나다", 0, 5, []string{"가나", "다"}},
		"a long word":              {"a 가나다라", 0, 6, []string{"a", "가나다", "라"}},
		"behind a name":            {"가 나 다", 3, 5, []string{"가", "나 다"}},
		"no room behind a name":    {"가", 5, 5, []string{"", "가"}},
		"spaces":                   {"a      b", 0, 4, []string{"a   ", "  b"}},
		"made of several":          {"\u1112\u1161\u11ab글", 0, 2, []string{"\u1112\u1161\u11ab", "글"}},
	} {
		assert.Equal(t, test.want, byRune.wrap(test.text, test.behind, test.columns), name)
	}
	assert.Equal(t, []string{"👩\u200d💻", "👩\u200d💻"}, byGrapheme.wrap("👩\u200d💻👩\u200d💻", 0, 3))
}

func TestCutAndFit(t *testing.T) {
	assert.Equal(t, "가 ", byRune.fit("가나", 3), "no half of a letter")
	assert.Equal(t, "\x1b[1m가\x1b[m ", byRune.fit("\x1b[1m가나\x1b[m", 3), "the style ends")
	assert.Empty(t, byRune.fit("가", 0))
	assert.Equal(t, "    ", byRune.fit("👩\u200d💻!", 3)+" ", "four columns, rune by rune")
	assert.Equal(t, "👩\u200d💻!", byGrapheme.fit("👩\u200d💻!", 3))
}

// TestWrappedTextIsAllThere: whatever the text, no line is too wide, and no letter is lost but spaces.
func TestWrappedTextIsAllThere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		letters := rapid.SampledFrom([]rune("ab 가나  \u1112\u1161👩\u200d💻\u0301"))
		text := printable([]byte(rapid.OneOf(rapid.StringOf(letters), rapid.String()).Draw(r, "text")))
		widths := rapid.SampledFrom([]textWidth{byRune, byGrapheme}).Draw(r, "widths")
		behind, columns := rapid.IntRange(0, 9).Draw(r, "behind"), rapid.IntRange(1, 40).Draw(r, "columns")
		lines := widths.wrap(text, behind, columns)
		for i, line := range lines {
			room := columns
			if i == 0 {
				room = max(room-behind, 0)
			}
			seen := 0 // letters that take any room
			for _, width := range widths.letters(line) {
				seen += min(width, 1)
			}
			if seen > 1 { // a letter that is wider than the screen stands alone
				require.LessOrEqual(r, widths.columns(line), room)
			}
		}
		without := func(text string) string { return strings.ReplaceAll(text, " ", "") }
		require.Equal(r, without(text), without(strings.Join(lines, "")))
	})
}
