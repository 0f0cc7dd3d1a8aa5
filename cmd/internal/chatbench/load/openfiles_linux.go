package load

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// spareFiles is how many files are open beside the connections, and more.
const spareFiles = 64

// allowOpenFiles makes room for so many connections.
func allowOpenFiles(connections int) error {
	needed := uint64(connections + spareFiles)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= needed {
		return nil
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: needed, Max: max(limit.Max, needed)}); err != nil {
		return fmt.Errorf("%d connections need %d open files, and this process may have %d (ulimit -n): %w", connections,
			needed, limit.Max, err)
	}
	return nil
}
