package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// runMainVariable makes the test binary run as the server instead of the tests: what is tested is a process of its
// own, with real sockets, signals and an exit code.
const runMainVariable = "CHATSERVER_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMainVariable) == "1" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}
