package admin

import (
	"net/http"
	"time"

	"iocpnetlib/bridge"
)

// Status is what the page draws. Counters count since the start; the page makes rates of two of them.
type Status struct {
	Name           string            `json:"name"`
	State          State             `json:"state"`
	Core           string            `json:"core"`
	Port           int               `json:"port"`
	Doors          []Door            `json:"doors"`
	Milliseconds   int64             `json:"milliseconds"` // of the server's clock, for rates
	UptimeSeconds  float64           `json:"uptime_seconds"`
	Connections    uint64            `json:"connections"`
	MaxConnections int               `json:"max_connections"`
	Counters       map[string]uint64 `json:"counters"`
	Closed         map[string]uint64 `json:"closed"`
	MessagesInUse  uint64            `json:"messages_in_use"`
	MessagePool    int               `json:"message_pool"`
	// The loop's turns by time: the number of those below each bound and not below the bound before. The last one, of
	// all longer ones, has no bound.
	TurnBounds []float64 `json:"turn_bounds"` // seconds
	Turns      []uint64  `json:"turns"`
	// LagSeconds is how long the loop took to come round for this request; -1: it did not.
	LagSeconds float64 `json:"lag_seconds"`
}

// Door is one of the ports.
type Door struct {
	Name        string `json:"name"`
	Port        int    `json:"port"`
	Connections uint64 `json:"connections"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	stats := s.config.Core.Stats()
	status := Status{
		Name:           s.config.Name,
		State:          s.config.Host.State(),
		Core:           s.config.Core.Name(),
		Port:           s.config.Core.Port(),
		Milliseconds:   time.Since(s.started).Milliseconds(),
		UptimeSeconds:  time.Since(s.started).Seconds(),
		Connections:    stats.ConnectionsCurrent,
		MaxConnections: s.config.MaxConnections,
		MessagesInUse:  stats.MessagesInUse,
		MessagePool:    s.config.MessagePool,
		Counters: map[string]uint64{
			"accepted":         stats.ConnectionsAccepted,
			"refused":          stats.ConnectionsRefused,
			"packets_received": stats.PacketsReceived,
			"packets_sent":     stats.PacketsSent,
			"bytes_received":   stats.BytesReceived,
			"bytes_sent":       stats.BytesSent,
			"sends_dropped":    stats.AllSendsDropped(),
			"throttled":        stats.ReceivesThrottled,
		},
		Closed:     make(map[string]uint64),
		LagSeconds: -1,
	}
	for _, door := range bridge.Doors(s.config.Core) {
		status.Doors = append(status.Doors, Door{door.Name, door.Port, door.Stats.ConnectionsCurrent})
	}
	for reason, count := range stats.Closed {
		if count > 0 {
			status.Closed[bridge.CloseReason(reason).String()] = count
		}
	}
	counts, _ := s.config.Loop.Times().Turns.Read()
	status.Turns = counts[:]
	for i := range bridge.TimeBuckets - 1 {
		status.TurnBounds = append(status.TurnBounds, bridge.TimeBound(i).Seconds())
	}
	if lag, err := s.lag(r.Context()); err == nil {
		status.LagSeconds = lag.Seconds()
	}
	WriteJSON(w, status)
}
