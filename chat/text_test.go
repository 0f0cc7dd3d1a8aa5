package chat

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFieldText(t *testing.T) {
	tests := map[string]struct {
		field string
		text  string
		err   error
	}{
		"text":                     {"abc\x00\x00", "abc", nil},
		"empty":                    {"\x00\x00\x00", "", nil},
		"as long as it can be":     {"abcd\x00", "abcd", nil},
		"rubbish after the end":    {"ab\x00\xff\xff", "ab", nil},
		"no terminator":            {"abcde", "", ErrTextUnterminated},
		"Korean":                   {"한글\x00", "한글", nil},
		"cut in a rune":            {"\xed\x95\x00", "", ErrTextNotUTF8},
		"a lone continuation byte": {"\x80\x00", "", ErrTextNotUTF8},
		"a surrogate":              {"\xed\xa0\x80\x00", "", ErrTextNotUTF8},
		"overlong encoding":        {"\xc0\xaf\x00", "", ErrTextNotUTF8},
		"not UTF-8 nor terminated": {"\xff\xff", "", ErrTextUnterminated},
		"a control character":      {"a\nb\x00", "a\nb", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := fieldText([]byte(test.field))
			assert.ErrorIs(t, err, test.err)
			assert.Equal(t, test.text, string(text))
		})
	}
}

func TestTextsThatDoNotFitAreRefusedWhole(t *testing.T) {
	_, err := NewNameField(strings.Repeat("x", 20))
	assert.NoError(t, err)
	_, err = NewNameField(strings.Repeat("x", 21))
	assert.ErrorIs(t, err, ErrTextTooLong)
	_, err = NewNameField(strings.Repeat("가", 7)) // 21 bytes
	assert.ErrorIs(t, err, ErrTextTooLong)

	_, err = NewRoomChatRequest(strings.Repeat("x", 256))
	assert.NoError(t, err)
	_, err = NewRoomChatRequest(strings.Repeat("x", 257))
	assert.ErrorIs(t, err, ErrTextTooLong)
	_, err = NewRoomChatRequest("a\x00b")
	assert.ErrorIs(t, err, ErrTextHasNUL)
	_, err = NewRoomChatRequest("\xff")
	assert.ErrorIs(t, err, ErrTextNotUTF8)

	_, err = NewLoginRequest("alice", strings.Repeat("x", 21))
	assert.ErrorIs(t, err, ErrTextTooLong)
	_, err = NewLoginRequest(strings.Repeat("x", 21), "")
	assert.ErrorIs(t, err, ErrTextTooLong)
	request, err := NewLoginRequest("alice", "pw")
	require.NoError(t, err)
	assert.Equal(t, LoginRequest{UserID: name(t, "alice"), UserPW: name(t, "pw")}, request)
}

func TestUserIDs(t *testing.T) {
	for text, want := range map[string]error{
		"alice":                         nil,
		"앨리스":                           nil,
		"with space":                    nil,
		strings.Repeat("x", 20):         nil,
		strings.Repeat("x", 21):         ErrTextTooLong,
		"":                              ErrTextEmpty,
		"a\nb":                          ErrTextHasControl,
		"\x1b[2J":                       ErrTextHasControl,
		"\x7f":                          ErrTextHasControl,
		"\u0085":                        ErrTextHasControl, // C1
		"\xff":                          ErrTextNotUTF8,
		strings.Repeat("가", 6) + "\xea": ErrTextNotUTF8,
	} {
		id, err := NewUserID(text)
		assert.ErrorIs(t, err, want, "%q", text)
		if want == nil {
			assert.Equal(t, text, id.String())
		}
	}
}

func TestUserIDsAreEqualIfTheirTextsAre(t *testing.T) {
	clean, err := NewUserID("alice")
	require.NoError(t, err)

	request := LoginRequest{}
	packet := (&request).Append(nil)
	copy(packet[5:], "alice\x00rubbish")
	require.NoError(t, request.Decode(packet))
	dirty, err := request.UserID.UserID()
	require.NoError(t, err)

	assert.Equal(t, clean, dirty)
	assert.Equal(t, name(t, "alice"), dirty.Field())
}
