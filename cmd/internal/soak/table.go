package soak

import (
	"fmt"
	"slices"
	"time"

	"iocpnetlib/cmd/internal/processusage"
)

func millis(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond)) }

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }

// orNone shows a figure, or that this system does not tell it.
func orNone(u processusage.Usage, figure any) string {
	if !u.Available {
		return "n/a"
	}
	return fmt.Sprint(figure)
}

// spread is the median of values with the smallest and the largest.
func spread(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f..%.2f)", median(values), slices.Min(values), slices.Max(values))
}

// median of no values is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
