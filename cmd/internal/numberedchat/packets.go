// Package numberedchat makes chats that are all alike but for a number.
package numberedchat

import (
	"fmt"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
)

// Everybody says the same but for a number that counts the chats of one talker from 0. So a listener knows every byte
// that has to come, and notices what is lost, doubled or out of order.
const (
	Digits = 9 // of the number: a year of chats at 30/s
	text   = "#%0*d 안녕하세요, 여러분!"
)

// Where the variable parts are in the packets, and the size of the field of a name.
const (
	RequestNumber = bridge.HeaderLength + 1
	NotifyName    = bridge.HeaderLength
	NameSize      = chat.MaxUserIDLength + 1
	NotifyNumber  = NotifyName + NameSize + 1
)

// NewRequest is the packet with which a talker says number 0.
func NewRequest() []byte {
	request, err := chat.NewRoomChatRequest(fmt.Sprintf(text, Digits, 0))
	if err != nil {
		panic(err) // the text is this file's
	}
	return request.Append(nil)
}

// NewNotify is the packet with which a member hears number 0 of a talker without a name.
func NewNotify() []byte {
	message, err := chat.NewMessageField(fmt.Sprintf(text, Digits, 0))
	if err != nil {
		panic(err)
	}
	return (&chat.RoomChatNotify{Msg: message}).Append(nil)
}

// PutNumber writes a number into a packet in place.
func PutNumber(packet []byte, number int64) {
	for i := Digits - 1; i >= 0; i-- {
		packet[i] = byte('0' + number%10)
		number /= 10
	}
}

// ParseNumber reads what PutNumber writes.
func ParseNumber(packet []byte) (number int64, ok bool) {
	for _, digit := range packet[:Digits] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		number = number*10 + int64(digit-'0')
	}
	return number, true
}
