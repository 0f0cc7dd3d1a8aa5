package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"iocpnetlib/bridge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// testHost is a program that has an admin page.
type testHost struct {
	mutex  sync.Mutex
	state  State
	drains []time.Duration
	reload error
}

func (h *testHost) State() State {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.state
}

func (h *testHost) Drain(_ context.Context, limit *time.Duration) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.state != StateReady {
		return errors.New("the server is stopping already")
	}
	h.state = StateDraining
	h.drains = append(h.drains, *limit)
	return nil
}

func (h *testHost) Reload(context.Context) (any, error) {
	return map[string][]string{"changed": {"log-level"}}, h.reload
}

func (h *testHost) WriteConfig(to io.Writer) { fmt.Fprintln(to, "port = 1 # default") }

// testLogic echoes, and has a route and a metric.
type testLogic struct{ packets int }

func (l *testLogic) HandleMessage(message *bridge.Message, batch *bridge.SendBatch) {
	if message.Type == bridge.MessageRecv {
		l.packets++
		batch.Send(message.ID, message.Data)
	}
}

var errNoSuchThing = errors.New("there is no such thing")

func (l *testLogic) Routes(do Do) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"POST /api/thing": func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Name string }
		if !ReadJSON(w, r, &request) {
			return
		}
		packets := make(chan int, 1)
		err := do(r.Context(), func(*bridge.SendBatch) { packets <- l.packets })
		switch {
		case err != nil:
			WriteError(w, err)
		case request.Name == "missing":
			WriteError(w, fmt.Errorf("%q: %w", request.Name, errNoSuchThing), errNoSuchThing)
		default:
			WriteJSON(w, <-packets)
		}
	}}
}

func (l *testLogic) Collector(Do) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "things", Help: "Things."}, func() float64 { return 3 })
}

// page is an admin page of a server that runs.
type page struct {
	*Server
	t    *testing.T
	host *testHost
	core bridge.Core
	url  string
}

func newPage(t *testing.T, token string) *page { return newPageWithLog(t, token, zap.NewNop()) }

func newPageWithLog(t *testing.T, token string, logger *zap.Logger) *page {
	t.Helper()
	logic := &testLogic{}
	core := bridge.NewGoCore(nil)
	config := bridge.DefaultConfig()
	config.BindAddress, config.Port = "127.0.0.1", 0
	require.NoError(t, core.Start(config))
	loop := bridge.NewLoop(core, logic)
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(context.Background()) }()
	host := &testHost{state: StateReady}
	server, err := Start(Config{Name: "things", Address: "127.0.0.1:0", Token: token, MaxConnections: 1000,
		MessagePool: 65536, Core: core, Loop: loop, Host: host, Logic: logic, Logger: logger,
		LogLines: func() (uint64, uint64) { return 7, 8 }})
	require.NoError(t, err)
	t.Cleanup(func() {
		server.Close()
		assert.NoError(t, core.BeginStop())
		assert.NoError(t, <-ended)
		assert.NoError(t, core.Close())
		http.DefaultClient.CloseIdleConnections()
	})
	return &page{server, t, host, core, server.URL()}
}

