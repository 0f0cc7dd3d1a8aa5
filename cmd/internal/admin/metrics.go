package admin

import (
	"context"
	"math"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"iocpnetlib/bridge"
)

// registry has the metrics of the core, the loop, the logic, the log, the process and the Go runtime.
func (s *Server) registry() *prometheus.Registry {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newCoreCollector(s))
	if s.config.Logic != nil {
		registry.MustRegister(s.config.Logic.Collector(s.do))
	}
	return registry
}

// metric is one metric of the core or the loop, without labels.
type metric struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	value       func(stats *bridge.Stats) float64
}

// coreCollector collects what the core and the loop have counted.
type coreCollector struct {
	server  *Server
	metrics []metric

	sendsDropped, closed            *prometheus.Desc // by reason
	doorConnections, doorAccepted   *prometheus.Desc // by door
	doorReceived, doorSent          *prometheus.Desc
	certificate                     *prometheus.Desc
	messages, turns, handler        *prometheus.Desc
	lag, state, logDropped, sampled *prometheus.Desc
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("iocpnetlib_"+name, help, labels, nil)
}

func newCoreCollector(server *Server) *coreCollector {
	c := &coreCollector{
		server:       server,
		sendsDropped: describe("sends_dropped_total", "Payloads that were not queued for a connection.", "reason"),
		closed: describe("connections_closed_total",
			"Connections that ended, and clients that were turned away in their handshake.", "reason"),
		doorConnections: describe("door_connections", "Connections of a door that are open or being closed.", "door"),
		doorAccepted:    describe("door_connections_accepted_total", "Connections of a door that logic was told of.", "door"),
		doorReceived:    describe("door_packets_received_total", "Packets of a door's clients handed to logic.", "door"),
		doorSent:        describe("door_packets_sent_total", "Packets queued for a door's clients.", "door"),
		certificate: describe("tls_certificate_expiry_timestamp_seconds",
			"When the certificate of the doors with TLS ends, as seconds since 1970."),
		messages: describe("loop_messages_total", "Messages that the logic loop has handled."),
		turns: describe("loop_turn_seconds",
			"Time of a turn of the logic loop that had messages: what arrives meanwhile waits so long."),
		handler: describe("handler_seconds", "Time that logic took for a message; one message of 64 is measured."),
		lag: describe("loop_lag_seconds",
			"Time that the logic loop took to come round for this scrape; NaN: it did not, or does not run."),
		state:      describe("state", "1 for the state that the server is in.", "state"),
		logDropped: describe("log_lines_dropped_total", "Log lines that were lost because nobody read the log fast enough."),
		sampled:    describe("log_lines_sampled_total", "Log lines that were left out because there were many like them."),
	}
	counter := func(name, help string, value func(*bridge.Stats) uint64) {
		c.metrics = append(c.metrics, metric{describe(name, help), prometheus.CounterValue,
			func(stats *bridge.Stats) float64 { return float64(value(stats)) }})
	}
	gauge := func(name, help string, value func(*bridge.Stats) uint64) {
		c.metrics = append(c.metrics, metric{describe(name, help), prometheus.GaugeValue,
			func(stats *bridge.Stats) float64 { return float64(value(stats)) }})
	}
	constant := func(n int) func(*bridge.Stats) uint64 { return func(*bridge.Stats) uint64 { return uint64(n) } }

	gauge("connections", "Connections that are open or being closed.",
		func(s *bridge.Stats) uint64 { return s.ConnectionsCurrent })
	gauge("connections_max", "Connections that there may be.", constant(server.config.MaxConnections))
	counter("connections_accepted_total", "Connections that logic was told of.",
		func(s *bridge.Stats) uint64 { return s.ConnectionsAccepted })
	counter("connections_refused_total", "Connections closed at once because all places were taken.",
		func(s *bridge.Stats) uint64 { return s.ConnectionsRefused })
	counter("connections_refused_at_stop_total", "Connections closed at once because nobody is let in any more.",
		func(s *bridge.Stats) uint64 { return s.RefusedAtStop })
	counter("accept_errors_total", "Accepts that the system failed.",
		func(s *bridge.Stats) uint64 { return s.AcceptErrors })
	counter("packets_received_total", "Packets handed to logic.",
		func(s *bridge.Stats) uint64 { return s.PacketsReceived })
	counter("packets_sent_total", "Packets queued for a connection; a broadcast counts once a receiver.",
		func(s *bridge.Stats) uint64 { return s.PacketsSent })
	counter("bytes_received_total", "Bytes read from sockets.",
		func(s *bridge.Stats) uint64 { return s.BytesReceived })
	counter("bytes_sent_total", "Bytes written to sockets.", func(s *bridge.Stats) uint64 { return s.BytesSent })
	counter("bytes_received_discarded_total", "Bytes received and never handed to logic.",
		func(s *bridge.Stats) uint64 { return s.BytesReceivedDiscarded })
	counter("bytes_discarded_on_close_total", "Bytes queued and not sent when their connection ended.",
		func(s *bridge.Stats) uint64 { return s.BytesDiscardedOnClose })
	gauge("message_pool_in_use", "Packets that wait for logic or are held by it.",
		func(s *bridge.Stats) uint64 { return s.MessagesInUse })
	gauge("loop_tasks", "Tasks of the admin page, of reloads and of the watchdog that wait for the logic loop.",
		func(*bridge.Stats) uint64 { return uint64(server.config.Loop.Waiting()) })
	gauge("message_pool_size", "Packets that may, without the reserve.", constant(server.config.MessagePool))
	counter("message_pool_exhausted_total", "Times that reading paused because the message pool was empty.",
		func(s *bridge.Stats) uint64 { return s.MessagePoolExhausted })
	counter("message_reserve_used_total", "Times that the message pool's reserve was begun.",
		func(s *bridge.Stats) uint64 { return s.MessageReserveUsed })
	counter("receives_paused_total", "Times that reading paused because logic held a client's whole receive buffer.",
		func(s *bridge.Stats) uint64 { return s.ReceivesPaused })
	counter("receives_throttled_total", "Times that reading paused because a client sent more than it may.",
		func(s *bridge.Stats) uint64 { return s.ReceivesThrottled })
	counter("close_timeouts_total", "Connections cut off while what was queued was being sent.",
		func(s *bridge.Stats) uint64 { return s.CloseTimeouts })
	gauge("send_buffer_high_water_bytes", "The most bytes that were seen waiting for one connection since the start.",
		func(s *bridge.Stats) uint64 { return s.SendBufferHighWater })
	return c
}

