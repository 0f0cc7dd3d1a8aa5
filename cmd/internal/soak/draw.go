package soak

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of the picture.
const (
	pictureWidth = 24 * vg.Centimeter
	panelHeight  = 6 * vg.Centimeter
)

// The colours are of Okabe and Ito's palette, which people with any colour vision can tell apart.
var (
	blue   = color.RGBA{R: 0, G: 114, B: 178, A: 255}
	orange = color.RGBA{R: 213, G: 94, B: 0, A: 255}
	gray   = color.RGBA{R: 150, G: 150, B: 150, A: 255}
	green  = color.RGBA{R: 0, G: 158, B: 115, A: 255}
)

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
	ofUsage := func(value func(u *usage) float64) func(*record) (float64, bool) {
		return func(r *record) (float64, bool) { return value(&r.Usage), r.Usage.Available }
	}
	ofLatency := func(value func(q *quantiles) time.Duration) func(*record) (float64, bool) {
		return func(r *record) (float64, bool) {
			return float64(value(&r.Latency)) / float64(time.Millisecond), r.Latency.Count > 0
		}
	}
	return []panel{
		{"memory (MiB)", []series{
			{"resident memory of the server", blue, ofUsage(func(u *usage) float64 { return float64(u.Memory) / (1 << 20) })},
		}},
		{"handles, threads", []series{
			{"open handles", blue, ofUsage(func(u *usage) float64 { return float64(u.Handles) })},
			{"threads", orange, ofUsage(func(u *usage) float64 { return float64(u.Threads) })},
		}},
		{"processor (cores)", []series{
			{"processor time of the server", green, func(r *record) (float64, bool) { return r.CPU, r.CPU > 0 }},
		}},
		{"latency (ms)", []series{
			{"p99 of members' chats", orange, ofLatency(func(q *quantiles) time.Duration { return q.P99 })},
			{"p99 of how late the load itself was", gray, func(r *record) (float64, bool) {
				return float64(r.Lag) / float64(time.Millisecond), r.Latency.Count > 0
			}},
			{"p50", blue, ofLatency(func(q *quantiles) time.Duration { return q.P50 })},
		}},
	}
}

// newPlot is an empty diagram in a typeface that every system has a like of: without the very font, the widths of
// texts are guesses, so nothing may stand to the right of one.
func newPlot() *plot.Plot {
	p := plot.New()
	for _, of := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font,
		&p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		of.Variant = "Sans"
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs = 2 * vg.Millimeter
	p.Legend.Padding = vg.Millimeter
	p.X.Tick.Marker, p.Y.Tick.Marker = steps(12), steps(6)
	p.X.Padding, p.Y.Padding = 0, 0
	return p
}

// steps is an axis with a label at every multiple of 1, 2 or 5 times a power of ten, so many at most.
type steps int

func (s steps) Ticks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(s))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*factor) <= float64(s) {
			step *= factor
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high*(1+1e-9); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: fmt.Sprintf("%.6g", i*step)})
	}
	return ticks
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
func Draw(records []record, path string) (err error) {
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
	canvas := vgsvg.New(pictureWidth, panelHeight*vg.Length(len(plots)))
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadTop: 4 * vg.Millimeter, PadBottom: 3 * vg.Millimeter,
		PadLeft: 3 * vg.Millimeter, PadRight: 8 * vg.Millimeter, PadY: 4 * vg.Millimeter}
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	for i, row := range plot.Align(plots, tiles, whole) {
		plots[i][0].Draw(row[0])
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	_, err = canvas.WriteTo(file)
	return err
}

func drawPanel(panel panel, records []record, unit time.Duration) (*plot.Plot, error) {
	p := newPlot()
	p.Y.Label.Text = panel.label
	p.X.Min, p.X.Max = 0, float64(records[len(records)-1].Time)/float64(unit)
	p.Add(grid())
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
	p.Y.Min, p.Y.Max = 0, niceMaximum(highest*1.35)
	return p, nil
}

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	pale := color.Gray{Y: 225}
	g.Horizontal.Color, g.Vertical.Color = pale, pale
	return g
}

// niceMaximum is the next number up that has one or two digits.
func niceMaximum(value float64) float64 {
	if value <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(value))-1) * 5
	return math.Ceil(value/unit) * unit
}
