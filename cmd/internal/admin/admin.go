// Package admin is the HTTP side of a server program for whoever operates it: a page that shows what goes on, the API
// behind it, metrics for Prometheus, and health checks.
//
// It reads the core's counters from any goroutine, and lets the logic loop do whatever concerns the logic.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"iocpnetlib/bridge"
)

// Bounds for those who connect to it.
const (
	maxConnections   = 256
	maxHeaderBytes   = 16 << 10
	maxBodyBytes     = 64 << 10
	headerTimeout    = 2 * time.Second
	readTimeout      = 10 * time.Second
	writeTimeout     = 30 * time.Second
	idleTimeout      = 15 * time.Second // who keeps a connection for nothing takes the place of another
	loopTimeout      = 2 * time.Second  // for the logic loop to come round
	shutdownTimeout  = time.Second
	contentTypeJSON  = "application/json; charset=utf-8"
	contentTypePlain = "text/plain; charset=utf-8"
)

// State is how far a server has come.
type State string

// The states, in their order.
const (
	StateStarting State = "starting"
	StateReady    State = "ready"
	StateDraining State = "draining" // nobody comes in any more, clients leave by themselves
	StateStopping State = "stopping" // clients are disconnected
)

// Host is the program whose admin page it is. Its methods may be called from any goroutine.
type Host interface {
	State() State
	// Drain begins a drain and then a stop, and does not wait for them; during a drain it ends that. nil: as long as the
	// settings say.
	Drain(ctx context.Context, limit *time.Duration) error
	// Reload loads the settings again and returns what is to be told of it, as JSON.
	Reload(ctx context.Context) (any, error)
	// WriteConfig prints the settings that hold.
	WriteConfig(to io.Writer)
}

// Logic is what a server's logic adds. It may be nil.
type Logic interface {
	// Routes are more of the API, by pattern of http.ServeMux. do lets the logic loop run something.
	Routes(do Do) map[string]http.HandlerFunc
	// Collector collects the logic's metrics.
	Collector(do Do) prometheus.Collector
}

// Do lets the logic loop run a task, and waits for it: bridge.Loop.Do.
type Do func(ctx context.Context, task func(batch *bridge.SendBatch)) error

// Config is what a Server is made of.
type Config struct {
	Name           string // of the program
	Address        string // host:port to listen on
	Token          string // that is asked for; empty: none, and then Address should be a loopback address
	MaxConnections int    // of the core
	// CertificateExpires is when the certificate of the doors with TLS ends; nil, or the zero Time: there is none.
	CertificateExpires func() time.Time
	MessagePool        int // of the core
	Core               bridge.Core
	Loop               *bridge.Loop
	Host               Host
	Logic              Logic
	Logger             *zap.Logger
	LogLines           func() (dropped, sampled uint64) // log lines that were left out since the start
}

// Server is the admin page while it can be reached.
type Server struct {
	config   Config
	started  time.Time
	listener net.Listener
	http     *http.Server
	ended    chan struct{}
}

// Start listens and serves. The caller ends it with Close.
func Start(config Config) (*Server, error) {
	errorLog, err := zap.NewStdLogAt(config.Logger.Named("admin"), zap.WarnLevel)
	if err != nil {
		panic(err) // it fails for levels that there are not
	}
	listener, err := net.Listen("tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("the admin page cannot listen on %s: %w", config.Address, err)
	}
	s := &Server{config: config, started: time.Now(), listener: listener, ended: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
	}
	go func() {
		defer close(s.ended)
		// It ends with ErrServerClosed, or when nobody can be accepted any more: the server goes on without it.
		err := s.http.Serve(netutil.LimitListener(listener, maxConnections))
		if !errors.Is(err, http.ErrServerClosed) {
			config.Logger.Error("the admin page ended", zap.Error(err))
		}
	}()
	return s, nil
}

// URL is where a browser finds the page.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/" }

// Close ends it: requests that are under way get a second.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // nothing is left to be lost
	}
	<-s.ended
}

// do is Loop.Do, but not for longer than a request may take.
func (s *Server) do(ctx context.Context, task func(batch *bridge.SendBatch)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, loopTimeout, errLoopSlow)
	defer cancel()
	return s.config.Loop.Do(ctx, task)
}

// lag is how long the loop takes to come round now.
func (s *Server) lag(ctx context.Context) (time.Duration, error) {
	asked := time.Now()
	err := s.do(ctx, func(*bridge.SendBatch) {})
	return time.Since(asked), err
}

var errLoopSlow = fmt.Errorf("the logic loop did not come round within %v", loopTimeout)
