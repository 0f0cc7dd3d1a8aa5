//go:build unix

package serverrun

import (
	"syscall"

	"go.uber.org/zap"
)

// otherDescriptors are those that a server needs beside one for each connection, the admin page's included.
const otherDescriptors = 80

// warnOfDescriptors says at the start what would otherwise be found out when the server is nearly full: that the system
// lets it have fewer descriptors than it may have connections and handshakes. Then neither a client nor the admin page gets in.
func (s *server) warnOfDescriptors(options *Options) {
	clients := options.Places() + options.handshakes()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return // nothing to compare with
	}
	if needed := uint64(clients) + otherDescriptors; limit.Cur < needed {
		s.logger.Warn("max-connections is more than the system's limit of open files allows; raise it "+
			"(ulimit -n, LimitNOFILE) or lower max-connections", zap.Uint64("open_files", limit.Cur),
			zap.Int("max_connections", options.Places()), zap.Uint64("needed", needed))
	}
}
