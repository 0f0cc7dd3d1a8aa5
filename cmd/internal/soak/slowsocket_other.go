//go:build !linux

package soak

import "iocpnetlib/cmd/internal/tcpdial"

// slowSocket: see slowsocket_linux.go. Here the receive buffer is made small after connecting.
var slowSocket tcpdial.Control
