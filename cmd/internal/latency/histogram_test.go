package latency

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordersLoseNothing(t *testing.T) {
	h := NewHistogram()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			r := NewRecorder(h)
			for i := range 1000 {
				r.Record(time.Duration(i+1) * time.Microsecond)
			}
			r.Flush()
		})
	}
	group.Wait()
	q := h.Quantiles()
	assert.EqualValues(t, 4000, q.Count)
	assert.InEpsilon(t, 500*time.Microsecond, q.P50, 0.001)
	assert.InEpsilon(t, 990*time.Microsecond, q.P99, 0.001)
	assert.InEpsilon(t, time.Millisecond, q.Max, 0.001)
	assert.Equal(t, q, h.Take())
	assert.Zero(t, h.Quantiles().Count)
}

// What is outside of the range counts as what is nearest to it.
func TestTheRange(t *testing.T) {
	h := NewHistogram()
	h.Record(-time.Second)
	h.Record(time.Hour)
	q := h.Quantiles()
	assert.EqualValues(t, 2, q.Count)
	assert.InEpsilon(t, longest, int64(q.Max), 0.001)
}

func TestCurve(t *testing.T) {
	h := NewHistogram()
	assert.Empty(t, h.Curve())
	for i := range 1000 {
		h.Record(time.Duration(i + 1))
	}
	curve := h.Curve()
	require.NotEmpty(t, curve)
	for i := 1; i < len(curve); i++ {
		assert.GreaterOrEqual(t, curve[i].Share, curve[i-1].Share)
		assert.GreaterOrEqual(t, curve[i].Latency, curve[i-1].Latency)
	}
	assert.EqualValues(t, 1, curve[len(curve)-1].Share)
}