// ask returns the answer of a request that change has changed.
func (p *page) ask(method, path, body string, change ...func(*http.Request)) (status int, answer string, header http.Header) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	require.NoError(p.t, err)
	for _, f := range change {
		f(request)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(p.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return response.StatusCode, string(content), response.Header
}

func (p *page) talk(packets int) {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", p.core.Port()), patience)
	require.NoError(p.t, err)
	defer conn.Close()
	require.NoError(p.t, conn.SetDeadline(time.Now().Add(patience)))
	packet := []byte{5, 0, 101, 0, 0}
	for range packets {
		_, err = conn.Write(packet)
		require.NoError(p.t, err)
		_, err = io.ReadFull(conn, packet)
		require.NoError(p.t, err)
	}
	// The core counts a write after the client may have read it.
	sent := uint64(packets * len(packet))
	require.Eventually(p.t, func() bool { return p.core.Stats().BytesSent == sent }, patience, time.Millisecond)
}

func TestStatus(t *testing.T) {
	p := newPage(t, "")
	p.talk(200)
	code, answer, header := p.ask("GET", "api/status", "")
	require.Equal(t, 200, code)
	assert.Equal(t, "no-store", header.Get("Cache-Control"))
	var status Status
	require.NoError(t, json.Unmarshal([]byte(answer), &status))
	assert.Equal(t, "things", status.Name)
	assert.Equal(t, StateReady, status.State)
	assert.Equal(t, "go", status.Core)
	assert.EqualValues(t, 200, status.Counters["packets_received"])
	assert.EqualValues(t, 1000, status.Counters["bytes_sent"])
	assert.GreaterOrEqual(t, status.LagSeconds, 0.0)
	assert.Len(t, status.TurnBounds, len(status.Turns)-1)
	turns := uint64(0)
	for _, count := range status.Turns {
		turns += count
	}
	assert.NotZero(t, turns)
}

func TestMetrics(t *testing.T) {
	p := newPage(t, "")
	p.talk(200)
	code, answer, _ := p.ask("GET", "metrics", "")
	require.Equal(t, 200, code)
	for _, line := range []string{"iocpnetlib_packets_received_total 200", "iocpnetlib_bytes_sent_total 1000",
		`iocpnetlib_door_packets_received_total{door="tcp"} 200`,
		"iocpnetlib_connections_accepted_total 1", `iocpnetlib_state{state="ready"} 1`, `iocpnetlib_state{state="draining"} 0`,
		"iocpnetlib_log_lines_dropped_total 7", "iocpnetlib_log_lines_sampled_total 8", "things 3",
		"iocpnetlib_connections_max 1000", `iocpnetlib_loop_turn_seconds_bucket{le="+Inf"}`, "go_goroutines "} {
		assert.Contains(t, answer, line)
	}
}

func TestHealth(t *testing.T) {
	p := newPage(t, "")
	for _, path := range []string{"healthz", "readyz"} {
		code, _, _ := p.ask("GET", path, "")
		assert.Equal(t, 200, code, path)
	}
	code, _, _ := p.ask("POST", "api/drain", `{"seconds": 1.5}`)
	assert.Equal(t, 202, code)
	assert.Equal(t, []time.Duration{1500 * time.Millisecond}, p.host.drains)
	code, _, _ = p.ask("GET", "healthz", "")
	assert.Equal(t, 200, code, "it drains, and is well")
	code, answer, _ := p.ask("GET", "readyz", "")
	assert.Equal(t, 503, code)
	assert.JSONEq(t, `{"error":"draining"}`, answer)
	code, answer, _ = p.ask("POST", "api/drain", "")
	assert.Equal(t, 409, code)
	assert.JSONEq(t, `{"error":"the server is stopping already"}`, answer)
}

func TestAPIErrors(t *testing.T) {
	p := newPage(t, "")
	for _, test := range []struct {
		method, path, body string
		code               int
		answer             string
	}{
		{"GET", "api/nothing", "", 404, `{"error":"there is no GET /api/nothing"}`},
		{"DELETE", "api/thing", "", 404, `{"error":"there is no DELETE /api/thing"}`},
		{"GET", "api/drain", "", 404, `{"error":"there is no GET /api/drain"}`},
		{"POST", "api/drain", `{"seconds": -1}`, 400, `{"error":"seconds is -1, allowed is 0 to 86400"}`},
		{"POST", "api/drain", `{"hours": 1}`, 400,
			`{"error":"the request is not the JSON that is expected: json: unknown field \"hours\""}`},
		{"POST", "api/thing", `{`, 400, `{"error":"the request is not the JSON that is expected: unexpected EOF"}`},
		{"POST", "api/thing", `{"name":"x"} x`, 400,
			`{"error":"the request is not the JSON that is expected: there is something behind it"}`},
		{"POST", "api/thing", `{"name":"missing"}`, 404, `{"error":"\"missing\": there is no such thing"}`},
		{"POST", "api/thing", `{"name":"` + strings.Repeat("x", maxBodyBytes) + `"}`, 413,
			`{"error":"the request is not the JSON that is expected: http: request body too large"}`},
		{"POST", "api/thing", `{"name":"x"}`, 200, `0`},
		{"POST", "api/reload", ``, 200, `{"changed":["log-level"]}`},
	} {
		code, answer, _ := p.ask(test.method, test.path, test.body)
		assert.Equal(t, test.code, code, "%s %s", test.method, test.path)
		assert.JSONEq(t, test.answer, answer, "%s %s", test.method, test.path)
	}
	p.host.reload = errors.New("chatserver.toml:3: no")
	code, answer, _ := p.ask("POST", "api/reload", "")
	assert.Equal(t, 422, code)
	assert.JSONEq(t, `{"error":"chatserver.toml:3: no"}`, answer)
	code, answer, _ = p.ask("GET", "api/config", "")
	assert.Equal(t, 200, code)
	assert.Equal(t, "port = 1 # default\n", answer)
}

// What a page of somebody else, open in a browser on this computer, can send here.
func TestOtherOriginsAndNames(t *testing.T) {
	p := newPage(t, "")
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, change := range map[string]func(*http.Request){
		"another origin":        header("Origin", "https://evil.example"),
		"another site":          header("Sec-Fetch-Site", "cross-site"),
		"an address of ours":    host("evil.example:80"),
		"a name that ends so":   host("127.0.0.1.evil.example"),
		"localhost of somebody": host("localhost.evil.example"),
	} {
		code, _, _ := p.ask("POST", "api/drain", "{}", change)
		assert.Equal(t, 403, code, name)
	}
	code, _, _ := p.ask("GET", "api/status", "", host("evil.example"))
	assert.Equal(t, 403, code, "nor may it read")
	code, _, _ = p.ask("GET", "metrics", "", host("evil.example"))
	assert.Equal(t, 403, code)
	assert.Empty(t, p.host.drains)
	for _, name := range []string{"localhost:1234", "LOCALHOST", "127.0.0.1", "[::1]:80", "192.0.2.1:80"} {
		code, _, _ := p.ask("GET", "api/status", "", host(name))
		assert.Equal(t, 200, code, name)
	}
	code, _, _ = p.ask("POST", "api/drain", `{"seconds": 0}`, header("Sec-Fetch-Site", "same-origin"))
	assert.Equal(t, 202, code)
}

func TestToken(t *testing.T) {
	p := newPage(t, "0123456789abcdef")
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", token) }
	}
	for _, wrong := range []string{"", "Bearer ", "Bearer 0123456789abcde", "0123456789abcdef", "Basic 0123456789abcdef",
		"Bearer 0123456789abcdef "} {
		for _, path := range []string{"api/status", "metrics", "api/nothing"} {
			code, _, header := p.ask("GET", path, "", bearer(wrong))
			if wrong == "Bearer 0123456789abcdef " { // net/http trims it
				continue
			}
			assert.Equal(t, 401, code, "%q", wrong)
			assert.Contains(t, header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	code, _, _ := p.ask("GET", "api/status", "", bearer("Bearer 0123456789abcdef"), func(r *http.Request) { r.Host = "game.example" })
	assert.Equal(t, 200, code, "who knows the token may use a name")
	code, _, _ = p.ask("GET", "healthz", "")
	assert.Equal(t, 200, code, "a load balancer has no token")
	code, answer, header := p.ask("GET", "", "")
	assert.Equal(t, 200, code, "the page asks for it")
	assert.Contains(t, answer, "dashboard.js")
	assert.Contains(t, header.Get("Content-Security-Policy"), "script-src 'self'")
}

func TestAPortThatIsTaken(t *testing.T) {
	p := newPage(t, "")
	_, err := Start(Config{Address: p.listener.Addr().String(), Logger: zap.NewNop()})
	require.ErrorContains(t, err, "the admin page cannot listen on 127.0.0.1:")
}

// Whatever level is logged, what the HTTP server says has one, and nothing is said outside the log.
func TestLogOfTheHTTPServer(t *testing.T) {
	for level, lines := range map[zapcore.Level]int{zap.DebugLevel: 1, zap.WarnLevel: 1, zap.ErrorLevel: 0} {
		observed, logs := observer.New(level)
		var complaints strings.Builder // of the log itself, on standard error otherwise
		p := newPageWithLog(t, "", zap.New(observed, zap.ErrorOutput(zapcore.AddSync(&complaints))))
		p.http.ErrorLog.Print("http: panic serving somebody")
		assert.Equal(t, lines, logs.FilterMessage("http: panic serving somebody").FilterLevelExact(zap.WarnLevel).Len(), level)
		assert.Equal(t, lines, logs.Len(), level)
		assert.Empty(t, complaints.String(), level)
	}
}

// A loop that does not come round is told of, and holds nothing else up.
func TestALoopThatHangs(t *testing.T) {
	p := newPage(t, "")
	release, entered := make(chan struct{}), make(chan struct{})
	hanging := make(chan error, 1)
	go func() {
		hanging <- p.config.Loop.Do(context.Background(), func(*bridge.SendBatch) {
			close(entered)
			<-release
		})
	}()
	<-entered
	code, answer, _ := p.ask("GET", "healthz", "")
	assert.Equal(t, 503, code)
	assert.JSONEq(t, `{"error":"the logic loop did not come round within 2s"}`, answer)
	code, answer, _ = p.ask("GET", "metrics", "")
	assert.Equal(t, 200, code)
	assert.Contains(t, answer, "iocpnetlib_loop_lag_seconds NaN")
	assert.Contains(t, answer, "iocpnetlib_connections 0")
	close(release)
	require.NoError(t, <-hanging)
	code, _, _ = p.ask("GET", "healthz", "")
	assert.Equal(t, 200, code)
}
