package bridge

import "math"

type opType uint32

// The numbers of NetLib_Op_Send and so on.
const (
	opSend       opType = 1
	opBroadcast  opType = 2
	opDisconnect opType = 3
)

// op has the layout of the native core's NetLib_Op, so a batch crosses the boundary as it is.
type op struct {
	id             ConnectionID
	payloadOffset  uint32
	payloadSize    uint32
	receiverOffset uint32
	receiverCount  uint32
	kind           opType
	_              uint32
}

// A batch is full before its offsets could leave 32 bits, and early enough that a turn's sends stay in the cache.
const (
	batchFullPayload   = 1 << 20
	batchFullOps       = 4096
	batchFullReceivers = 1 << 18
)

// SendBatch collects what one turn of the logic loop wants sent, for one Core.Submit. It copies what it is given, so
// callers may reuse their buffers at once. The zero SendBatch is empty and ready; it keeps its memory over Reset. It
// belongs to one goroutine at a time.
type SendBatch struct {
	ops       []op
	payload   []byte
	receivers []ConnectionID
}

// Send queues packet for one connection. A packet goes out whole or not at all. An empty packet is ignored.
func (b *SendBatch) Send(id ConnectionID, packet []byte) {
	if len(packet) == 0 {
		return
	}
	offset := b.addPayload(packet)
	o := b.addOp(opSend)
	o.id = id
	o.payloadOffset, o.payloadSize = offset, uint32(len(packet))
}

// Broadcast queues one packet for many connections: one operation, whatever their number.
func (b *SendBatch) Broadcast(ids []ConnectionID, packet []byte) {
	if len(packet) == 0 || len(ids) == 0 {
		return
	}
	offset := b.addPayload(packet)
	o := b.addOp(opBroadcast)
	o.payloadOffset, o.payloadSize = offset, uint32(len(packet))
	o.receiverOffset, o.receiverCount = uint32(len(b.receivers)), uint32(len(ids))
	b.receivers = append(b.receivers, ids...)
}

// Disconnect closes a connection after what was queued for it before is sent. Packets of it that the core had already
// accepted may still be polled before its MessageClose.
func (b *SendBatch) Disconnect(id ConnectionID) {
	b.addOp(opDisconnect).id = id
}

// Len is the number of operations in the batch.
func (b *SendBatch) Len() int { return len(b.ops) }

// Full reports that the batch is large enough to be submitted before more is added. The bound is soft: it lies far
// below what the format can hold (4 GiB), so a caller that looks after each handled message never exceeds it by more
// than one message's answers.
func (b *SendBatch) Full() bool {
	return len(b.payload) >= batchFullPayload || len(b.ops) >= batchFullOps || len(b.receivers) >= batchFullReceivers
}

// Reset empties the batch.
func (b *SendBatch) Reset() {
	b.ops = b.ops[:0]
	b.payload = b.payload[:0]
	b.receivers = b.receivers[:0]
}

// addOp adds an operation and returns it, to be filled in place: one that is made elsewhere in small pieces and then
// copied as a whole makes the processor wait for the pieces. It is valid until the next one.
func (b *SendBatch) addOp(kind opType) *op {
	b.ops = append(b.ops, op{})
	o := &b.ops[len(b.ops)-1]
	o.kind = kind
	return o
}

func (b *SendBatch) addPayload(packet []byte) uint32 {
	offset := len(b.payload)
	if offset > math.MaxUint32-len(packet) {
		panic("bridge: SendBatch over 4 GiB: submit and reset it every turn")
	}
	b.payload = append(b.payload, packet...)
	return uint32(offset)
}
