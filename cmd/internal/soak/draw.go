package soak

import (
	"fmt"
	"image/color"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/processusage"
	"iocpnetlib/cmd/internal/svgplot"
)

// panelHeight is the height of one diagram.
const panelHeight = 6 * vg.Centimeter

// series is one line of a panel.
type series struct {
	name  string
	color color.Color
	value func(r *record) (value float64, known bool)
}

// panel is one diagram; all have the same time axis.
type panel struct {
	label string
	lines []series
}

// unit is the unit of the label, in parentheses behind a space; empty if there is none.
func (p *panel) unit() string {
	if at := strings.Index(p.label, " ("); at >= 0 {
		return p.label[at:]
	}
	return ""
}

func panels() []panel {
	ofUsage := func(value func(u *processusage.Usage) float64) func(*record) (float64, bool) {
		return func(r *record) (float64, bool) { return value(&r.Usage), r.Usage.Available }
	}
	ofLatency := func(value func(q *latency.Quantiles) time.Duration) func(*record) (float64, bool) {
		return func(r *record) (float64, bool) {
			return float64(value(&r.Latency)) / float64(time.Millisecond), r.Latency.Count > 0
		}
	}
	return []panel{
		{"memory (MiB)", []series{
			{"resident memory of the server", svgplot.Blue, ofUsage(func(u *processusage.Usage) float64 {
				return float64(u.Memory) / (1 << 20)
			})},
		}},
		{"handles, threads", []series{
			{"open handles", svgplot.Blue, ofUsage(func(u *processusage.Usage) float64 { return float64(u.Handles) })},
			{"threads", svgplot.Orange, ofUsage(func(u *processusage.Usage) float64 { return float64(u.Threads) })},
		}},
		{"processor (cores)", []series{
			{"processor time of the server", svgplot.Green, func(r *record) (float64, bool) { return r.CPU, r.CPU > 0 }},
		}},
		{"latency (ms)", []series{
			{"p99 of members' chats", svgplot.Orange, ofLatency(func(q *latency.Quantiles) time.Duration { return q.P99 })},
			{"p99 of how late the load itself was", svgplot.Gray, func(r *record) (float64, bool) {
				return float64(r.Lag) / float64(time.Millisecond), r.Latency.Count > 0
			}},
			{"p50", svgplot.Blue, ofLatency(func(q *latency.Quantiles) time.Duration { return q.P50 })},
		}},
	}
}

// timeUnit is what the time axis counts, so that its numbers stay short.
func timeUnit(length time.Duration) (unit time.Duration, name string) {
	switch {
	case length > 3*time.Hour:
		return time.Hour, "h"
	case length > 5*time.Minute:
		return time.Minute, "min"
	}
	return time.Second, "s"
}

// Draw draws the records of a soak into an SVG file: one panel above the other over one time axis.
func Draw(records []record, path string) error {
	unit, unitName := timeUnit(records[len(records)-1].Time)
	all := panels()
	plots := make([][]*plot.Plot, len(all))
	for i, panel := range all {
		p, err := drawPanel(panel, records, unit)
		if err != nil {
			return err
		}
		if i == len(all)-1 {
			p.X.Label.Text = "time (" + unitName + ")"
		}
		plots[i] = []*plot.Plot{p}
	}
	return svgplot.Write(path, plots, panelHeight)
}

func drawPanel(panel panel, records []record, unit time.Duration) (*plot.Plot, error) {
	p := svgplot.New()
	p.Y.Label.Text = panel.label
	p.X.Min, p.X.Max = 0, float64(records[len(records)-1].Time)/float64(unit)
	p.Add(svgplot.Grid())
	highest := 0.0
	for _, line := range panel.lines {
		points := make(plotter.XYs, 0, len(records))
		for i := range records {
			if value, known := line.value(&records[i]); known {
				points = append(points, plotter.XY{X: float64(records[i].Time) / float64(unit), Y: value})
				highest = max(highest, value)
			}
		}
		if len(points) == 0 {
			p.Legend.Add(line.name + ": not available on this system")
			continue
		}
		drawn, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line.name, err)
		}
		drawn.Color = line.color
		drawn.Width = 0.4 * vg.Millimeter
		p.Add(drawn)
		p.Legend.Add(line.name, drawn)
	}
	// From 0, or a small change would look large; and with room for the legend.
	p.Y.Min, p.Y.Max = 0, svgplot.NiceMaximum(highest*1.35)
	return p, nil
}
