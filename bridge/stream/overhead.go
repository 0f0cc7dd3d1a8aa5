package stream

import "time"

// How much of what a client sends in a second may be no packets: frames and records take some bytes each, and a packet may
// be sent in many, but who sends far more than that costs time which no limit of packets or their bytes bounds. What is
// free is also more than a layer reads ahead.
const (
	freeOverhead     = 64 << 10
	overheadOfPacket = 8 // times its bytes
)

// overhead counts, of a second, the bytes that came from below a layer and those that it made of them. The reader.
type overhead struct {
	second       time.Time
	raw, payload int
}

// addRaw counts bytes that came, and reports whether they are still in proportion. ahead is what the layer may keep
// beyond what is free.
func (o *overhead) addRaw(n, ahead int) bool {
	if now := time.Now(); now.Sub(o.second) >= time.Second {
		*o = overhead{second: now}
	}
	o.raw += n
	over := o.raw - o.payload - ahead
	return over <= freeOverhead || over <= overheadOfPacket*o.payload
}
