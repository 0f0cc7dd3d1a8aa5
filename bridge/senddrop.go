package bridge

import "fmt"

// SendDrop says why a payload was not queued. The numbers are those of the native core.
type SendDrop uint16

// The reasons. SendDropCount is how many there are.
const (
	SendDropNotConnected SendDrop = iota // no such connection, or logic has disconnected it, given its Close back, or sent too much
	SendDropBroken                       // its socket is closed, and its Close on the way to logic
	SendDropBufferFull                   // no room in its send buffer: it is being closed
	SendDropOutOfMemory                  // no memory for its send buffer: it is being closed; native cores only
	SendDropCount
)

var sendDropNames = [SendDropCount]string{"not_connected", "broken", "buffer_full", "out_of_memory"}

// String is the reason's name in snake case, as logs and metrics show it.
func (d SendDrop) String() string {
	if d < SendDropCount {
		return sendDropNames[d]
	}
	return fmt.Sprintf("send_drop_%d", uint16(d))
}
