package main

import (
	"context"
	"errors"
	"net"
	"sync"
)

// serveNet serves with a goroutine a connection until ctx ends. withLogic: one logic goroutine handles all messages;
// otherwise the goroutine that read them does, an echo by itself, and a chat with the rooms locked.
func serveNet(ctx context.Context, port int, isChat, withLogic bool) error {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{Port: port})
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // which ends the loop below
	defer stop()
	announce(listener.Addr().(*net.TCPAddr).Port)

	serve := serveEcho
	switch {
	case withLogic:
		serve = logicServer(isChat)
	case isChat:
		serve = lockedServer()
	}
	for {
		conn, err := listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return nil // and with the process the goroutines of its connections end
		}
		if err != nil {
			continue // of one client
		}
		go serve(conn)
	}
}

// serveEcho reads and writes until the client closes.
func serveEcho(conn *net.TCPConn) {
	defer func() { _ = conn.Close() }()
	readPackets(conn, maxEchoPacketSize, make([]byte, 0, bufferSize), func(data []byte, complete int) ([]byte, bool) {
		if _, err := conn.Write(data[:complete]); err != nil {
			return nil, false
		}
		return append(data[:0], data[complete:]...), true
	})
}

// readPackets reads into data, and whenever there are complete packets at its beginning calls handle with how many
// bytes they have; handle returns the memory to go on with, which begins with what follows them. It returns when the
// client closed or broke the protocol, or handle said false.
func readPackets(conn *net.TCPConn, maxPacketSize int, data []byte, handle func([]byte, int) ([]byte, bool)) {
	for {
		if len(data) == cap(data) { // a packet that is larger
			data = append(make([]byte, 0, min(2*cap(data), 2*maxPacketSize)), data...)
		}
		n, err := conn.Read(data[len(data):cap(data)])
		if err != nil {
			return
		}
		data = data[:len(data)+n]
		complete, framingError := packetsIn(data, maxPacketSize)
		if complete > 0 {
			var isOpen bool
			if data, isOpen = handle(data, complete); !isOpen {
				return
			}
		}
		if framingError != nil {
			return
		}
	}
}

// logicServer starts a logic goroutine and returns what serves a connection.
func logicServer(isChat bool) func(*net.TCPConn) {
	queue := newLogic()
	_, maxPacketSize := newService(isChat, &turn{})
	go queue.run(isChat,
		func(to *client, out *buffer) { to.socket.write(out) },
		func(to *client) { to.socket.close() })
	return func(conn *net.TCPConn) {
		socket, err := newSocket(conn)
		if err != nil {
			_ = conn.Close()
			return
		}
		from := &client{socket: socket}
		in := takeBuffer()
		readPackets(conn, maxPacketSize, in.data, func(data []byte, complete int) ([]byte, bool) {
			// The logic gets the buffer as it is; only the beginning of a packet is copied into the next one.
			next := takeBuffer()
			next.data = append(next.data, data[complete:]...)
			in.data = data[:complete]
			queue.push(event{from, in})
			in = next
			return next.data, true
		})
		in.release()
		queue.push(event{from: from}) // and the logic closes the connection
	}
}

// lockedServer returns what serves a connection of the chat without a logic goroutine.
func lockedServer() func(*net.TCPConn) {
	var mutex sync.Mutex
	t := &turn{}
	work, maxPacketSize := newService(true, t)
	write := func(to *client, out *buffer) { to.socket.write(out) }
	return func(conn *net.TCPConn) {
		socket, err := newSocket(conn)
		if err != nil {
			_ = conn.Close()
			return
		}
		defer socket.close()
		from := &client{socket: socket}
		readPackets(conn, maxPacketSize, make([]byte, 0, bufferSize), func(data []byte, complete int) ([]byte, bool) {
			mutex.Lock()
			isOpen := handleAll(work, from, data[:complete])
			t.flush(write) // with the lock: the order is the same for all
			mutex.Unlock()
			return append(data[:0], data[complete:]...), isOpen
		})
		mutex.Lock()
		from.gone = true
		work.closed(from)
		mutex.Unlock()
	}
}
