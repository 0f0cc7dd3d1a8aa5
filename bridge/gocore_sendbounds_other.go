//go:build !linux && !windows

package bridge

import (
	"net"
	"time"
)

// setSendBounds does nothing: this system has no such options under names that are known here.
func setSendBounds(*net.TCPConn, time.Duration) {}
