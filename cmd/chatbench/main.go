// Chatbench puts a server under a load that a small TOML file describes, checks every reply to the last byte, and
// measures throughput and latency. `chatbench --help` explains its options.
//
// Exit codes: 0 if every reply was right, 1 if one was not or the server could not be reached, 2 for wrong options or
// a wrong scenario, 130 after Ctrl+C.
package main

import (
	"os"

	"iocpnetlib/cmd/internal/chatbench"
)

func main() { os.Exit(chatbench.Main(os.Args[1:], os.Stdout, os.Stderr)) }
