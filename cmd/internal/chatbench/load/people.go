package load

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/numberedchat"
)

// The answers that a client reads in passing.
var (
	loginAnswer = (&chat.LoginResponse{Result: chat.ResultNone}).Append(nil)
	chatAnswer  = (&chat.RoomChatResponse{Result: chat.ResultNone}).Append(nil)
	leaveAnswer = (&chat.RoomLeaveResponse{Result: chat.ResultNone}).Append(nil)
)

// nameTag begins the names of one run, so that a run that follows another one, or runs beside it, has other names.
func nameTag() string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // it never fails
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	tag := make([]byte, len(random))
	for i, b := range random {
		tag[i] = letters[int(b)%len(letters)]
	}
	return string(tag)
}

// nameField is a name as it is in packets.
func nameField(name string) []byte {
	return append([]byte(name), make([]byte, numberedchat.NameSize-len(name))...)
}

func appendLogin(dst []byte, name string) []byte {
	request, err := chat.NewLoginRequest(name, "bench")
	if err != nil {
		panic(err) // the names are this package's
	}
	return request.Append(dst)
}

func appendEnter(dst []byte, room int) []byte {
	return (&chat.RoomEnterRequest{RoomNumber: int32(room)}).Append(dst)
}

// enterAnswer is the answer to whoever comes into a room in which rival has been longest, empty: nobody.
func enterAnswer(rival string) []byte {
	field, err := chat.NewNameField(rival)
	if err != nil {
		panic(err)
	}
	return (&chat.RoomEnterResponse{Result: chat.ResultNone, RivalUserID: field}).Append(nil)
}

// arrive logs in and enters a room, and checks the answers.
func (s *stream) arrive(name string, room int, rival string) error {
	want := append(append([]byte(nil), loginAnswer...), enterAnswer(rival)...)
	answer, err := s.exchange(appendEnter(appendLogin(nil, name), room), len(want))
	if err != nil {
		return fmt.Errorf("login and entering room %d: %w", room, err)
	}
	if !bytes.Equal(answer, want) {
		return fmt.Errorf("login and entering room %d were answered with %s", room, describeAnswers(answer))
	}
	return nil
}

// describeAnswers names the results in two answers, which tell more than their bytes.
func describeAnswers(answer []byte) string {
	var login chat.LoginResponse
	var enter chat.RoomEnterResponse
	if login.Decode(answer[:len(loginAnswer)]) != nil || enter.Decode(answer[len(loginAnswer):]) != nil {
		return fmt.Sprintf("%x", answer)
	}
	rival, _ := enter.RivalUserID.Text()
	return fmt.Sprintf("%v and %v, rival %q", login.Result, enter.Result, rival)
}

// digits reads a number of so many digits, -1: there is none.
func digits(text []byte, count int) int {
	number := 0
	for _, digit := range text[:count] {
		if digit < '0' || digit > '9' {
			return -1
		}
		number = number*10 + int(digit-'0')
	}
	return number
}

// putDigits writes a number with so many digits.
func putDigits(text []byte, number int64, count int) {
	for i := count - 1; i >= 0; i-- {
		text[i] = byte('0' + number%10)
		number /= 10
	}
}

// shape tells packets apart by their first bytes: length and id.
func shape(packet []byte) uint32 { return binary.LittleEndian.Uint32(packet) }
