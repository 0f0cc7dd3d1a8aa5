package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"iocpnetlib/bridge"
)

func TestMain(m *testing.M) {
	if os.Getenv(runMainEnv) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// onEveryCore runs a test once for each network core that this build has. IOCPNETLIB_CORE names another native one
// than the default.
func onEveryCore(t *testing.T, test func(t *testing.T, core bridge.Core)) {
	native := cmp.Or(os.Getenv("IOCPNETLIB_CORE"), bridge.CoreAuto)
	for kind, name := range map[string]string{"native": native, "go": bridge.CoreGo} {
		t.Run(kind, func(t *testing.T) {
			core, err := bridge.Open(name, nil)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, core.Close()) })
			test(t, core)
		})
	}
}

func TestEveryPacketComesBack(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core bridge.Core) {
		config := bridge.DefaultConfig()
		config.BindAddress, config.Port, config.MaxConnections = "127.0.0.1", 0, 10
		config.SendBufferSize = 1 << 20 // all that comes back, should the client be slow to read
		require.NoError(t, core.Start(config))
		logic := &echo{}
		ended := make(chan error, 1)
		go func() { ended <- bridge.Run(context.Background(), core, logic) }()

		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", core.Port()))
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))

		// Every size that a packet can have, each with its own content.
		var sent strings.Builder
		packets := 0
		for size := bridge.HeaderLength; size <= config.MaxPacketSize; size++ {
			body := strings.Repeat(string(rune('a'+size%26)), size-bridge.HeaderLength)
			sent.WriteString(string([]byte{byte(size), byte(size >> 8), byte(packets), byte(packets >> 8), 7}) + body)
			packets++
		}
		written := make(chan error, 1)
		go func() {
			_, err := io.WriteString(conn, sent.String())
			written <- err
		}()
		received := make([]byte, sent.Len())
		_, err = io.ReadFull(conn, received)
		require.NoError(t, err)
		require.NoError(t, <-written)
		//nolint:testifylint // Equal would print them all
		assert.True(t, sent.String() == string(received), "the bytes differ")

		require.NoError(t, conn.Close())
		require.NoError(t, core.BeginStop())
		require.NoError(t, <-ended)
		require.NoError(t, core.Stop(time.Second))
		assert.EqualValues(t, packets, logic.packets)
	})
}
