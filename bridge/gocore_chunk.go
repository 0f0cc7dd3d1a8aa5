package bridge

import (
	"sync"
	"sync/atomic"
)

// maxChunkSize is how large a piece of receive memory gets, whatever RecvBufferSize allows a connection to have
// received: a connection that is quiet keeps one chunk.
const maxChunkSize = 64 << 10

// chunk is a piece of receive memory. One reader fills it from front to back; packets that logic is told of point into
// it. It goes back to its pool when the reader has turned to another one and logic has given back every packet in it.
type chunk struct {
	memory []byte
	users  atomic.Int32 // the reader, and each packet that logic has not given back
	pool   *chunkPool
}

// release takes away n users.
func (c *chunk) release(n int) {
	if c.users.Add(int32(-n)) == 0 {
		c.pool.pool.Put(c)
	}
}

// onlyReader reports that no packet points into the chunk. Only the reader may ask: nobody else adds users.
func (c *chunk) onlyReader() bool { return c.users.Load() == 1 }

// chunkPool has the chunks of one server.
type chunkPool struct {
	pool sync.Pool
	size int
}

func newChunkPool(config *Config) *chunkPool {
	p := &chunkPool{size: min(config.RecvBufferSize, maxChunkSize)} // MaxPacketSize or more, so a packet always fits
	p.pool.New = func() any { return &chunk{memory: make([]byte, p.size), pool: p} }
	return p
}

// get is a chunk with one user.
func (p *chunkPool) get() *chunk {
	c := p.pool.Get().(*chunk)
	c.users.Store(1)
	return c
}

// recvBuffer is what a reader has received and not yet framed: a stretch of one chunk. It belongs to the reader.
type recvBuffer struct {
	chunk      *chunk
	start, end int
}

// unframed is what was received and not framed.
func (b *recvBuffer) unframed() []byte { return b.chunk.memory[b.start:b.end] }

// space is where to receive next. Bytes that were framed are never moved, they belong to logic; the part of a packet
// that is there moves to the front, of this chunk if logic holds nothing in it, else of a fresh one, when the packet
// would not fit or little space is left for the receive.
func (b *recvBuffer) space() []byte {
	size := len(b.chunk.memory)
	if b.start == b.end && b.chunk.onlyReader() {
		b.start, b.end = 0, 0 // the front of the chunk is in the cache
	}
	if b.start > 0 && (size-b.end < size/4 || !b.packetFits()) {
		partial := b.unframed()
		if b.chunk.onlyReader() {
			copy(b.chunk.memory, partial)
		} else {
			next := b.chunk.pool.get()
			copy(next.memory, partial)
			b.chunk.release(1)
			b.chunk = next
		}
		b.start, b.end = 0, len(partial)
	}
	return b.chunk.memory[b.end:]
}

// packetFits reports whether the packet that begins at start fits behind start.
func (b *recvBuffer) packetFits() bool {
	length := lengthFieldLength
	if partial := b.unframed(); len(partial) >= lengthFieldLength {
		length = int(partial[0]) | int(partial[1])<<8
	}
	return b.start+length <= len(b.chunk.memory)
}
