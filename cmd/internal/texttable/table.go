// Package texttable writes tables for people to read.
package texttable

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is rows of cells that are written in columns, numbers to the right.
type Table struct{ rows [][]string }

// Add adds a row of cells, which are shown as fmt.Print does.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = fmt.Sprint(cell)
	}
	t.rows = append(t.rows, row)
}

// Write writes the table. What goes wrong with that is not told.
func (t *Table) Write(to io.Writer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + gap)
			} else {
				line.WriteString("  " + gap + cell)
			}
		}
		fmt.Fprintln(to, strings.TrimRight(line.String(), " "))
	}
}
