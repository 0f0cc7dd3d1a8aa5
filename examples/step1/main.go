// Step1 sends every packet back as it came.
package main

import (
	"context"
	"fmt"
	"log"

	"iocpnetlib/bridge"
)

func main() {
	core, err := bridge.Open(bridge.CoreAuto, nil)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(core, 11021))
}

// serve runs until the core is stopped.
func serve(core bridge.Core, port int) error {
	config := bridge.DefaultConfig()
	config.Port = port
	if err := core.Start(config); err != nil {
		return err
	}
	fmt.Println("listening on port", core.Port())
	return bridge.Run(context.Background(), core, echo{})
}

// echo is the whole logic.
type echo struct{}

// HandleMessage is called for one message at a time, always by the same goroutine.
func (echo) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	if message.Type == bridge.MessageRecv {
		batch.Send(message.ID, message.Data)
	}
}
