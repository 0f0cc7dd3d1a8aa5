package processusage

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOwnUse(t *testing.T) {
	before, err := ReadTimes(os.Getpid())
	require.NoError(t, err)
	assert.True(t, before.Available)
	for sum := 0; ; sum++ { // until the clock of this process has moved
		after, err := ReadTimes(os.Getpid())
		require.NoError(t, err)
		if after.Sub(before).Total > 0 {
			break
		}
	}
	usage, err := Read(os.Getpid())
	require.NoError(t, err)
	assert.Positive(t, usage.Memory)
	assert.Positive(t, usage.Threads)
	assert.Positive(t, usage.Handles)
	memory, err := ReadMemory(os.Getpid())
	require.NoError(t, err)
	assert.Positive(t, memory)
}

func TestAProcessThatIsNotThere(t *testing.T) {
	_, err := ReadTimes(1 << 30)
	assert.Error(t, err)
}
