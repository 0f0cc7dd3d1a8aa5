package bridge

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Peers that vanish without a word, as when a machine loses power or a cable is pulled. The test runs in a network
// namespace of its own (this test binary, started again), with its clients in another one, so that no setting of the
// machine is touched.

const vanishVariable = "IOCPNETLIB_TEST_VANISH"

const (
	vanishServer = "198.18.0.1" // RFC 2544: for tests
	vanishClient = "198.18.0.2"
)

func TestVanishedPeers(t *testing.T) {
	if os.Getenv(vanishVariable) == "" {
		if _, err := exec.LookPath("ip"); err != nil {
			t.Skip("the program ip (iproute2) is not there")
		}
		command := exec.Command(os.Args[0], "-test.run", "^TestVanishedPeers$", "-test.v")
		command.Env = append(os.Environ(), vanishVariable+"=1")
		command.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
		runtime.LockOSThread() // Pdeathsig is about the thread
		defer runtime.UnlockOSThread()
		output, err := command.CombinedOutput()
		if os.IsPermission(err) {
			t.Skipf("no network namespace for the test: %v", err)
		}
		require.NoError(t, err, "%s", output)
		t.Logf("%s", output)
		return
	}

	onEachTCPCore(t, func(t *testing.T, s *subject) {
		other := newNamespace(t)
		runIP(t, "link", "add", "server", "type", "veth", "peer", "name", "client", "netns", fmt.Sprint(other.thread))
		defer runIP(t, "link", "delete", "server")
		runIP(t, "address", "add", vanishServer+"/30", "dev", "server")
		runIP(t, "link", "set", "server", "up")
		other.do(func() {
			runIP(t, "address", "add", vanishClient+"/30", "dev", "client")
			runIP(t, "link", "set", "client", "up")
		})
		config := testConfig()
		config.BindAddress = vanishServer
		config.KeepAlive = KeepAlive{Idle: time.Second, Interval: time.Second, Count: 1}
		s.start(config)
		connected := func() (*client, ConnectionID) {
			var c *client
			var err error
			other.do(func() { c, err = s.connect(t, vanishServer, s.port()) })
			require.NoError(t, err)
			t.Cleanup(func() { c.close() })
			return c, s.expectConnection()
		}
		silent, silentID := connected()
		silent.write(packetOf(1, nil))
		s.expectPacket(silentID, packetOf(1, nil))
		_, owedID := connected()

		// From here on nothing that they say leaves their namespace.
		other.do(func() { runIP(t, "route", "add", "blackhole", vanishServer+"/32") })
		s.send(owedID, packetOf(2, nil)) // keepalive asks nothing while this is not acknowledged
		closed := map[ConnectionID]CloseReason{}
		for len(closed) < 2 {
			m := s.next()
			require.Equal(t, MessageClose, m.kind)
			closed[m.id] = m.reason
		}
		require.Equal(t, map[ConnectionID]CloseReason{silentID: ClosePeerTimeout, owedID: ClosePeerTimeout}, closed)
		s.expectNothing()
		require.Equal(t, uint64(2), s.core.Stats().Closed[ClosePeerTimeout])
		s.eventually("the slots are free", func(stats Stats) bool { return stats.ConnectionsCurrent == 0 })
	})
}

// namespace is a network namespace: the thread that is in it.
type namespace struct {
	thread int
	work   chan func()
}

// newNamespace makes a namespace that ends with the test.
func newNamespace(t *testing.T) *namespace {
	n := &namespace{work: make(chan func())}
	ready := make(chan error)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		n.thread = unix.Gettid()
		ready <- unix.Unshare(unix.CLONE_NEWNET)
		for work := range n.work {
			work()
		}
	}()
	require.NoError(t, <-ready)
	t.Cleanup(func() { close(n.work); <-ended })
	return n
}

// do runs work inside the namespace. Sockets that it makes stay there.
func (n *namespace) do(work func()) {
	done := make(chan struct{})
	n.work <- func() { defer close(done); work() }
	<-done
}

func runIP(t *testing.T, arguments ...string) {
	output, err := exec.Command("ip", arguments...).CombinedOutput()
	if err != nil {
		t.Errorf("ip %v: %v: %s", arguments, err, output)
	}
}
