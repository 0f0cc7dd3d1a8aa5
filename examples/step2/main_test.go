package main

import (
	"testing"

	"iocpnetlib/bridge"
	"iocpnetlib/examples/internal/steptest"
)

func TestAnswersByID(t *testing.T) {
	core := steptest.Serve(t, func(core bridge.Core) error { return serve(core, 0) })
	client := steptest.Dial(t, core)
	client.Send(101, "hello")
	client.Expect(102, "hello")
	client.Send(103, "\x02\x00\x00\x00\xff\xff\xff\xff") // 2 and -1
	client.Expect(104, "\x01\x00\x00\x00")
	client.Send(103, "too short")
	client.ExpectEnd()

	other := steptest.Dial(t, core)
	other.Send(999, "")
	other.ExpectEnd()
}
