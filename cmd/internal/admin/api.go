package admin

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"iocpnetlib/bridge"
)

//go:embed web
var web embed.FS

// handler is everything that can be asked for.
func (s *Server) handler() http.Handler {
	api := http.NewServeMux()
	api.Handle("GET /metrics", promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{
		ErrorLog: zap.NewStdLog(s.config.Logger), Timeout: readTimeout, MaxRequestsInFlight: 4}))
	api.HandleFunc("GET /api/status", s.status)
	api.HandleFunc("GET /api/config", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentTypePlain)
		s.config.Host.WriteConfig(w)
	})
	api.HandleFunc("POST /api/reload", s.reload)
	api.HandleFunc("POST /api/drain", s.drain)
	if s.config.Logic != nil {
		for pattern, handle := range s.config.Logic.Routes(s.do) {
			api.HandleFunc(pattern, handle)
		}
	}
	api.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, fmt.Sprintf("there is no %s %s", r.Method, r.URL.Path))
	})

	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	all := http.NewServeMux()
	all.HandleFunc("GET /healthz", s.health)
	all.HandleFunc("GET /readyz", s.readiness)
	all.Handle("/metrics", s.guard(api))
	all.Handle("/api/", s.guard(api))
	all.Handle("/", http.FileServerFS(files))
	return secure(http.MaxBytesHandler(all, maxBodyBytes))
}

// health tells whether the program works: it answers, and its logic loop comes round. A supervisor may start a program
// again that is not healthy.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	_, err := s.lag(r.Context())
	// A loop that has ended belongs to a server that stops.
	if err != nil && !errors.Is(err, bridge.ErrLoopEnded) {
		writeError(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	WriteJSON(w, map[string]string{"status": "healthy"})
}

// readiness tells whether clients should be sent here. A load balancer asks.
func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	state := s.config.Host.State()
	if state != StateReady {
		writeError(w, http.StatusServiceUnavailable, string(state))
		return
	}
	WriteJSON(w, map[string]State{"status": state})
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	report, err := s.config.Host.Reload(r.Context())
	if err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	WriteJSON(w, report)
}

func (s *Server) drain(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Seconds *float64 `json:"seconds"` // absent: as the settings say; 0: stop at once
	}
	if !ReadJSON(w, r, &request) {
		return
	}
	const most = 24 * 3600
	var limit *time.Duration
	if seconds := request.Seconds; seconds != nil {
		if *seconds < 0 || *seconds > most { // JSON has no NaN
			writeError(w, http.StatusBadRequest, fmt.Sprintf("seconds is %v, allowed is 0 to %d", *seconds, most))
			return
		}
		given := time.Duration(*seconds * float64(time.Second))
		limit = &given
	}
	if err := s.config.Host.Drain(r.Context(), limit); err != nil {
		writeError(w, http.StatusConflict, err.Error())
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// ReadJSON reads a request's body, {} if it is empty. If that is not what is expected it answers, and returns false.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.ContentLength == 0 {
		return true
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is something behind it")
		}
	}
	if err == nil {
		return true
	}
	status := http.StatusBadRequest
	if _, isTooLarge := errors.AsType[*http.MaxBytesError](err); isTooLarge {
		status = http.StatusRequestEntityTooLarge
	}
	writeError(w, status, "the request is not the JSON that is expected: "+err.Error())
	return false
}

// WriteJSON answers a request.
func WriteJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", contentTypeJSON)
	_ = json.NewEncoder(w).Encode(value) // who asked may have gone
}

// WriteError answers a request that failed: status by what the error wraps.
func WriteError(w http.ResponseWriter, err error, notFound ...error) {
	status := http.StatusBadRequest
	for _, missing := range notFound {
		if errors.Is(err, missing) {
			status = http.StatusNotFound
		}
	}
	if errors.Is(err, errLoopSlow) || errors.Is(err, bridge.ErrLoopEnded) {
		status = http.StatusServiceUnavailable
	}
	writeError(w, status, err.Error())
}

func writeError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", contentTypeJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text}) // who asked may have gone
}
