package serverrun

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"iocpnetlib/bridge"
)

func TestNonZero(t *testing.T) {
	var closed [bridge.CloseReasonCount]uint64
	assert.Equal(t, map[string]uint64{}, NonZero[bridge.CloseReason](closed[:]))
	closed[bridge.ClosePeerReset], closed[bridge.CloseReasonCount-1] = 3, 1
	assert.Equal(t, map[string]uint64{"peer_reset": 3, (bridge.CloseReasonCount - 1).String(): 1},
		NonZero[bridge.CloseReason](closed[:]))
}
