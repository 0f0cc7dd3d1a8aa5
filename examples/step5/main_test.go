package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"iocpnetlib/examples/internal/steptest"
)

// start runs the server with times that suit a test. stop tells it to stop; ended has what serve returns.
func start(t *testing.T, drain time.Duration) (client *steptest.Client, stop func(), ended <-chan error) {
	t.Helper()
	s := defaultSettings()
	s.net.Port, s.tick, s.drain = 0, time.Hour, drain
	core := steptest.Core(t)
	told, stop := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- serve(told, core, s, zap.NewNop()) }()
	steptest.WaitForPort(t, core)
	client = steptest.Dial(t, core)
	client.Send(101, "alice")
	client.Send(102, "hello")
	client.Expect(103, "\x05alicehello")
	return client, stop, result
}

func TestADrainEndsWhenAllHaveLeft(t *testing.T) {
	client, stop, ended := start(t, time.Hour)
	stop()
	client.Expect(106, "\x10\x0e") // 3600 seconds
	client.Close()
	require.NoError(t, steptest.Wait(t, ended))
}

func TestWhoDoesNotLeaveIsDisconnected(t *testing.T) {
	client, stop, ended := start(t, time.Millisecond)
	stop()
	client.Expect(106, "\x00\x00")
	client.ExpectEnd()
	client.Close()
	require.NoError(t, steptest.Wait(t, ended))
}
