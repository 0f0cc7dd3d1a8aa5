package bridge

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// No goroutine may outlive the tests: every core ends its own in Stop.
func TestMain(m *testing.M) {
	if way, folder, found := strings.Cut(os.Getenv(crashVariable), ","); found {
		runCrashChild(way, folder)
	}
	goleak.VerifyTestMain(m)
}
