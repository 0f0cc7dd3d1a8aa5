//go:build !linux

package soak

// slowSocket: see slowsocket_linux.go. Here the receive buffer is made small after connecting.
var slowSocket dialControl
