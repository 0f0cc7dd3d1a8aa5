package main

import (
	"context"
	"fmt"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// loopConn is a connection of gnet.
type loopConn struct{ conn gnet.Conn }

// gnetServer is gnet's event handler. Its methods are called by the event loops.
type gnetServer struct {
	gnet.BuiltinEventEngine
	ctx           context.Context
	maxPacketSize int
	booted        chan gnet.Engine // of capacity 1
	queue         *logic           // nil: messages are handled in the event loop
	isEcho        bool             // in the event loop
	turn          *turn            // of the chat in the one event loop
	work          service
}

// serveGnet serves with gnet until ctx ends. withLogic: one logic goroutine handles all messages; otherwise the event
// loop that read them does.
func serveGnet(ctx context.Context, port int, isChat, withLogic bool, loops int) error {
	server := &gnetServer{ctx: ctx, booted: make(chan gnet.Engine, 1), isEcho: !isChat && !withLogic, turn: &turn{}}
	server.work, server.maxPacketSize = newService(isChat, server.turn)
	if withLogic {
		server.queue = newLogic()
		go server.queue.run(isChat, writeAsync, disconnect)
	}
	stop := context.AfterFunc(ctx, func() {
		engine := <-server.booted
		_ = engine.Stop(context.Background()) // Run tells its errors
	})
	defer stop()
	return gnet.Run(server, fmt.Sprintf("tcp4://:%d", port),
		gnet.WithNumEventLoop(loops), gnet.WithTCPNoDelay(gnet.TCPNoDelay), gnet.WithLogger(problems{}))
}

// writeAsync has the connection's event loop write, and release, the output.
func writeAsync(to *client, out *buffer) {
	if err := to.loop.conn.AsyncWrite(out.data, out.written); err != nil {
		disconnect(to)
	}
}

// writeNow writes the output: the caller is in the connection's event loop. gnet keeps what the kernel does not take.
func writeNow(to *client, out *buffer) {
	_, _ = to.loop.conn.Write(out.data) // gnet closes a connection that fails
	out.release()
}

// disconnect closes a connection after what was handed to gnet for it before.
func disconnect(c *client) { _ = c.loop.conn.Close() } // it fails only if the connection is closed

func (s *gnetServer) OnBoot(engine gnet.Engine) gnet.Action {
	descriptor, err := engine.Dup()
	if err != nil {
		return gnet.Shutdown
	}
	defer func() { _ = syscall.Close(descriptor) }()
	address, err := syscall.Getsockname(descriptor)
	if err != nil {
		return gnet.Shutdown
	}
	if v4, ok := address.(*syscall.SockaddrInet4); ok {
		announce(v4.Port)
	} else {
		announce(address.(*syscall.SockaddrInet6).Port)
	}
	s.booted <- engine
	return gnet.None
}

func (s *gnetServer) OnOpen(conn gnet.Conn) ([]byte, gnet.Action) {
	if !s.isEcho {
		conn.SetContext(&client{loop: &loopConn{conn}})
	}
	return nil, gnet.None
}

func (s *gnetServer) OnTraffic(conn gnet.Conn) gnet.Action {
	data, err := conn.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	complete, framingError := packetsIn(data, s.maxPacketSize)
	if complete > 0 {
		if !s.handle(conn, data[:complete]) {
			return gnet.Close
		}
		if _, err := conn.Discard(complete); err != nil {
			return gnet.Close
		}
	}
	if framingError != nil {
		return gnet.Close
	}
	return gnet.None
}

// handle handles the packets that data consists of, or hands them to the logic. False: the client is to be
// disconnected.
func (s *gnetServer) handle(conn gnet.Conn, data []byte) bool {
	if s.isEcho {
		_, err := conn.Write(data)
		return err == nil
	}
	from := conn.Context().(*client)
	if s.queue == nil {
		isOpen := handleAll(s.work, from, data)
		s.turn.flush(writeNow)
		return isOpen
	}
	packets := takeBuffer()
	packets.data = append(packets.data, data...) // gnet's memory is valid in here only
	s.queue.push(event{from, packets})
	return true
}

func (s *gnetServer) OnClose(conn gnet.Conn, _ error) gnet.Action {
	from, ok := conn.Context().(*client)
	switch {
	case !ok:
	case s.queue != nil:
		s.queue.push(event{from: from})
	default:
		from.gone = true
		s.work.closed(from)
	}
	return gnet.None
}
