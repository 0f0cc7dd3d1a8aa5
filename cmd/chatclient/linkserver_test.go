package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
)

// patience bounds everything that a test waits for: far more than is needed, so that only a hang reaches it.
const patience = 30 * time.Second

// testServer is a chat server in this process that may end before the test does.
type testServer struct {
	address string
	port    int
	stop    func()
}

// startServerOn runs a chat server on a port, 0: any.
func startServerOn(t *testing.T, port int, change ...func(*chat.Config)) *testServer {
	t.Helper()
	config := chat.DefaultConfig()
	config.MaxConnections, config.MaxUsers, config.MaxRoomUsers = 10, 10, 2
	for _, f := range change {
		f(&config)
	}
	server, err := chat.NewServer(config, nil)
	require.NoError(t, err)
	core := bridge.NewGoCore(nil)
	net := bridge.DefaultConfig()
	net.BindAddress, net.Port, net.MaxConnections = "127.0.0.1", port, config.MaxConnections
	require.NoError(t, core.Start(net))
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(context.Background(), core, server) }()
	s := &testServer{address: fmt.Sprintf("127.0.0.1:%d", core.Port()), port: core.Port()}
	s.stop = sync.OnceFunc(func() {
		assert.NoError(t, core.Stop(0))
		assert.NoError(t, <-ended)
		assert.NoError(t, core.Close())
	})
	t.Cleanup(s.stop)
	return s
}
