//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarkdown(t *testing.T) {
	assert.Equal(t, "| a | b |\n|---|---|\n| 1 | 2 |\n", markdown([][]string{{"a", "b"}, {"1", "2"}}))
}

func TestFormatSpread(t *testing.T) {
	assert.Equal(t, "–", formatSpread(spread{}, "%.2f"))
	assert.Equal(t, "0.50", formatSpread(spread{1, 0.5, 0.5, 0.5}, "%.2f"))
	assert.Equal(t, "0.50 (0.40..0.70)", formatSpread(spread{3, 0.5, 0.4, 0.7}, "%.2f"))
}

func TestAMissedGoalIsBold(t *testing.T) {
	g := goal{Limit: 0.6, Format: "%.2f"}
	assert.Equal(t, "0.60 (0.10..0.90)", g.cell(spread{3, 0.6, 0.1, 0.9}))
	assert.Equal(t, "**0.61 (0.10..0.90)**", g.cell(spread{3, 0.61, 0.1, 0.9}))
	assert.Equal(t, "–", g.cell(spread{}))
	g.AtLeast = true
	assert.Equal(t, "0.60", g.cell(spread{1, 0.6, 0.6, 0.6}))
	assert.Equal(t, "**0.59**", g.cell(spread{1, 0.59, 0.59, 0.59}))
}

// measuredPlan is a plan of two servers and a peer, and results of one row that are easy to compute with.
func measuredPlan(t *testing.T) (*results, *plan) {
	t.Helper()
	chosenRows, err := choose(rows, func(r row) string { return r.Name }, "room-10x100x8,idle-never-used")
	require.NoError(t, err)
	chosen, err := choose(servers, func(s server) string { return s.Name },
		"native-epoll-1,native-uring-0,go-net-logic,go-gnet-logic,cpp-epoll,cpp-uring")
	require.NoError(t, err)
	// In the order that the tables below expect.
	chosen[0], chosen[1] = chosen[1], chosen[0]
	r := &results{}
	for name, cpu := range map[string]float64{"native-epoll-1": 1200, "native-uring-0": 550, "go-net-logic": 2000,
		"go-gnet-logic": 3000, "cpp-epoll": 1000, "cpp-uring": 500} {
		for round := range 2 {
			r.Samples = append(r.Samples, sample{"room-10x100x8", name, round, metricCPU, cpu * float64(round+1)})
		}
	}
	r.Samples = append(r.Samples, sample{rowNeverUsed, "native-epoll-1", 0, metricMemory, 300},
		sample{"room-10x100x8", "native-uring-0", 0, metricSyscalls, 0.002})
	return r, &plan{Rows: chosenRows, Servers: chosen, Rounds: 2}
}

func TestGoals(t *testing.T) {
	text := goalsSection(measuredPlan(t))
	assert.Contains(t, text, "with a logic goroutine: at most **0.6**.\n\n"+
		"| row | against | native-epoll-1 | native-uring-0 |\n|---|---|---|---|\n"+
		"| room-10x100x8 | go-net-logic | 0.60 (0.60..0.60) | 0.28 (0.28..0.28) |\n")
	assert.Contains(t, text, "one C++ thread with epoll: at most **1.1**.\n\n"+
		"| row | against | native-epoll-1 |\n|---|---|---|\n| room-10x100x8 | cpp-epoll | **1.20 (1.20..1.20)** |\n")
	assert.Contains(t, text, "| room-10x100x8 | cpp-uring | 1.10 (1.10..1.10) |\n")
	assert.Contains(t, text, "at most **0.05**.\n\n| row | native-uring-0 |\n|---|---|\n| room-10x100x8 | 0.0020 |\n")
	assert.Contains(t, text, "at most **256**.\n\n| row | native-epoll-1 | native-uring-0 |\n|---|---|---|\n"+
		"| idle-never-used | **300** | – |\n")
	assert.NotContains(t, text, "512", "the row of that goal was not measured")
}

func TestTheGoalAgainstTheBook(t *testing.T) {
	r := &results{}
	for name, speed := range map[string]float64{"native-iocp-0": 8000, "native-iocp-1": 5000, bookServer: 2000} {
		r.Samples = append(r.Samples, sample{"echo-50x1", name, 0, metricSpeed, speed})
	}
	text := goalsSection(r, &plan{Rows: wineRows[:1], Servers: wineServers[:2], Wine: true})
	assert.Equal(t, "Messages a second under Wine, against the book's original server: at least **3**.\n\n"+
		"| row | against | native-iocp-0 | native-iocp-1 |\n|---|---|---|---|\n| echo-50x1 | original | 4.00 | **2.50** |\n\n",
		text)
}

func TestRowsAndMemory(t *testing.T) {
	r, p := measuredPlan(t)
	text := rowsSection(r, p)
	assert.Contains(t, text, "### room-10x100x8\n")
	assert.Contains(t, text, "| native-uring-0 | 0.82 (0.55..1.10) | 0.0020 | – | – | – | – | – |\n")
	assert.NotContains(t, text, rowNeverUsed)
	assert.Contains(t, memorySection(r, p), "| native-epoll-1 | 300 |\n")
}

func TestFailuresAreToldInOneLine(t *testing.T) {
	assert.Equal(t, "Nothing failed.\n", failuresSection(&results{}))
	text := failuresSection(&results{Failures: []failure{{"r", "s", 0, passLoad, "a | b\nc " + strings.Repeat("x", 500)}}})
	assert.Contains(t, text, `| r | s | 1 | load | a \| b c xxx`)
	assert.Equal(t, 3, strings.Count(text, "\n"))
}

func TestUpdateDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	const document = "# Title\n<!-- bench a -->\nold\n<!-- /bench a -->\nbetween\n<!-- bench b --><!-- /bench b -->\n"
	require.NoError(t, os.WriteFile(path, []byte(document), 0o644))
	require.ErrorContains(t, updateDocument(path, map[string]string{"a": "1", "c": "2"}), "<!-- bench c -->")
	for range 2 { // the second time changes nothing
		require.NoError(t, updateDocument(path, map[string]string{"a": "new", "b": "more\n"}))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "# Title\n<!-- bench a -->\n\nnew\n\n<!-- /bench a -->\nbetween\n"+
			"<!-- bench b -->\n\nmore\n\n<!-- /bench b -->\n", string(text))
	}
}

func TestTheDocumentHasEverySection(t *testing.T) {
	text, err := os.ReadFile("../../docs/benchmarks.md")
	require.NoError(t, err)
	r, p := measuredPlan(t)
	for _, p.Wine = range []bool{false, true} {
		for name, body := range sections(r, p) {
			_, err := replaceSection(string(text), name, body)
			assert.NoError(t, err)
		}
	}
}

func TestMachine(t *testing.T) {
	assert.Equal(t, "A fast one", cpuModel("processor\t: 0\nmodel name\t: A fast one\n\nmodel name\t: another\n"))
	assert.Equal(t, "unknown processor", cpuModel("unknown"))
	assert.Equal(t, "0.1 0.2 0.3", loadAverage("0.1 0.2 0.3 1/100 4711"))
	assert.Equal(t, "unknown", loadAverage("unknown"))
}
