package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"iocpnetlib/chat"
)

// resultWords are the results that say something to a person.
var resultWords = map[chat.ErrorCode]string{
	chat.ResultUserInvalidUniqueID:        "the ID is not allowed",
	chat.ResultLoginUserAlready:           "somebody is logged in with this ID, or you are logged in already",
	chat.ResultLoginUserUsedAllObj:        "the server is full",
	chat.ResultEnterRoomNotFoundUser:      "log in first",
	chat.ResultEnterRoomInvalidUserStatus: "you are in a room already, leave it first",
	chat.ResultEnterRoomFullUser:          "the room is full",
	chat.ResultRoomInvalidIndex:           "there is no such room",
	chat.ResultRoomTooManyPacket:          "the text is not allowed",
	chat.ResultLeaveRoomInvalidRoomIndex:  "you are in no room",
	chat.ResultChatRoomInvalidRoomNumber:  "you are in no room",
}

// inWords is a result for people, with its number and name for those who look it up.
func inWords(result chat.ErrorCode) string {
	words, ok := resultWords[result]
	if !ok {
		words = "the server refused"
	}
	return fmt.Sprintf("%s (%d %s)", words, int16(result), result)
}

// printable makes text from the network safe to show on a terminal: whatever could move the cursor, change the
// direction of writing or make a line of its own is shown as an escape sequence in Go's manner.
func printable(text []byte) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case unicode.IsGraphic(r), r == '\u200c', r == '\u200d': // the joiners are part of letters and emoji
			out.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
		text = text[size:]
	}
	return out.String()
}

// textField is a text field of a packet.
type textField interface{ Text() ([]byte, error) }

// fieldWords shows a text field of a packet, which the server may have got wrong.
func fieldWords(field textField) string {
	text, err := field.Text()
	if err != nil {
		return fmt.Sprintf("(unreadable: %v)", err)
	}
	return printable(text)
}
