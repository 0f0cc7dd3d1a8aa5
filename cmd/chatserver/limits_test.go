package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever breaks the protocol gets what was queued for it, and then the end. The others notice nothing.
func TestProtocolViolations(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--max-unknown-packets", "2")
		witness := login(t, server.address(), "witness")
		witness.do(enterRequest(1), enterResponse(0, ""))

		violations := []struct{ name, packets string }{
			{"a length of 0", "\x00\x00\xc9\x00\x00"},
			{"a length of 4", "\x04\x00\xc9\x00\x00"},
			{"a length over the maximum", "\x01\x04\xc9\x00\x00"},
			{"the largest length", "\xff\xff\xc9\x00\x00"},
			{"a short login", wire(201, text(41, ""))},
			{"a long login", wire(201, text(43, ""))},
			{"a short enter", wire(206, "\x00\x00\x00")},
			{"a long leave", wire(209, "\x00")},
			{"a chat that is a header", wire(214, "")},
			{"a chat as long as a packet may be", wire(214, text(1019, ""))},
			{"unknown ids", wire(300, "") + wire(301, "x") + wire(302, "")},
		}
		var peers []string
		for i, violation := range violations {
			user := fmt.Sprintf("mallory-%d", i)
			c := dial(t, server.address())
			c.send(loginRequest(user), enterRequest(1), chatRequest("조용!"), violation.packets)
			c.expect(loginResponse(0), enterResponse(0, "witness"), chatResponse(0), chatNotify(user, "조용!"))
			c.expectEnd()
			witness.expect(chatNotify(user, "조용!"))
			witness.do(chatRequest(violation.name), chatResponse(0), chatNotify("witness", violation.name))
			peers = append(peers, c.conn.LocalAddr().String())
		}

		server.interrupt()
		witness.expectEnd()
		server.wait(patience)
		summary := server.summary()
		assert.Equal(t, map[string]any{"packet_size": 6.0, "unknown_packets": 1.0}, summary["violations"])
		assert.Equal(t, map[string]any{"packet_too_short": 2.0, "packet_too_long": 2.0, "logic": 7.0,
			"server_stop": 1.0}, summary["closed"])

		// One line of the log names each of them.
		for i, peer := range peers {
			lines := 0
			for line := range strings.Lines(server.log.String()) {
				if strings.Contains(line, `"warn"`) && strings.Contains(line, peer) {
					lines++
				}
			}
			assert.Equal(t, 1, lines, "log lines about %s", violations[i].name)
		}
	})
}

// The last line of the log tells how many requests were refused, for every reason.
func TestRefusalsAreCountedByReason(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t)
		c := dial(t, server.address())
		c.do(enterRequest(1), enterResponse(51, ""))
		c.do(leaveRequest(), leaveResponse(71))
		c.do(chatRequest("psst"), chatResponse(81))
		c.do(loginRequest(""), loginResponse(12))
		c.do(loginRequest("Alice"), loginResponse(0))
		c.do(loginRequest("Alice"), loginResponse(31))
		c.do(loginRequest("Bob"), loginResponse(31))
		c.do(enterRequest(100), enterResponse(61, ""))

		server.interrupt()
		c.expectEnd()
		server.wait(patience)
		summary := server.summary()
		assert.Equal(t, map[string]any{"ENTER_ROOM_NOT_FINDE_USER": 1.0, "LEAVE_ROOM_INVALID_ROOM_INDEX": 1.0,
			"CHAT_ROOM_INVALID_ROOM_NUMBER": 1.0, "USER_MGR_INVALID_USER_UNIQUEID": 1.0, "LOGIN_USER_ALREADY": 2.0,
			"ROOM_INVALID_INDEX": 1.0}, summary["requests_refused"])
		assert.Equal(t, map[string]any{}, summary["ignored_packets"])
	})
}

func TestMoreConnectionsThanThereMayBe(t *testing.T) {
	onEveryDoor(t, func(t *testing.T, d door) {
		server := d.start(t, "--max-connections", "2")
		alice, bob := login(t, server.address(), "Alice"), login(t, server.address(), "Bob")
		dial(t, server.address()).expectRefused()
		dial(t, server.address()).expectRefused()
		alice.quiet()
		bob.quiet()

		// The place is free some time after Alice is gone.
		_ = alice.conn.Close()
		for {
			c := dial(t, server.address())
			if _, err := c.conn.Write([]byte(loginRequest("Alice"))); err == nil {
				if _, err := c.conn.Read(make([]byte, len(loginResponse(0)))); err == nil {
					c.do(enterRequest(1), enterResponse(0, ""))
					break
				}
			}
			_ = c.conn.Close()
			bob.quiet()
		}
		dial(t, server.address()).expectRefused()
		bob.quiet()
	})
}

func TestIPv6(t *testing.T) {
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err)
	}
	require.NoError(t, probe.Close())
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core)
		six := login(t, fmt.Sprintf("[::1]:%d", server.port), "six")
		four := login(t, fmt.Sprintf("127.0.0.1:%d", server.port), "four")
		six.do(enterRequest(1), enterResponse(0, ""))
		four.do(enterRequest(1), enterResponse(0, "six"))
		four.do(chatRequest("hi"), chatResponse(0), chatNotify("four", "hi"))
		six.expect(chatNotify("four", "hi"))

		only := startServer(t, core, "--bind", "::1")
		login(t, fmt.Sprintf("[::1]:%d", only.port), "six").quiet()
	})
}

