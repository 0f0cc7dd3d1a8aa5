//go:build unix

package serverrun

import "os"

// hasTerminal reports whether the process has a terminal that controls it. It has none any more once that is closed.
func hasTerminal() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	_ = terminal.Close() // it was only looked at
	return true
}
