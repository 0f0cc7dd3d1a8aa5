package chat_test

import (
	"fmt"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
)

// A packet is a struct that knows its bytes.
func Example() {
	request, err := chat.NewLoginRequest("alice", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	packet := request.Append(nil)
	fmt.Printf("% x ... %d bytes\n", packet[:12], len(packet))

	header, err := chat.DecodeHeader(packet)
	fmt.Println(header.Length, header.ID, err)

	var decoded chat.LoginRequest
	fmt.Println(decoded.Decode(packet))
	name, err := decoded.UserID.Text() // what a client sends is text only after this check
	fmt.Printf("%s %v\n", name, err)
	// Output:
	// 2f 00 c9 00 00 61 6c 69 63 65 00 00 ... 47 bytes
	// 47 LOGIN_REQUEST <nil>
	// <nil>
	// alice <nil>
}

// The logic needs no network: it is given messages, and tells what it wants sent.
func ExampleServer() {
	server, err := chat.NewServer(chat.DefaultConfig(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	const alice, bob bridge.ConnectionID = 1 << 32, 1<<32 + 1 // generation 1 of slots 0 and 1

	var batch bridge.SendBatch
	for _, who := range []struct {
		id   bridge.ConnectionID
		name string
	}{{alice, "alice"}, {bob, "bob"}} {
		login, _ := chat.NewLoginRequest(who.name, "")
		enter := chat.RoomEnterRequest{RoomNumber: 3}
		for _, message := range []bridge.Message{
			{ID: who.id, Type: bridge.MessageConnection, Data: []byte("192.0.2.1:1234")},
			{ID: who.id, Type: bridge.MessageRecv, Data: login.Append(nil)},
			{ID: who.id, Type: bridge.MessageRecv, Data: enter.Append(nil)},
		} {
			server.HandleMessage(&message, &batch)
		}
	}
	say, _ := chat.NewRoomChatRequest("안녕하세요!")
	server.HandleMessage(&bridge.Message{ID: alice, Type: bridge.MessageRecv, Data: say.Append(nil)}, &batch)

	for operation := range batch.Operations() {
		var notify chat.RoomChatNotify
		if notify.Decode(operation.Packet) != nil {
			header, _ := chat.DecodeHeader(operation.Packet)
			fmt.Println(header.ID, "to slot", operation.Receivers[0].Index())
			continue
		}
		text, _ := notify.Msg.Text()
		fmt.Printf("%s to %d members\n", text, len(operation.Receivers))
	}
	// Output:
	// LOGIN_RESPONSE to slot 0
	// ROOM_ENTER_RESPONSE to slot 0
	// LOGIN_RESPONSE to slot 1
	// ROOM_ENTER_RESPONSE to slot 1
	// ROOM_CHAT_RESPONSE to slot 0
	// 안녕하세요! to 2 members
}

// What an operator can do is logic, too.
func ExampleServer_AnnounceToAll() {
	server, err := chat.NewServer(chat.DefaultConfig(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var batch bridge.SendBatch
	fmt.Println(server.AnnounceToAll("the server restarts at midnight", &batch))
	fmt.Println(server.Kick("mallory", &batch))
	// Output:
	// 0 <nil>
	// "mallory": no such user is logged in
}
