package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWordsOfTheInput(t *testing.T) {
	var l inputLine
	l.set("하나 둘  셋")
	l.wordLeft()
	l.wordLeft()
	l.insert("|")
	assert.Equal(t, "하나 |둘  셋", l.text())
	l.wordRight()
	l.insert("|")
	assert.Equal(t, "하나 |둘|  셋", l.text())
	l.eraseWord()
	assert.Equal(t, "하나   셋", l.text())
	l.eraseToEnd()
	assert.Equal(t, "하나 ", l.text())
	l.left()
	l.eraseToHome()
	assert.Equal(t, " ", l.text())
	l.set(strings.Repeat("x", maxTyped))
	l.insert("y")
	assert.Len(t, l.text(), maxTyped)
}

// TestTheInputAgreesWithAListOfLetters presses random keys and compares the line with a slice and an index. The letters
// are ones that never join.
func TestTheInputAgreesWithAListOfLetters(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var line inputLine
		var letters []string
		at := 0
		r.Repeat(map[string]func(*rapid.T){
			"type": func(r *rapid.T) {
				letter := rapid.SampledFrom([]string{"a", "가", "힣", " ", "!", "한"}).Draw(r, "letter")
				line.insert(letter)
				letters = append(letters[:at], append([]string{letter}, letters[at:]...)...)
				at++
			},
			"left":  func(*rapid.T) { line.left(); at = max(at-1, 0) },
			"right": func(*rapid.T) { line.right(); at = min(at+1, len(letters)) },
			"home":  func(*rapid.T) { line.home(); at = 0 },
			"end":   func(*rapid.T) { line.end(); at = len(letters) },
			"erase left": func(*rapid.T) {
				line.eraseLeft()
				if at > 0 {
					letters = append(letters[:at-1], letters[at:]...)
					at--
				}
			},
			"erase right": func(*rapid.T) {
				line.eraseRight()
				if at < len(letters) {
					letters = append(letters[:at], letters[at+1:]...)
				}
			},
			"": func(r *rapid.T) {
				require.Equal(r, strings.Join(letters, ""), line.text())
				require.Equal(r, strings.Join(letters[:at], ""), strings.Join(line.before, ""))
				columns := rapid.IntRange(3, 30).Draw(r, "columns")
				text, cursor, more := line.shown(byRune, columns)
				require.LessOrEqual(r, byRune.columns(text), columns)
				require.Less(r, cursor, columns)
				require.Equal(r, more, !strings.HasPrefix(line.text(), text) || line.first > 0)
				require.Contains(r, line.text(), text)
				before := byRune.cut(text, cursor)
				require.Equal(r, cursor, byRune.columns(before), "the cursor stands at the edge of a letter")
				require.True(r, strings.HasSuffix(strings.Join(letters[:at], ""), before))
				if at < len(letters) {
					require.True(r, strings.HasPrefix(text[len(before):], letters[at]), "what is under it is seen")
				}
			},
		})
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	var h inputHistory
	_, ok := h.up("")
	assert.False(t, ok)
	for i := range maxHistory + 5 {
		h.add(strings.Repeat("x", i+1))
		h.add(strings.Repeat("x", i+1)) // said twice, kept once
	}
	assert.Len(t, h.lines, maxHistory)
	line, _ := h.up("draft")
	assert.Len(t, line, maxHistory+5)
	for range maxHistory {
		h.up("")
	}
	assert.Len(t, h.lines[h.at], 6)
}
