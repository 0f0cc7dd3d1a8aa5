package serverprocess

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

// Bounds of what a Log keeps: a server under attack may write a line a connection for hours.
const (
	keptLines  = 20
	keptErrors = 10
	maxLine    = 64 << 10 // bytes
)

// Log takes the JSON lines of a server's standard error. It keeps the last ones, the first errors, what the server says
// when it is ready, and the summary. Its methods may be called from any goroutine.
type Log struct {
	to      io.Writer     // gets everything; may be nil
	isReady chan struct{} // closed when the server has said so

	mutex   sync.Mutex
	partial []byte
	last    []string
	errors  []string
	ready   map[string]any // nil: it has not been said
	totals  map[string]any
}

// NewLog makes a log. Everything is also written to to, unless that is nil.
func NewLog(to io.Writer) *Log { return &Log{to: to, isReady: make(chan struct{})} }

// Write takes what the process wrote. It never fails: a server must not suffer from whoever keeps its log.
func (l *Log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.to != nil {
		_, _ = l.to.Write(p)
	}
	l.partial = append(l.partial, p...)
	for {
		end := bytes.IndexByte(l.partial, '\n')
		if end < 0 {
			break
		}
		l.addLine(string(l.partial[:end]))
		l.partial = append(l.partial[:0], l.partial[end+1:]...)
	}
	if len(l.partial) > maxLine {
		l.partial = l.partial[:0]
	}
	return len(p), nil
}

// addLine files a line. What is not JSON comes from the Go runtime, such as a data race or a panic: an error.
func (l *Log) addLine(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	var fields map[string]any
	level := "error"
	if json.Unmarshal([]byte(line), &fields) == nil {
		level, _ = fields["level"].(string)
		switch {
		case fields["msg"] == "totals":
			l.totals = fields
		case fields["msg"] == "ready" && l.ready == nil:
			l.ready = fields
			close(l.isReady)
		}
	}
	if level == "error" && len(l.errors) < keptErrors {
		l.errors = append(l.errors, line)
	}
	if len(l.last) == keptLines {
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, line)
}

// Tail is the end of the log.
func (l *Log) Tail() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.last, "\n")
}

// Errors are the first lines that are errors, or that no server writes.
func (l *Log) Errors() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]string(nil), l.errors...)
}

// doorPort is the port of a door, by its name, of a server that has several and has said that it is ready.
func (l *Log) doorPort(door string) (port int, ok bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	ports, _ := l.ready["ports"].(map[string]any)
	number, ok := ports[door].(float64)
	return int(number), ok
}

// adminURL is where the admin page is of a server that has one and has said that it is ready.
func (l *Log) adminURL() (url string, ok bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	url, ok = l.ready["admin"].(string)
	return url, ok
}

// Totals is the summary that a server logs when it has been stopped, as the fields of the line; nil if there is none.
func (l *Log) Totals() map[string]any {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.totals
}

// Total is a whole number of the summary; fields of fields are separated by a dot. It is 0 if it is not there, as a
// server leaves out what did not happen.
func (l *Log) Total(name string) int64 {
	fields := l.Totals()
	for {
		outer, inner, found := strings.Cut(name, ".")
		if !found {
			number, _ := fields[name].(float64)
			return int64(number)
		}
		fields, _ = fields[outer].(map[string]any)
		name = inner
	}
}
