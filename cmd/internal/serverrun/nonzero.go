package serverrun

import "fmt"

// NonZero returns those of some counters that have counted something, by name. The counters are indexed by a reason, a
// result, or whatever else has a name for each of its numbers.
func NonZero[Index interface {
	~int16 | ~uint8 | ~uint16
	fmt.Stringer
}](counters []uint64) map[string]uint64 {
	counted := make(map[string]uint64)
	for index, count := range counters {
		if count > 0 {
			counted[Index(index).String()] = count
		}
	}
	return counted
}