// Describe is part of prometheus.Collector.
func (c *coreCollector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		descriptions <- m.description
	}
	for _, d := range []*prometheus.Desc{c.sendsDropped, c.closed, c.doorConnections, c.doorAccepted, c.doorReceived,
		c.doorSent, c.certificate, c.messages, c.turns, c.handler, c.lag, c.state,
		c.logDropped, c.sampled} {
		descriptions <- d
	}
}

// Collect is part of prometheus.Collector.
func (c *coreCollector) Collect(metrics chan<- prometheus.Metric) {
	config := &c.server.config
	stats := config.Core.Stats()
	for _, m := range c.metrics {
		metrics <- prometheus.MustNewConstMetric(m.description, m.kind, m.value(&stats))
	}
	for reason, count := range stats.SendsDropped {
		metrics <- prometheus.MustNewConstMetric(c.sendsDropped, prometheus.CounterValue, float64(count),
			bridge.SendDrop(reason).String())
	}
	for reason, count := range stats.Closed {
		metrics <- prometheus.MustNewConstMetric(c.closed, prometheus.CounterValue, float64(count),
			bridge.CloseReason(reason).String())
	}
	for _, door := range bridge.Doors(config.Core) {
		for _, m := range []struct {
			description *prometheus.Desc
			kind        prometheus.ValueType
			value       uint64
		}{
			{c.doorConnections, prometheus.GaugeValue, door.Stats.ConnectionsCurrent},
			{c.doorAccepted, prometheus.CounterValue, door.Stats.ConnectionsAccepted},
			{c.doorReceived, prometheus.CounterValue, door.Stats.PacketsReceived},
			{c.doorSent, prometheus.CounterValue, door.Stats.PacketsSent},
		} {
			metrics <- prometheus.MustNewConstMetric(m.description, m.kind, float64(m.value), door.Name)
		}
	}
	if expires := config.CertificateExpires; expires != nil && !expires().IsZero() {
		metrics <- prometheus.MustNewConstMetric(c.certificate, prometheus.GaugeValue, float64(expires().Unix()))
	}
	times := config.Loop.Times()
	metrics <- prometheus.MustNewConstMetric(c.messages, prometheus.CounterValue, float64(times.Messages()))
	metrics <- histogram(c.turns, &times.Turns)
	metrics <- histogram(c.handler, &times.Handler)
	lagSeconds := math.NaN()
	if lag, err := c.server.lag(context.Background()); err == nil {
		lagSeconds = lag.Seconds()
	}
	metrics <- prometheus.MustNewConstMetric(c.lag, prometheus.GaugeValue, lagSeconds)
	now := config.Host.State()
	for _, state := range []State{StateStarting, StateReady, StateDraining, StateStopping} {
		value := 0.0
		if state == now {
			value = 1
		}
		metrics <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, value, string(state))
	}
	dropped, sampled := config.LogLines()
	metrics <- prometheus.MustNewConstMetric(c.logDropped, prometheus.CounterValue, float64(dropped))
	metrics <- prometheus.MustNewConstMetric(c.sampled, prometheus.CounterValue, float64(sampled))
}

// histogram is a time histogram as Prometheus wants it: each bucket with all that are in those before.
func histogram(description *prometheus.Desc, times *bridge.TimeHistogram) prometheus.Metric {
	counts, sum := times.Read()
	buckets := make(map[float64]uint64, len(counts))
	total := uint64(0)
	for i, count := range counts {
		total += count
		if i < len(counts)-1 {
			buckets[bridge.TimeBound(i).Seconds()] = total
		}
	}
	return prometheus.MustNewConstHistogram(description, total, sum.Seconds(), buckets)
}
