package soak

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/processusage"
)

// record is one second of a soak: a line of its CSV file.
type record struct {
	Time       time.Duration // since the members chat
	Usage      processusage.Usage
	CPU        float64           // processor time of the server in this second, in cores
	Latency    latency.Quantiles // of the last window; Count is 0 but in the record that ends a window
	Lag        time.Duration     // p99 of how late the load itself sent, in that window
	Chats      int64             // of members, so far, as all that follows
	Churned    int64             // connections
	SlowClosed int64             // slow readers disconnected
	Flooded    int64             // packets of flooders
}

var recordColumns = []string{
	"time_s", "memory_bytes", "handles", "threads", "cpu_cores",
	"window_chats", "p50_ms", "p99_ms", "p99.9_ms", "max_ms", "load_p99_ms",
	"chats", "churned_connections", "slow_readers_disconnected", "flood_packets",
}

// fields are the record's cells. What is not known is empty.
func (r *record) fields() []string {
	number := func(known bool, value float64, digits int) string {
		if !known {
			return ""
		}
		return strconv.FormatFloat(value, 'f', digits, 64)
	}
	ms := func(d time.Duration) string {
		return number(r.Latency.Count > 0, float64(d)/float64(time.Millisecond), 3)
	}
	known := r.Usage.Available
	return []string{
		number(true, r.Time.Seconds(), 3),
		number(known, float64(r.Usage.Memory), 0), number(known, float64(r.Usage.Handles), 0),
		number(known, float64(r.Usage.Threads), 0), number(known, r.CPU, 3),
		number(r.Latency.Count > 0, float64(r.Latency.Count), 0),
		ms(r.Latency.P50), ms(r.Latency.P99), ms(r.Latency.P999), ms(r.Latency.Max), ms(r.Lag),
		number(true, float64(r.Chats), 0), number(true, float64(r.Churned), 0),
		number(true, float64(r.SlowClosed), 0), number(true, float64(r.Flooded), 0),
	}
}

// parseRecord is the opposite of fields.
func parseRecord(fields []string) (record, error) {
	if len(fields) != len(recordColumns) {
		return record{}, fmt.Errorf("%d cells where %d have to be", len(fields), len(recordColumns))
	}
	values := make([]float64, len(fields))
	for i, field := range fields {
		if field == "" {
			continue
		}
		value, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return record{}, fmt.Errorf("column %s: %w", recordColumns[i], err)
		}
		values[i] = value
	}
	ms := func(value float64) time.Duration { return time.Duration(value * float64(time.Millisecond)) }
	return record{
		Time: time.Duration(values[0] * float64(time.Second)),
		Usage: processusage.Usage{Available: fields[1] != "", Memory: int64(values[1]), Handles: int(values[2]),
			Threads: int(values[3])},
		CPU: values[4],
		Latency: latency.Quantiles{Count: int64(values[5]), P50: ms(values[6]), P99: ms(values[7]), P999: ms(values[8]),
			Max: ms(values[9])},
		Lag:   ms(values[10]),
		Chats: int64(values[11]), Churned: int64(values[12]), SlowClosed: int64(values[13]), Flooded: int64(values[14]),
	}, nil
}

// recordWriter writes records as they come, so that a soak that is killed leaves what it has measured.
type recordWriter struct {
	file *os.File
	csv  *csv.Writer
}

// newRecordWriter creates the file. An empty path writes nothing.
func newRecordWriter(path string) (*recordWriter, error) {
	if path == "" {
		return &recordWriter{csv: csv.NewWriter(io.Discard)}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := &recordWriter{file, csv.NewWriter(file)}
	return w, w.csv.Write(recordColumns)
}

func (w *recordWriter) write(r *record) error {
	if err := w.csv.Write(r.fields()); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}

func (w *recordWriter) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// readRecords reads the file of a soak.
func readRecords(path string) ([]record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s: %w", path, errors.New("there is nothing in it"))
	}
	records := make([]record, 0, len(rows)-1)
	for i, row := range rows[1:] {
		r, err := parseRecord(row)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, i+2, err)
		}
		records = append(records, r)
	}
	return records, nil
}
