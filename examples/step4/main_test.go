package main

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
	"iocpnetlib/examples/internal/steptest"
)

func TestTicks(t *testing.T) {
	core := steptest.Serve(t, func(core bridge.Core) error { return serve(core, 0, 5*time.Millisecond) })
	client := steptest.Dial(t, core)
	_, first := client.Receive()
	id, second := client.Receive()
	require.Equal(t, uint16(tickNotify), id)
	number := func(body string) uint32 { return binary.LittleEndian.Uint32([]byte(body)) }
	require.Equal(t, number(first)+1, number(second))
	require.Equal(t, "\x01\x00", second[4:], "one player")
}
