package bridge

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine may outlive the tests: every core ends its own in Stop.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
