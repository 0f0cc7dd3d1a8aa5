// Chatsoak starts a chat server, puts it under load from ordinary and hostile clients, checks every byte that comes
// back, and measures. `chatsoak help` explains its scenarios.
//
// Exit codes: 0 if every check passed, 1 if one failed, 2 for wrong options, 130 after Ctrl+C if nothing was wrong
// until then. It ends its server in every case.
package main

import (
	"os"

	"iocpnetlib/cmd/internal/soak"
)

func main() { os.Exit(soak.Main(os.Args[1:], os.Stdout, os.Stderr)) }
