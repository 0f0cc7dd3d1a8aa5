package main

import (
	"testing"

	"iocpnetlib/bridge"
	"iocpnetlib/examples/internal/steptest"
)

func TestPlayers(t *testing.T) {
	core := steptest.Serve(t, func(core bridge.Core) error { return serve(core, 0) })
	alice, bob := steptest.Dial(t, core), steptest.Dial(t, core)
	alice.Send(101, "alice")
	alice.Send(102, "anybody here?")
	alice.Expect(103, "\x05aliceanybody here?")
	bob.Expect(103, "\x05aliceanybody here?") // who has no name hears, too
	bob.Send(101, "bob")
	bob.Send(102, "yes")
	alice.Expect(103, "\x03bobyes")
	bob.Expect(103, "\x03bobyes")
	alice.Close()
	bob.Expect(104, "alice")

	bob.Send(101, "a second name")
	bob.ExpectEnd()
}
