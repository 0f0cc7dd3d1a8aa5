package main

import (
	"fmt"
	"strings"
	"time"
)

// markdown renders the lines of a table, the first of which is its head.
func markdown(lines [][]string) string {
	var text strings.Builder
	for i, line := range lines {
		text.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			text.WriteString("|" + strings.Repeat("---|", len(line)) + "\n")
		}
	}
	return text.String()
}

// sections are the parts of docs/benchmarks.md that are made of the results, by the name of their marker.
func sections(r *results, p *plan) map[string]string {
	if p.Wine {
		return map[string]string{
			"wine machine": machineSection(r),
			"wine goals":   goalsSection(r, p),
			"wine rows":    rowsSection(r, p) + failuresSection(r),
		}
	}
	return map[string]string{
		"machine":  machineSection(r),
		"goals":    goalsSection(r, p),
		"rows":     rowsSection(r, p),
		"memory":   memorySection(r, p),
		"failures": failuresSection(r),
	}
}

func machineSection(r *results) string {
	return fmt.Sprintf("%s. %s, %d rounds, with:\n\n```sh\n%s\n```\n", r.Machine, r.Begin.Format(time.DateOnly), r.Rounds,
		r.Command)
}

// goalsSection has a table for each goal: its rows, and in them the servers that it is for.
func goalsSection(r *results, p *plan) string {
	var text strings.Builder
	for i := range goals {
		g := &goals[i]
		var ours []*server
		for j := range p.Servers {
			if g.ForServer(&p.Servers[j]) {
				ours = append(ours, &p.Servers[j])
			}
		}
		if len(ours) == 0 {
			continue
		}
		head := []string{"row"}
		if g.Other != nil {
			head = append(head, "against")
		}
		for _, s := range ours {
			head = append(head, s.Name)
		}
		lines := [][]string{head}
		for j := range p.Rows {
			row := &p.Rows[j]
			if !g.ForRow(row) {
				continue
			}
			line := []string{row.Name}
			if g.Other != nil {
				line = append(line, orDash(g.Other(r, row)))
			}
			for _, s := range ours {
				line = append(line, g.cell(g.Value(r, row, s)))
			}
			lines = append(lines, line)
		}
		if len(lines) == 1 {
			continue
		}
		fmt.Fprintf(&text, "%s: %s.\n\n%s\n", g.Title, g.limitText(), markdown(lines))
	}
	return text.String()
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// column is a metric of a table of servers.
type column struct {
	Title  string
	Metric metric
	Unit   float64
	Format string
}

var rowColumns = []column{
	{"CPU µs a message", metricCPU, 1000, "%.2f"},
	{"system calls a message", metricSyscalls, 1, "%.4f"},
	{"messages a second", metricSpeed, 1, "%.0f"},
	{"p50 ms at that speed", metricP50, 1e6, "%.3f"},
	{"p99 ms at that speed", metricP99, 1e6, "%.2f"},
	{"p99 ms at half the C++ epoll thread's", metricOpenP99, 1e6, "%.2f"},
	{"of which the load was late, ms", metricLagP99, 1e6, "%.2f"},
}

// rowsSection has a table for each row but those of memory: every server with its metrics.
func rowsSection(r *results, p *plan) string {
	var text strings.Builder
	for i := range p.Rows {
		row := &p.Rows[i]
		if row.Workload == workloadIdle {
			continue
		}
		head := []string{"server"}
		for _, c := range rowColumns {
			head = append(head, c.Title)
		}
		lines := [][]string{head}
		for _, s := range p.Servers {
			line := []string{s.Name}
			for _, c := range rowColumns {
				line = append(line, formatSpread(r.spreadOf(row.Name, s.Name, c.Metric).scaled(c.Unit), c.Format))
			}
			lines = append(lines, line)
		}
		fmt.Fprintf(&text, "### %s\n\n%s\n", row.Name, markdown(lines))
	}
	return text.String()
}

// memorySection has one table of the memory of idle connections.
func memorySection(r *results, p *plan) string {
	head := []string{"server"}
	var idle []string
	for _, row := range p.Rows {
		if row.Workload == workloadIdle {
			idle = append(idle, row.Name)
			head = append(head, row.Name)
		}
	}
	if len(idle) == 0 {
		return ""
	}
	lines := [][]string{head}
	for _, s := range p.Servers {
		line := []string{s.Name}
		for _, row := range idle {
			line = append(line, formatSpread(r.spreadOf(row, s.Name, metricMemory), "%.0f"))
		}
		lines = append(lines, line)
	}
	return markdown(lines)
}

// failuresSection lists what could not be measured, and why.
func failuresSection(r *results) string {
	if len(r.Failures) == 0 {
		return "Nothing failed.\n"
	}
	lines := [][]string{{"row", "server", "round", "pass", "error"}}
	for _, f := range r.Failures {
		lines = append(lines, []string{f.Row, f.Server, fmt.Sprint(f.Round + 1), string(f.Pass),
			oneLine(f.Error)})
	}
	return markdown(lines)
}

// maxErrorText is how many characters of an error a table shows: results.json has all of it.
const maxErrorText = 200

// oneLine makes an error fit into a table.
func oneLine(text string) string {
	line := []rune(strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|"))
	if len(line) > maxErrorText {
		return string(line[:maxErrorText]) + "…"
	}
	return string(line)
}
