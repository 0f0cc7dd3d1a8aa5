//go:build unix

package tcpdial

import "syscall"

// errNoLocalPort is the error of a dial when every local port is in use or waits for late packets (TIME_WAIT).
const errNoLocalPort = syscall.EADDRNOTAVAIL
