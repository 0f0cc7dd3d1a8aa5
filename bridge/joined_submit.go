package bridge

// Submit gives every part what is for its connections, in order. The payload is shared.
func (j *joinedCore) Submit(batch *SendBatch) error {
	if batch == nil {
		return ResultInvalidArgument
	}
	if !j.isStarted.Load() {
		return ErrNotStarted
	}
	if j.atDoors.Load() == 0 {
		return j.parts[0].core.Submit(batch)
	}
	j.submitMu.Lock()
	defer j.submitMu.Unlock()
	if !batch.fits(j.sendBufferSize) { // before any part has carried out something
		return ResultInvalidArgument
	}
	for _, part := range j.parts {
		part.batch.ops, part.batch.receivers, part.batch.payload = part.batch.ops[:0], part.batch.receivers[:0], batch.payload
		part.assigned = 0
	}
	for i := range batch.ops {
		o := &batch.ops[i]
		if o.kind == opBroadcast {
			j.splitBroadcast(o, batch.receiversOf(o))
			continue
		}
		part := j.partOf(o.id)
		part.batch.ops = append(part.batch.ops, *o)
	}
	var first error
	for _, part := range j.parts {
		if part.batch.Len() > 0 {
			if err := part.core.Submit(&part.batch); first == nil {
				first = err
			}
		}
		part.batch.payload = nil
	}
	return first
}

// splitBroadcast adds a broadcast to the batch of every part that has receivers of it. With submitMu.
func (j *joinedCore) splitBroadcast(o *op, receivers []ConnectionID) {
	for _, id := range receivers {
		part := j.partOf(id)
		part.batch.receivers = append(part.batch.receivers, id)
	}
	for _, part := range j.parts {
		if count := len(part.batch.receivers) - part.assigned; count > 0 {
			own := *o
			own.receiverOffset, own.receiverCount = uint32(part.assigned), uint32(count)
			part.batch.ops = append(part.batch.ops, own)
			part.assigned += count
		}
	}
}

// partOf is the part that an ID belongs to. One that nobody has made is the first part's, which drops it.
func (j *joinedCore) partOf(id ConnectionID) *joinedPart {
	for _, part := range j.parts[1:] {
		if slot := id.Index() - part.firstSlot; slot >= 0 && slot < part.places {
			return part
		}
	}
	return j.parts[0]
}
