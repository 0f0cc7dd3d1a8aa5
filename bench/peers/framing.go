package main

import (
	"encoding/binary"
	"errors"
)

const (
	headerSize        = 5
	maxEchoPacketSize = 65535
	maxChatPacketSize = 1024
)

var errFraming = errors.New("a packet has a length that is not allowed")

// packetsIn tells how many bytes of data are complete packets. The error says that the next one never can be one: its
// length is under headerSize or over maxPacketSize.
func packetsIn(data []byte, maxPacketSize int) (int, error) {
	complete := 0
	for len(data)-complete >= 2 {
		length := int(binary.LittleEndian.Uint16(data[complete:]))
		if length < headerSize || length > maxPacketSize {
			return complete, errFraming
		}
		if length > len(data)-complete {
			break
		}
		complete += length
	}
	return complete, nil
}

// eachPacket calls handle for the complete packets that data consists of, until it returns false.
func eachPacket(data []byte, handle func(packet []byte) bool) bool {
	for len(data) > 0 {
		length := int(binary.LittleEndian.Uint16(data))
		if !handle(data[:length:length]) {
			return false
		}
		data = data[length:]
	}
	return true
}
