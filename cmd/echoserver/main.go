// Echoserver sends every packet back as it came: the first lesson of the book's network library, and the smallest
// server that can be made of it.
package main

import (
	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/serverrun"
	"iocpnetlib/cmd/internal/settings"
)

func main() {
	program := serverrun.Program{
		Name:          "echoserver",
		About:         "Sends every packet back as it came.",
		MinPacketSize: bridge.HeaderLength,
		New:           func() serverrun.Part { return part{} },
	}
	program.Main()
}

// part: there are no settings but the common ones.
type part struct{}

func (part) Declare(*settings.Set)                                {}
func (part) Check(*settings.Set, *serverrun.Options) error        { return nil }
func (part) NewLogic(logger *zap.Logger) (serverrun.Logic, error) { return &echo{}, nil }

// echo is the whole logic.
type echo struct{ packets uint64 }

// HandleMessage sends a packet back, whatever it is.
func (e *echo) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	if message.Type != bridge.MessageRecv {
		return
	}
	e.packets++
	batch.Send(message.ID, message.Data)
}

func (e *echo) Summary() []zap.Field {
	return []zap.Field{zap.Uint64("packets_echoed", e.packets)}
}
