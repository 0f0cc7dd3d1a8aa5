package main

import (
	"flag"
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

// runMainVariable makes the test binary run as the server instead of the tests: what is tested is a process of its
// own, with real sockets, signals and an exit code.
const runMainVariable = "IOCPNETLIB_TEST_RUN_CHATSERVER"

func TestMain(m *testing.M) {
	if os.Getenv(runMainVariable) == "1" {
		main()
		return
	}
	if os.Getenv("RAPID_CHECKS") == "" {
		_ = flag.Set("rapid.checks", defaultChecks())
	}
	goleak.VerifyTestMain(m)
}

// defaultChecks is how many random sequences a property is given on plain TCP, unless -rapid.checks or RAPID_CHECKS says
// so. On Windows that may mean Wine, where every system call takes many times as long.
func defaultChecks() string {
	if runtime.GOOS == "windows" {
		return "50"
	}
	return "340"
}
