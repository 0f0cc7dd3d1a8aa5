//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSpread(t *testing.T) {
	assert.Equal(t, spread{}, newSpread(nil))
	assert.Equal(t, spread{1, 4, 4, 4}, newSpread(map[int]float64{7: 4}))
	assert.Equal(t, spread{3, 2, 1, 9}, newSpread(map[int]float64{0: 9, 1: 1, 2: 2}))
	assert.Equal(t, spread{4, 2.5, 1, 9}, newSpread(map[int]float64{0: 9, 1: 1, 2: 2, 3: 3}))
	assert.Equal(t, spread{3, 2, 1, 9}, spread{3, 2000, 1000, 9000}.scaled(1000))
}

// cpuSamples are the processor times of a server in row "r", round by round; a negative one is a round that failed.
func cpuSamples(server string, values ...float64) []sample {
	var samples []sample
	for round, value := range values {
		if value >= 0 {
			samples = append(samples, sample{"r", server, round, metricCPU, value})
		}
	}
	return samples
}

func joined(lists ...[]sample) *results {
	r := &results{}
	for _, list := range lists {
		r.Samples = append(r.Samples, list...)
	}
	return r
}

func TestRatiosAreOfOneRoundEach(t *testing.T) {
	r := joined(cpuSamples("ours", 10, 40, 30), cpuSamples("peer", 20, 20, 60))
	assert.Equal(t, spread{3, 0.5, 0.5, 2}, r.ratioOf("r", "ours", "peer", metricCPU))
	assert.Equal(t, spread{3, -1, -3, 2}, r.differenceOf("r", "ours", "peer", metricCPU, 10))
}

func TestRoundsWithAFailureHaveNoRatio(t *testing.T) {
	r := joined(cpuSamples("ours", 10, -1, 30), cpuSamples("peer", 20, 20, -1))
	assert.Equal(t, spread{1, 0.5, 0.5, 0.5}, r.ratioOf("r", "ours", "peer", metricCPU))
	assert.Zero(t, r.ratioOf("r", "ours", "nobody", metricCPU))
	assert.Zero(t, r.differenceOf("r", "ours", "nobody", metricCPU, 1))
	assert.Zero(t, r.ratioOf("r", "ours", "peer", metricSpeed))
	assert.Zero(t, r.ratioOf("another", "ours", "peer", metricCPU))
}

func TestTheBestHasTheLeastMedian(t *testing.T) {
	r := joined(cpuSamples("lucky once", 1, 30, 30), cpuSamples("steady", 20, 20, 20))
	assert.Equal(t, "steady", r.best("r", []string{"failed", "lucky once", "steady"}, metricCPU))
	assert.Empty(t, r.best("r", []string{"failed"}, metricCPU))
}

func TestRateIsHalfTheThroughputInMessagesSent(t *testing.T) {
	assert.Equal(t, 500.0, rateFor(1000, 1))
	assert.Equal(t, 5.0, rateFor(1000, 100))
	assert.Equal(t, 1.0, rateFor(3, 1000), "0 would be a closed loop")
}
