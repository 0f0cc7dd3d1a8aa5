package report

import (
	"fmt"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"iocpnetlib/cmd/internal/chatbench/load"
	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/svgplot"
)

// The picture's height, and how many nines the axis of percentiles has at most: 99.9999 %.
const (
	pictureHeight = 12 * vg.Centimeter
	mostNines     = 6
)

// Draw draws the percentile curve of the latencies into an SVG file: along the axis every step has ten times fewer
// messages above it. In an open loop the curve of how late the load itself was is there, too. Nothing is drawn, which
// is an error, of a run without latencies.
func Draw(r *Result, m *load.Measurement, path string) error {
	lines := []struct {
		name   string
		color  color.Color
		points []latency.Point
	}{{"latency of messages", svgplot.Orange, m.Latency.Curve()}}
	if len(lines[0].points) == 0 {
		return fmt.Errorf("%s: there are no latencies to draw", path)
	}
	if m.Lag != nil {
		lines = append(lines, lines[0])
		lines[1].name, lines[1].color, lines[1].points = "how late the load itself sent", svgplot.Gray, m.Lag.Curve()
	}
	unit, unitName := unitOf(r.Latency.Max)
	p := svgplot.New()
	p.Title.Text = r.Scenario + ": " + r.describe()
	p.Title.TextStyle.Font.Variant = "Sans"
	p.X.Label.Text, p.Y.Label.Text = "share of the messages", "latency ("+unitName+")"
	p.X.Tick.Marker = nines{}
	p.Add(svgplot.Grid())
	for _, line := range lines {
		points := make(plotter.XYs, 0, len(line.points))
		for _, point := range line.points {
			x := math.Min(-math.Log10(1-point.Share), mostNines) // the last point has the share 1
			y := float64(point.Latency) / float64(unit)
			points = append(points, plotter.XY{X: x, Y: y})
			p.X.Max, p.Y.Max = math.Max(p.X.Max, x), math.Max(p.Y.Max, y)
		}
		if len(points) == 0 {
			continue
		}
		drawn, err := plotter.NewLine(points)
		if err != nil {
			return fmt.Errorf("%s: %w", line.name, err)
		}
		drawn.Color, drawn.Width = line.color, 0.4*vg.Millimeter
		p.Add(drawn)
		p.Legend.Add(line.name, drawn)
	}
	p.X.Min, p.X.Max = 0, math.Max(1, math.Min(math.Ceil(-math.Log10(1/float64(r.Latency.Count))), mostNines))
	p.Y.Min, p.Y.Max = 0, svgplot.NiceMaximum(float64(r.Latency.Max)/float64(unit)*1.2)
	return svgplot.Write(path, [][]*plot.Plot{{p}}, pictureHeight)
}

// unitOf is what the axis of latencies counts, so that its numbers stay short.
func unitOf(longest time.Duration) (unit time.Duration, name string) {
	switch {
	case longest > 10*time.Second:
		return time.Second, "s"
	case longest > 10*time.Millisecond:
		return time.Millisecond, "ms"
	}
	return time.Microsecond, "µs"
}

// nines labels an axis of which every step has ten times fewer messages above it.
type nines struct{}

func (nines) Ticks(_, high float64) []plot.Tick {
	var ticks []plot.Tick
	for nines := 0; float64(nines) <= high+1e-9; nines++ {
		label := fmt.Sprintf("%.*f %%", max(0, nines-2), 100*(1-math.Pow(10, -float64(nines))))
		ticks = append(ticks, plot.Tick{Value: float64(nines), Label: label})
	}
	return ticks
}
