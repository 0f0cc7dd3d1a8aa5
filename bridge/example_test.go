package bridge_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"iocpnetlib/bridge"
)

// greeter answers each packet with a packet of the same id.
type greeter struct{}

func (greeter) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	if message.Type == bridge.MessageRecv {
		name := message.Data[bridge.HeaderLength:]
		batch.Send(message.ID, packet(message.Data[2], "hello, "+string(name)))
	}
}

// packet makes a packet with a small id: u16 length of the whole, u16 id, u8 type, little-endian.
func packet(id byte, body string) []byte {
	return append([]byte{byte(bridge.HeaderLength + len(body)), 0, id, 0, 0}, body...)
}

// A server and a client in one program. A real server opens bridge.CoreAuto, the native core.
func Example() {
	core, err := bridge.Open(bridge.CoreGo, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := bridge.DefaultConfig()
	config.BindAddress = "127.0.0.1"
	config.Port = 0 // any free one
	if err := core.Start(config); err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(context.Background(), core, greeter{}) }()

	if err := greet(core.Port(), "alice"); err != nil {
		fmt.Println(err)
	}

	// The loop handles what was received and ends; then the core may go.
	fmt.Println(core.BeginStop(), <-ended, core.Close())
	// Output:
	// id 7: hello, alice
	// <nil> <nil> <nil>
}

// greet is the client.
func greet(port int, name string) error {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(packet(7, name)); err != nil {
		return err
	}
	header := make([]byte, bridge.HeaderLength)
	if _, err := io.ReadFull(conn, header); err != nil {
		return err
	}
	body := make([]byte, int(header[0])-bridge.HeaderLength)
	if _, err := io.ReadFull(conn, body); err != nil {
		return err
	}
	fmt.Printf("id %d: %s\n", header[2], body)
	return nil
}

// Logic can be tested without a core and without a network: Operations tells what it wants sent.
func ExampleSendBatch_Operations() {
	const connection = bridge.ConnectionID(1)
	var batch bridge.SendBatch
	greeter{}.HandleMessage(&bridge.Message{ID: connection, Type: bridge.MessageRecv, Data: packet(7, "bob")}, &batch)
	batch.Disconnect(connection)
	for operation := range batch.Operations() {
		if operation.Disconnect() {
			fmt.Println("disconnect", operation.Receivers)
		} else {
			fmt.Println("send", operation.Receivers, string(operation.Packet[bridge.HeaderLength:]))
		}
	}
	// Output:
	// send [1] hello, bob
	// disconnect [1]
}
