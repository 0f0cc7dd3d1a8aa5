package main

import (
	"testing"

	"iocpnetlib/bridge"
	"iocpnetlib/examples/internal/steptest"
)

func TestEcho(t *testing.T) {
	core := steptest.Serve(t, func(core bridge.Core) error { return serve(core, 0) })
	client := steptest.Dial(t, core)
	client.Send(7, "hello")
	client.Send(8, "")
	client.Expect(7, "hello")
	client.Expect(8, "")
}
