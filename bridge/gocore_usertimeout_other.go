//go:build !linux && !windows

package bridge

import (
	"net"
	"time"
)

// setUserTimeout does nothing: this system has no such option under a name that is known here.
func setUserTimeout(*net.TCPConn, time.Duration) {}
