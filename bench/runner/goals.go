package main

import "fmt"

// goal is a limit that was set beforehand, and how it is measured: one figure for each row and server it is for.
type goal struct {
	Title   string
	Limit   float64 // the median may be as large
	AtLeast bool    // it has to be as large
	Value   func(r *results, row *row, s *server) spread
	// Other names what the server is compared with in a row; nil: the figure is no ratio.
	Other func(r *results, row *row) string
	// Whether the goal is for this row, and for this server.
	ForRow    func(row *row) bool
	ForServer func(s *server) bool
	Format    string // of one value
}

// The goals, in the order of the tables.
var goals = []goal{
	ratioGoal("Processor time a message, against the best Go peer with a logic goroutine", 0.6, metricCPU,
		func(r *results, row *row) string { return r.best(row.Name, namesOf(familyGoLogic), metricCPU) },
		isNative),
	ratioGoal("Processor time a message with epoll, against one C++ thread with epoll", 1.1, metricCPU,
		always(epollPeer), isNativeWith(ioEpoll)),
	ratioGoal("Processor time a message with io_uring, against one C++ thread with io_uring", 1.1, metricCPU,
		always(uringPeer), isNativeWith(ioURing)),
	ratioGoal("Processor time a message with every door open and nobody behind them, against none open, with epoll", 1.03,
		metricCPU, always(epoll0), isOpenHouseWith(ioEpoll)),
	ratioGoal("Processor time a message with every door open and nobody behind them, against none open, with io_uring", 1.03,
		metricCPU, always(uring0), isOpenHouseWith(ioURing)),
	{Title: "System calls a notify with io_uring", Limit: 0.05, Value: valueOf(metricSyscalls),
		ForRow: func(row *row) bool { return row.Batches }, ForServer: isNativeWith(ioURing), Format: "%.4f"},
	ratioGoal("p99 latency at half of the C++ epoll thread's throughput, against its own", 1.2, metricOpenP99,
		always(epollPeer), isNative),
	aloneGoal("Microseconds that a round trip with one message in flight is longer, p50, than one C++ thread's with epoll",
		epollPeer, ioEpoll),
	aloneGoal("Microseconds that a round trip with one message in flight is longer, p50, than one C++ thread's with "+
		"io_uring", uringPeer, ioURing),
	bookGoal(),
	memoryGoal("Bytes of memory of a connection that was never used", 256, rowNeverUsed),
	memoryGoal("Bytes of memory of an idle connection after one message", 512, rowUsedOnce),
}

func ratioGoal(title string, limit float64, m metric, other func(*results, *row) string,
	forServer func(*server) bool) goal {
	value := func(r *results, row *row, s *server) spread { return r.ratioOf(row.Name, s.Name, other(r, row), m) }
	forRow := func(row *row) bool { return row.Workload != workloadIdle && !row.Wine }
	return goal{Title: title, Limit: limit, Value: value, Other: other, ForRow: forRow, ForServer: forServer,
		Format: "%.2f"}
}

// bookGoal is how much faster than the book's original this project is where both run.
func bookGoal() goal {
	g := ratioGoal("Messages a second under Wine, against the book's original server", 3, metricSpeed,
		always(bookServer), isNativeWith(ioIOCP))
	g.AtLeast = true
	g.ForRow = func(row *row) bool { return row.Wine }
	return g
}

// aloneGoal is what the way through the core, cgo and the logic loop may add where the same I/O is done on one thread.
func aloneGoal(title, other, io string) goal {
	value := func(r *results, row *row, s *server) spread {
		return r.differenceOf(row.Name, s.Name, other, metricP50, 1e3)
	}
	return goal{Title: title, Limit: 1, Value: value, Other: always(other),
		ForRow: func(row *row) bool { return row.Name == rowAlone }, ForServer: isNativeWith(io), Format: "%.1f"}
}

func memoryGoal(title string, limit float64, rowName string) goal {
	return goal{Title: title, Limit: limit, Value: valueOf(metricMemory),
		ForRow: func(row *row) bool { return row.Name == rowName }, ForServer: isNative, Format: "%.0f"}
}

func valueOf(m metric) func(*results, *row, *server) spread {
	return func(r *results, row *row, s *server) spread { return r.spreadOf(row.Name, s.Name, m) }
}

func always(name string) func(*results, *row) string {
	return func(*results, *row) string { return name }
}

func isNative(s *server) bool { return s.Family == familyNative }

func isNativeWith(io string) func(*server) bool {
	return func(s *server) bool { return isNative(s) && s.IO == io }
}

func isOpenHouseWith(io string) func(*server) bool {
	return func(s *server) bool { return s.Family == familyDoors && s.IO == io }
}

func namesOf(f family) []string {
	var names []string
	for _, s := range servers {
		if s.Family == f {
			names = append(names, s.Name)
		}
	}
	return names
}

// limitText is what the goal asks for.
func (g *goal) limitText() string {
	if g.AtLeast {
		return fmt.Sprintf("at least **%g**", g.Limit)
	}
	return fmt.Sprintf("at most **%g**", g.Limit)
}

func (g *goal) isMissedBy(value float64) bool {
	if g.AtLeast {
		return value < g.Limit
	}
	return value > g.Limit
}

// cell is one figure: the median, and in brackets the least and the greatest if there are several. It is bold if the
// median misses the limit.
func (g *goal) cell(s spread) string {
	if s.Count == 0 {
		return "–"
	}
	text := formatSpread(s, g.Format)
	if g.isMissedBy(s.Median) {
		return "**" + text + "**"
	}
	return text
}

// formatSpread is a median with the least and the greatest value, "1.5 (1.2..2.0)"; only the value if there is one.
func formatSpread(s spread, format string) string {
	switch s.Count {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf(format, s.Median)
	}
	return fmt.Sprintf(format+" ("+format+".."+format+")", s.Median, s.Min, s.Max)
}
