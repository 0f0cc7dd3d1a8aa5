// Echoserver sends every packet back as it came: the first lesson of the book's network library, and the smallest
// server that can be made of it.
package main

import (
	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/serverrun"
)

func main() {
	program := serverrun.Program{
		Name:          "echoserver",
		About:         "Sends every packet back as it came.",
		MinPacketSize: bridge.HeaderLength,
		NewLogic: func(*serverrun.Options, *zap.Logger) (serverrun.Logic, error) {
			return &echo{}, nil
		},
	}
	program.Main()
}

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
