package bridge

import "iter"

// Operation is one operation of a SendBatch, for those who implement a Core outside this package or test logic
// without one.
type Operation struct {
	// Receivers are the connections: one, except for a broadcast.
	Receivers []ConnectionID
	// Packet is what they are sent, nil for a disconnect.
	Packet []byte
}

// Disconnect reports whether the operation closes its connection.
func (o Operation) Disconnect() bool { return o.Packet == nil }

// Operations yields the operations in the order in which they were added. What is yielded shares the batch's memory:
// it is valid until the batch changes.
func (b *SendBatch) Operations() iter.Seq[Operation] {
	return func(yield func(Operation) bool) {
		for i := range b.ops {
			o := &b.ops[i]
			var operation Operation
			switch o.kind {
			case opBroadcast:
				operation.Receivers = b.receivers[o.receiverOffset : o.receiverOffset+o.receiverCount]
			default:
				operation.Receivers = []ConnectionID{o.id}
			}
			if o.kind != opDisconnect {
				operation.Packet = b.payload[o.payloadOffset : o.payloadOffset+o.payloadSize]
			}
			if !yield(operation) {
				return
			}
		}
	}
}
