package chat

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest texts in bytes of UTF-8. A field has one byte more for the terminator.
const (
	MaxUserIDLength  = 20
	MaxUserPWLength  = 20
	MaxMessageLength = 256
)

const (
	nameFieldSize    = MaxUserIDLength + 1
	messageFieldSize = MaxMessageLength + 1
)

// What can be wrong with a text.
var (
	ErrTextUnterminated = errors.New("text has no terminator in its field")
	ErrTextNotUTF8      = errors.New("text is not valid UTF-8")
	ErrTextTooLong      = errors.New("text is too long")
	ErrTextHasNUL       = errors.New("text contains a NUL byte")
	ErrTextEmpty        = errors.New("text is empty")
	ErrTextHasControl   = errors.New("text contains a control character")
)

// NameField is a UserID or UserPW as it is on the wire: 21 bytes. It may come from the network, so its bytes are out
// of reach: Text checks them first. The zero NameField is the empty text.
type NameField struct{ raw [nameFieldSize]byte }

// NewNameField makes the field of a text of up to MaxUserIDLength bytes.
func NewNameField(text string) (NameField, error) {
	var field NameField
	if err := fillField(field.raw[:], text); err != nil {
		return NameField{}, err
	}
	return field, nil
}

// Text is the field's text, without terminator. It shares the field's memory. The error wraps ErrTextUnterminated or
// ErrTextNotUTF8.
func (f *NameField) Text() ([]byte, error) { return fieldText(f.raw[:]) }

// MessageField is a chat text as it is on the wire: 257 bytes. As with NameField only Text leads to its content.
type MessageField struct{ raw [messageFieldSize]byte }

// NewMessageField makes the field of a text of up to MaxMessageLength bytes.
func NewMessageField(text string) (MessageField, error) {
	var field MessageField
	if err := fillField(field.raw[:], text); err != nil {
		return MessageField{}, err
	}
	return field, nil
}

// Text is the field's text, without terminator. It shares the field's memory. The error wraps ErrTextUnterminated or
// ErrTextNotUTF8.
func (f *MessageField) Text() ([]byte, error) { return fieldText(f.raw[:]) }

// UserID is the id of a user, checked: 1 to MaxUserIDLength bytes of UTF-8 without control characters. It is a plain
// value that needs no memory of its own, and two of them are equal exactly if their texts are, so it keys maps.
type UserID struct{ field NameField }

// NewUserID makes a user id of a text.
func NewUserID(text string) (UserID, error) {
	field, err := NewNameField(text)
	if err != nil {
		return UserID{}, err
	}
	return field.UserID()
}

// UserID checks that the field holds a user id. The error says what is wrong: one of the ErrText values.
func (f *NameField) UserID() (UserID, error) {
	text, err := f.Text()
	if err != nil {
		return UserID{}, err
	}
	if len(text) == 0 {
		return UserID{}, ErrTextEmpty
	}
	if bytes.ContainsFunc(text, unicode.IsControl) {
		return UserID{}, ErrTextHasControl
	}
	// Only the text is taken over: whatever the client left behind its terminator must neither make two ids of one
	// name nor be sent on to others.
	var id UserID
	copy(id.field.raw[:], text)
	return id, nil
}

// Field is the id as it is on the wire.
func (id UserID) Field() NameField { return id.field }

// String is the id's text.
func (id UserID) String() string {
	text, _ := id.field.Text() // checked when the id was made
	return string(text)
}

// fieldText is the one place where text from a field is looked at, so that none is used before it is checked.
func fieldText(field []byte) ([]byte, error) {
	end := bytes.IndexByte(field, 0)
	if end < 0 {
		return nil, ErrTextUnterminated
	}
	text := field[:end:end]
	if !utf8.Valid(text) {
		return nil, ErrTextNotUTF8
	}
	return text, nil
}

// fillField writes text into an empty field. A text that does not fit is refused rather than cut: what was meant is
// known to the caller only.
func fillField(field []byte, text string) error {
	if len(text) >= len(field) {
		return fmt.Errorf("%d bytes where %d fit: %w", len(text), len(field)-1, ErrTextTooLong)
	}
	if !utf8.ValidString(text) {
		return ErrTextNotUTF8
	}
	if strings.IndexByte(text, 0) >= 0 {
		return ErrTextHasNUL
	}
	copy(field, text)
	return nil
}

// appendField encodes a field: its text, then zeroes. What stands behind the terminator is not sent on, and the last
// byte is always a terminator, whatever the field holds.
func appendField(dst, field []byte) []byte {
	length := bytes.IndexByte(field, 0)
	if length < 0 {
		length = len(field) - 1
	}
	dst = append(dst, field[:length]...)
	for range len(field) - length {
		dst = append(dst, 0)
	}
	return dst
}
