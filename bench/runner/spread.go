package main

import (
	"maps"
	"slices"
)

// spread tells how some values lie.
type spread struct {
	Count            int // 0: there are none, and the rest means nothing
	Median, Min, Max float64
}

// newSpread makes the spread of the values in a map, whatever their keys are. The median of an even number of values
// is halfway between the two in the middle.
func newSpread(values map[int]float64) spread {
	sorted := slices.Sorted(maps.Values(values))
	count := len(sorted)
	if count == 0 {
		return spread{}
	}
	return spread{count, (sorted[(count-1)/2] + sorted[count/2]) / 2, sorted[0], sorted[count-1]}
}

// scaled is the spread with every value divided by unit.
func (s spread) scaled(unit float64) spread {
	return spread{s.Count, s.Median / unit, s.Min / unit, s.Max / unit}
}
