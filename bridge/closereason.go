package bridge

import "fmt"

// CloseReason says why a connection ended. The numbers are those of the native core.
type CloseReason uint16

// The reasons. CloseReasonCount is how many there are.
const (
	CloseNone               CloseReason = iota
	ClosePeerClosed                     // the peer ended its sending side in order
	ClosePeerReset                      // the connection broke: reset
	ClosePacketTooShort                 // protocol violation: PacketLength under HeaderLength
	ClosePacketTooLong                  // protocol violation: PacketLength over Config.MaxPacketSize
	CloseSendBufferFull                 // the client reads too slowly: its send buffer was full
	CloseLogic                          // logic asked for it with SendBatch.Disconnect
	CloseServerStop                     // the server stops
	CloseOutOfMemory                    // no memory for this connection's buffers
	CloseFirstPacketTimeout             // no whole packet within Config.FirstPacketTimeout
	CloseIdleTimeout                    // no whole packet for Config.IdleTimeout
	ClosePeerTimeout                    // the peer vanished: keepalive or what was sent got no answer
	CloseReasonCount
)

var closeReasonNames = [CloseReasonCount]string{
	"none", "peer_closed", "peer_reset", "packet_too_short", "packet_too_long",
	"send_buffer_full", "logic", "server_stop", "out_of_memory",
	"first_packet_timeout", "idle_timeout", "peer_timeout",
}

// String is the reason's name in snake case, as logs and metrics show it.
func (r CloseReason) String() string {
	if r < CloseReasonCount {
		return closeReasonNames[r]
	}
	return fmt.Sprintf("close_reason_%d", uint16(r))
}

// Violation reports whether the peer broke the framing rules.
func (r CloseReason) Violation() bool { return r == ClosePacketTooShort || r == ClosePacketTooLong }
