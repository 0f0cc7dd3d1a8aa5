//go:build !cgo

package bridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoNativeCoreWithoutCgo(t *testing.T) {
	_, err := Open("some/core", nil)
	assert.EqualError(t, err, "no native core: this program was built with CGO_ENABLED=0; looked for some/core; "+
		"rebuild this program with CGO_ENABLED=1, or use --core go")
}
