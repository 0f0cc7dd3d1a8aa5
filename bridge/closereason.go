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
	ClosePeerTimeout                    // the peer vanished: keepalive, a ping or what was sent got no answer

	// CloseProxyHeaderInvalid is a source that has to send a PROXY header and sent none, or a wrong one. For this reason and
	// those behind it Stats.Closed also counts clients that were turned away before logic was told of them.
	CloseProxyHeaderInvalid
	CloseProxyHeaderNotAllowed // a PROXY header from any other source

	// CloseHandshakeFailed is of TLS, or of the request for a WebSocket; before logic was told. This reason and those behind
	// it only a Door has.
	CloseHandshakeFailed
	ClosePlainHTTP        // HTTP where TLS was expected; before logic was told
	CloseHandshakeTimeout // header and handshakes took longer than Config.HandshakeTimeout; before logic was told
	CloseHandshakesFull   // it had been at it for longest of Config.MaxHandshakes; before logic was told
	CloseOtherOrigin      // a web page of another server; before logic was told
	CloseTextMessage      // protocol violation: a WebSocket message of text
	CloseMessageTooLong   // protocol violation: a WebSocket message over the limit
	CloseMessageNotWhole  // protocol violation: a WebSocket message that ends inside a packet, or an empty one
	CloseFrameInvalid     // protocol violation: no WebSocket frame, one that may not come there, too many of them or of TLS records
	CloseReasonCount
)

var closeReasonNames = [CloseReasonCount]string{
	"none", "peer_closed", "peer_reset", "packet_too_short", "packet_too_long",
	"send_buffer_full", "logic", "server_stop", "out_of_memory",
	"first_packet_timeout", "idle_timeout", "peer_timeout",
	"proxy_header_invalid", "proxy_header_not_allowed",
	"handshake_failed", "plain_http", "handshake_timeout", "handshakes_full", "other_origin",
	"text_message", "message_too_long", "message_not_whole", "frame_invalid",
}

// String is the reason's name in snake case, as logs and metrics show it.
func (r CloseReason) String() string {
	if r < CloseReasonCount {
		return closeReasonNames[r]
	}
	return fmt.Sprintf("close_reason_%d", uint16(r))
}

// Violation reports whether the peer broke a rule of the protocol or of its door.
func (r CloseReason) Violation() bool {
	switch r {
	case ClosePacketTooShort, ClosePacketTooLong, CloseProxyHeaderInvalid, CloseProxyHeaderNotAllowed,
		CloseTextMessage, CloseMessageTooLong, CloseMessageNotWhole, CloseFrameInvalid:
		return true
	default:
		return false
	}
}
