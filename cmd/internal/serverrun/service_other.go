//go:build !windows

package serverrun

import (
	"fmt"
	"io"
	"os"
)

func serviceUsage(string) string { return "" }

// service: only Windows has services of this kind; docs/operations.md has the unit for systemd.
func (p *Program) service(_ []string, _ io.Writer, stderr *os.File) int {
	fmt.Fprintf(stderr, "%s: service is for Windows; on Linux systemd runs it, see docs/operations.md\n", p.Name)
	return ExitUsage
}

func (p *Program) runAsService([]string, io.Writer, *os.File) (code int, isService bool) {
	return 0, false
}
