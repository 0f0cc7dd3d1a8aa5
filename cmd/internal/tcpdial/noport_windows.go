package tcpdial

import "golang.org/x/sys/windows"

// errNoLocalPort is the error of a dial when every local port is in use or waits for late packets (TIME_WAIT).
const errNoLocalPort = windows.WSAEADDRINUSE
