package bridge

import "time"

// Poll takes from the doors first, at most their share of messages, and then from the part that waits, which gets what is
// left: so a crowd at one of them holds up nobody at the others for longer than one batch.
func (j *joinedCore) Poll(messages []Message, wait time.Duration) (int, error) {
	if len(messages) == 0 {
		return 0, ResultInvalidArgument
	}
	if !j.isStarted.Load() {
		return 0, ErrNotStarted
	}
	if !j.polling.CompareAndSwap(false, true) {
		return 0, ErrBusy
	}
	defer j.polling.Store(false)
	if j.closesLent > 0 {
		j.atDoors.Add(-j.closesLent)
		j.closesLent = 0
	}
	var until time.Time
	if wait > 0 {
		until = time.Now().Add(wait)
	}
	for {
		waiter := j.waiter()
		if waiter < 0 {
			return 0, ErrStopped
		}
		n := 0
		if !j.skipped {
			n = j.takeFromOthers(messages, waiter)
		}
		j.skipped = n == len(messages)
		if j.skipped {
			return n, nil
		}
		left := wait
		if n > 0 {
			left = 0
		} else if wait > 0 {
			left = max(time.Until(until), 0)
		}
		more, err := j.takeFrom(waiter, messages[n:], left)
		if n += more; n > 0 {
			return n, nil
		}
		if err != nil && !hasEnded(err) {
			return 0, err
		}
		if j.woken.Swap(false) {
			return 0, nil
		}
		// A door has woken the one that waits, or that one has ended: the others may have something.
		if n = j.takeFromOthers(messages, waiter); n > 0 {
			return n, nil
		}
		if err == nil && wait >= 0 && (wait == 0 || !time.Now().Before(until)) {
			return 0, nil
		}
	}
}

// waiter is the part in which Poll waits: the first that has not ended. -1: all have.
func (j *joinedCore) waiter() int {
	for i, part := range j.parts {
		if !part.ended {
			return i
		}
	}
	return -1
}

// takeFromOthers takes from the parts behind the one that waits, without waiting. Each gets as much as if all had much.
func (j *joinedCore) takeFromOthers(messages []Message, waiter int) int {
	n := 0
	others := j.parts[waiter+1:]
	j.turn++ // another one is first each time: messages may have room for fewer than there are
	for i := range others {
		number := waiter + 1 + (i+j.turn)%len(others)
		part := j.parts[number]
		if part.ended || !part.lends && !part.arrived.Load() {
			continue
		}
		share := max((len(messages)-n)/(len(others)-i+1), 1) // the one that waits has one, too
		if n+share > len(messages) {
			return n
		}
		// Before its queue is looked at: what comes later sets it again.
		part.arrived.Store(false)
		more, _ := j.pollPart(number, messages[n:n+share], 0) // the error is that it has ended
		if more == share {
			part.arrived.Store(true) // there may be more
		}
		n += more
	}
	return n
}

// takeFrom takes from the part that waits.
func (j *joinedCore) takeFrom(waiter int, messages []Message, wait time.Duration) (int, error) {
	if wait == 0 {
		return j.pollPart(waiter, messages, 0)
	}
	j.waitsIn.Store(int32(waiter) + 1)
	defer j.waitsIn.Store(0)
	// Whoever came before that has not seen it.
	if j.woken.Load() {
		wait = 0
	}
	for _, part := range j.parts[waiter+1:] {
		if part.arrived.Load() && !part.ended {
			wait = 0
		}
	}
	return j.pollPart(waiter, messages, wait)
}

// pollPart polls one part and counts its connections, if it is not the first.
func (j *joinedCore) pollPart(number int, messages []Message, wait time.Duration) (int, error) {
	part := j.parts[number]
	n, err := part.core.Poll(messages, wait)
	part.lends = n > 0
	part.ended = part.ended || hasEnded(err)
	if number == 0 {
		return n, err
	}
	for i := range messages[:n] {
		switch messages[i].Type {
		case MessageConnection:
			j.atDoors.Add(1)
		case MessageClose:
			j.closesLent++
		case MessageRecv:
		}
	}
	return n, err
}
