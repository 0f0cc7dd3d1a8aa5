// Package svgplot draws diagrams into SVG files.
package svgplot

import (
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours are of Okabe and Ito's palette, which people with any colour vision can tell apart.
var (
	Blue   = color.RGBA{R: 0, G: 114, B: 178, A: 255}
	Orange = color.RGBA{R: 213, G: 94, B: 0, A: 255}
	Gray   = color.RGBA{R: 150, G: 150, B: 150, A: 255}
	Green  = color.RGBA{R: 0, G: 158, B: 115, A: 255}
)

// New is an empty diagram in a typeface that every system has a like of: without the very font, the widths of
// texts are guesses, so nothing may stand to the right of one.
func New() *plot.Plot {
	p := plot.New()
	for _, of := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font,
		&p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		of.Variant = "Sans"
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs = 2 * vg.Millimeter
	p.Legend.Padding = vg.Millimeter
	p.X.Tick.Marker, p.Y.Tick.Marker = Steps(12), Steps(6)
	p.X.Padding, p.Y.Padding = 0, 0
	return p
}

// Steps is an axis with a label at every multiple of 1, 2 or 5 times a power of ten, so many at most.
type Steps int

// Ticks implements plot.Ticker.
func (s Steps) Ticks(low, high float64) []plot.Tick {
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

// Grid is a pale grid.
func Grid() *plotter.Grid {
	g := plotter.NewGrid()
	pale := color.Gray{Y: 225}
	g.Horizontal.Color, g.Vertical.Color = pale, pale
	return g
}

// NiceMaximum is the next number up that has one or two digits.
func NiceMaximum(value float64) float64 {
	if value <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(value))-1) * 5
	return math.Ceil(value/unit) * unit
}

// pictureWidth is the width of every picture.
const pictureWidth = 24 * vg.Centimeter

// Write writes diagrams into an SVG file, one above the other, their axes aligned; each row has one diagram.
func Write(path string, rows [][]*plot.Plot, rowHeight vg.Length) (err error) {
	canvas := vgsvg.New(pictureWidth, rowHeight*vg.Length(len(rows)))
	tiles := draw.Tiles{Rows: len(rows), Cols: 1, PadTop: 4 * vg.Millimeter, PadBottom: 3 * vg.Millimeter,
		PadLeft: 3 * vg.Millimeter, PadRight: 8 * vg.Millimeter, PadY: 4 * vg.Millimeter}
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	for i, row := range plot.Align(rows, tiles, whole) {
		rows[i][0].Draw(row[0])
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
