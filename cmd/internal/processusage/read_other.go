//go:build !linux

package processusage

// Read returns nothing: what a process uses is not read on this system yet.
func Read(int) (Usage, error) { return Usage{}, nil }

// ReadTimes returns nothing; see Read.
func ReadTimes(int) (Times, error) { return Times{}, nil }

// ReadMemory returns 0; see Read.
func ReadMemory(int) (int64, error) { return 0, nil }
