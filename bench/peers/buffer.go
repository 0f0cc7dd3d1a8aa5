package main

import (
	"sync"

	"github.com/panjf2000/gnet/v2"
)

const (
	// bufferSize is the capacity of a new buffer in bytes: some packets of usual size.
	bufferSize = 4096
	// A buffer that grew larger than this, for one burst, is not kept.
	maxKeptBuffer = 1 << 16
)

// buffer is a reusable byte slice.
type buffer struct {
	data []byte
	// written gives the buffer back, as a callback of gnet: it is made once and not for every write.
	written gnet.AsyncCallback
}

var buffers sync.Pool // of *buffer

// takeBuffer gives an empty buffer. Any goroutine.
func takeBuffer() *buffer {
	if b, ok := buffers.Get().(*buffer); ok {
		return b
	}
	b := &buffer{data: make([]byte, 0, bufferSize)}
	b.written = func(gnet.Conn, error) error {
		b.release()
		return nil
	}
	return b
}

// release gives the buffer back; nobody may use it or its data any more. Any goroutine.
func (b *buffer) release() {
	if cap(b.data) > maxKeptBuffer {
		return
	}
	b.data = b.data[:0]
	buffers.Put(b)
}
