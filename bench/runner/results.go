package main

import (
	"encoding/json"
	"os"
	"time"
)

// metric is something that is measured of a server in a row.
type metric string

const (
	metricCPU      metric = "cpu_ns_per_message" // user and system time of the server
	metricSyscalls metric = "syscalls_per_message"
	metricSpeed    metric = "messages_per_second" // in a closed loop
	metricP50      metric = "p50_ns"              // in a closed loop
	metricP99      metric = "p99_ns"              // in a closed loop
	metricRate     metric = "open_loop_messages_per_second"
	metricOpenP99  metric = "open_loop_p99_ns" // from when a message was due
	metricLagP99   metric = "open_loop_generator_lag_p99_ns"
	metricMemory   metric = "bytes_per_connection"
)

// sample is one value of one run of chatbench.
type sample struct {
	Row    string  `json:"row"`
	Server string  `json:"server"`
	Round  int     `json:"round"` // from 0
	Metric metric  `json:"metric"`
	Value  float64 `json:"value"`
}

// failure is a run that gave no values.
type failure struct {
	Row    string `json:"row"`
	Server string `json:"server"`
	Round  int    `json:"round"`
	Pass   pass   `json:"pass"`
	Error  string `json:"error"`
}

// results are what a whole run of this program measured.
type results struct {
	Machine  machine   `json:"machine"`
	Begin    time.Time `json:"begin"`
	Command  string    `json:"command"`
	Rounds   int       `json:"rounds"`
	Rows     []string  `json:"rows"`
	Servers  []string  `json:"servers"`
	Samples  []sample  `json:"samples"`
	Failures []failure `json:"failures"`
}

// writeJSON writes the results into a file.
func (r *results) writeJSON(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// byRound are the values of a metric by round. Rounds that failed are not there.
func (r *results) byRound(row, server string, m metric) map[int]float64 {
	values := make(map[int]float64)
	for _, s := range r.Samples {
		if s.Row == row && s.Server == server && s.Metric == m {
			values[s.Round] = s.Value
		}
	}
	return values
}

// spreadOf tells how the values of a metric lie over the rounds.
func (r *results) spreadOf(row, server string, m metric) spread {
	return newSpread(r.byRound(row, server, m))
}

// ratioOf tells how the ratios of a server's values to those of another lie over the rounds, each of one round. Rounds
// in which one of them failed do not count.
func (r *results) ratioOf(row, server, other string, m metric) spread {
	ratios := make(map[int]float64)
	others := r.byRound(row, other, m)
	for round, value := range r.byRound(row, server, m) {
		if o, ok := others[round]; ok && o > 0 {
			ratios[round] = value / o
		}
	}
	return newSpread(ratios)
}

// differenceOf is ratioOf for how much greater the server's values are, in units.
func (r *results) differenceOf(row, server, other string, m metric, unit float64) spread {
	differences := make(map[int]float64)
	others := r.byRound(row, other, m)
	for round, value := range r.byRound(row, server, m) {
		if o, ok := others[round]; ok {
			differences[round] = (value - o) / unit
		}
	}
	return newSpread(differences)
}

// best is the server with the least median of a metric in a row; "" if none of them has values.
func (r *results) best(row string, servers []string, m metric) string {
	var name string
	var least float64
	for _, s := range servers {
		if spread := r.spreadOf(row, s, m); spread.Count > 0 && (name == "" || spread.Median < least) {
			name, least = s, spread.Median
		}
	}
	return name
}
