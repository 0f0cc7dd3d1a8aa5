package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// runMainVariable makes the test binary run as the client instead of the tests: what is tested on a terminal is a
// process of its own.
const runMainVariable = "CHATCLIENT_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMainVariable) == "1" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}