func TestBadOptions(t *testing.T) {
	tests := []struct{ arguments, want string }{
		{"--port 70000", `chatserver: option --port is "70000", allowed is a whole number from -1 to 65535`},
		{"--port x", `chatserver: option --port is "x", allowed is a whole number from -1 to 65535`},
		{"--io-threads 65", `chatserver: option --io-threads is "65", allowed is a whole number from 0 to 64`},
		{"--io kqueue", `chatserver: option --io is "kqueue", allowed is auto, io_uring, epoll or iocp`},
		{"--max-packet-size 261",
			`chatserver: option --max-packet-size is "261", allowed is a whole number from 262 to 65535`},
		{"--max-connections 0",
			`chatserver: option --max-connections is "0", allowed is a whole number from 1 to 1000000`},
		{"--max-users -1",
			`chatserver: option --max-users is "-1", allowed is a whole number from 0 to 4000000`},
		{"--max-users 51 --max-connections 50",
			`chatserver: option --max-users is "51", allowed is 1 to 50, the value of --max-connections`},
		{"--start-room 2147483647", `chatserver: option --start-room is "2147483647", allowed is ` +
			`-2147483648 to 2147483548 with 100 rooms`},
		{"--max-rooms 0", `chatserver: option --max-rooms is "0", allowed is a whole number from 1 to 1000000`},
		{"--max-room-users -1",
			`chatserver: option --max-room-users is "-1", allowed is a whole number from 1 to 1000000`},
		{"--bind localhost", `chatserver: option --bind is "localhost", allowed is an IPv4 or IPv6 ` +
			`address without port, or nothing`},
		{"--stop-timeout 1h", `chatserver: option --stop-timeout is "1h", allowed is a time from 0s to 10m0s, such as ` +
			`1500ms or 5s`},
		{"--keepalive-interval 0s", `chatserver: option --keepalive-interval is "0s", allowed is a time ` +
			`from 1s to 9h6m7s, such as 1500ms or 5s`},
		{"--max-packet-rate -1", `chatserver: option --max-packet-rate is "-1", allowed is a whole number ` +
			`from 0 to 1000000`},
		{"--log-level loud", `chatserver: option --log-level is "loud", allowed is debug, info, warn or error`},
		{"--port -1", `chatserver: option --port is "-1", allowed is -1 only if tls-port, ws-port or wss-port is open`},
		{"--tls-port 0", `chatserver: option --tls-cert is "", allowed is a file, because tls-port or wss-port is open; ` +
			`chatserver certificate makes one for trying out`},
		{"--wss-port 0 --tls-cert cert.pem", `chatserver: option --tls-key is "", allowed is a file, because tls-port or ` +
			`wss-port is open`},
		{"--ws-port 0 --max-packet-size 2000 --ws-max-message 1999", `chatserver: option --ws-max-message is "1999", ` +
			`allowed is 2000 at least, the value of max-packet-size`},
		{"--proxy-from 10.0.0.1/8", `chatserver: option --proxy-from is "10.0.0.1/8", allowed is up to 64 IP addresses and ` +
			`networks, such as 10.0.0.0/8 or fd00::/8 without bits behind their length`},
		{"--ws-origins [", `chatserver: option --ws-origins is "[", allowed is hosts, with their ports if those are not the ` +
			`usual ones, or scheme://host, with * for any part`},
		{"--ws-origins https://game.example/", `chatserver: option --ws-origins is "https://game.example/", allowed is hosts, ` +
			`with their ports if those are not the usual ones, or scheme://host, with * for any part`},
		{"--ws-origins https://game.example:443", `chatserver: option --ws-origins is "https://game.example:443", allowed is ` +
			`hosts, with their ports if those are not the usual ones, or scheme://host, with * for any part`},
		{"--ws-port 0 --ws-ping-interval 1ms", `chatserver: option --ws-ping-interval is "1ms", allowed is 0s, or 1s at least`},
		{"--tls-min-version 1.1", `chatserver: option --tls-min-version is "1.1", allowed is 1.2 or 1.3`},
		{"--rooms 5", `chatserver: unknown option --rooms`},
		{"-rooms=5", `chatserver: "-rooms=5": options begin with two dashes`},
		{"--max-rooms 5 --port", `chatserver: option --port needs a value`},
		{"--=5", `chatserver: unexpected argument "--=5"`},
		{"extra", `chatserver: unexpected argument "extra"`},
	}
	for _, test := range tests {
		t.Run(test.arguments, func(t *testing.T) {
			stdout, stderr, code := runToEnd(t, strings.Fields(test.arguments)...)
			assert.Equal(t, 2, code)
			assert.Equal(t, test.want, strings.TrimSpace(strings.SplitN(stderr, "\n", 2)[0]))
			assert.Empty(t, stdout)
		})
	}
}

func TestHelp(t *testing.T) {
	output, _, code := runToEnd(t, "--help")
	assert.Equal(t, 0, code)
	for _, option := range []string{"port", "bind", "core", "io", "io-threads", "max-connections", "max-packet-size",
		"start-room", "max-rooms", "max-room-users", "max-users", "max-unknown-packets", "drain", "stop-timeout", "log-level", "admin", "config",
		"login-timeout", "idle-timeout", "keepalive-idle", "keepalive-interval", "keepalive-count", "max-packet-rate",
		"max-byte-rate", "rate-burst"} {
		assert.Contains(t, output, "  --"+option+" ")
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	onEveryCore(t, func(t *testing.T, core string) {
		server := startServer(t, core)
		stdout, stderr, code := runToEnd(t, "--core", core, "--port", fmt.Sprint(server.port))
		assert.Equal(t, 1, code)
		assert.Contains(t, stderr, fmt.Sprint(server.port))
		assert.Empty(t, stdout)
		login(t, server.address(), "Alice").quiet()
	})
}

func TestACoreThatIsNotThere(t *testing.T) {
	stdout, stderr, code := runToEnd(t, "--core", "no-such-core.so", "--port", "0")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "no-such-core.so")
	assert.Empty(t, stdout)
}
