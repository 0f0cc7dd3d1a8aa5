package bridge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"go.uber.org/zap"

	"iocpnetlib/bridge/stream"
)

// Door is a port of its own whose clients speak TLS or WebSocket, or both, around the same packets. It is served by the
// pure-Go core, whose rules for buffers, slow readers, limits and stops hold for it; Join puts it beside another core.
type Door struct {
	// Name tells doors apart, for logs, metrics and Doors: "tls", "ws", "wss".
	Name string
	// Port is instead of Config.Port.
	Port int
	// TLS is nil for a door without; stream.Certificates makes one. It must not change.
	TLS *tls.Config
	// WebSocket is nil for a door whose clients send packets right away. It must not change.
	WebSocket *stream.WebSocket
}

// NewDoor makes a stopped core for a door. It logs to logger; nil means no log.
func NewDoor(door Door, logger *zap.Logger) Core {
	if logger == nil {
		logger = zap.NewNop()
	}
	return &goCore{logger: logger.With(zap.String("door", door.Name)), door: &door}
}

// validate returns a *StartError if a door cannot be started with a config that is valid by itself.
func (d *Door) validate(config *Config) error {
	if d.WebSocket != nil && d.WebSocket.MaxMessage < config.MaxPacketSize {
		return &StartError{ResultInvalidArgument, fmt.Sprintf("WebSocket.MaxMessage is %d, must be MaxPacketSize (%d) at least",
			d.WebSocket.MaxMessage, config.MaxPacketSize)}
	}
	return nil
}

// streamConfig is what has to happen before packets are read.
func (s *goServer) streamConfig(door *Door) stream.Config {
	config := stream.Config{
		Proxies:          s.config.Proxies,
		MaxPacketSize:    s.config.MaxPacketSize,
		HandshakeTimeout: s.config.HandshakeTimeout,
		MaxHandshakes:    s.config.MaxHandshakes,
		Refused:          s.turnedAway,
		Logger:           s.logger,
	}
	if door != nil {
		config.TLS, config.WebSocket = door.TLS, door.WebSocket
	}
	return config
}

// turnedAway: logic will never hear of this client. Any goroutine.
func (s *goServer) turnedAway(peer net.Addr, err error) {
	reason := reasonOfRefusal(err)
	s.counters.closed[reason].Add(1)
	s.logger.Warn("refusing a client", zap.String("peer", peerText(peer)), zap.Stringer("reason", reason), zap.Error(err))
}

var refusalReasons = map[stream.Refusal]CloseReason{
	stream.ProxyHeaderInvalid:    CloseProxyHeaderInvalid,
	stream.ProxyHeaderNotAllowed: CloseProxyHeaderNotAllowed,
	stream.HandshakeFailed:       CloseHandshakeFailed,
	stream.PlainHTTP:             ClosePlainHTTP,
	stream.HandshakeTimeout:      CloseHandshakeTimeout,
	stream.HandshakesFull:        CloseHandshakesFull,
	stream.OtherOrigin:           CloseOtherOrigin,
	stream.TextMessage:           CloseTextMessage,
	stream.MessageTooLong:        CloseMessageTooLong,
	stream.MessageNotWhole:       CloseMessageNotWhole,
	stream.FrameInvalid:          CloseFrameInvalid,
	stream.PongMissing:           ClosePeerTimeout,
}

// reasonOfRefusal is the reason that an error of a stream stands for, CloseNone if it is no refusal.
func reasonOfRefusal(err error) CloseReason {
	refusal, _ := errors.AsType[stream.Refusal](err)
	return refusalReasons[refusal]
}

// endingOf is how a client is told of a reason.
func endingOf(reason CloseReason) stream.Ending {
	switch {
	case reason == CloseServerStop:
		return stream.EndedByStop
	case reason == CloseTextMessage:
		return stream.EndedByText
	case reason == CloseMessageTooLong:
		return stream.EndedByLength
	case reason == CloseFrameInvalid:
		return stream.EndedByFrameError
	case reason.Violation():
		return stream.EndedByViolation
	default:
		return stream.EndedNormally
	}
}
