package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestRefusalLog(t *testing.T) {
	var r refusalLog
	now := time.Now()
	assert.EqualValues(t, 1, r.add(now), "the first one is told of at once")
	for range 3 {
		assert.Zero(t, r.add(now.Add(refusalLogPeriod-1)))
	}
	assert.EqualValues(t, 4, r.add(now.Add(refusalLogPeriod)))
	assert.Zero(t, r.add(now.Add(refusalLogPeriod+1)))
	assert.EqualValues(t, 1, r.rest())
	assert.Zero(t, r.rest())
}

// Every refused connection is told of, at the latest when the server stops.
func TestGoCoreLogsRefusals(t *testing.T) {
	observed, logs := observer.New(zapcore.WarnLevel)
	s := &subject{t: t, core: NewGoCore(zap.New(observed))}
	config := testConfig()
	config.MaxConnections = 1
	s.start(config)
	defer func() { assert.NoError(t, s.core.Close()) }()
	s.connected()
	const refused = 5
	for range refused {
		c, err := s.connect(t, "127.0.0.1", s.port())
		require.NoError(t, err)
		defer c.close()
	}
	s.eventually("all are refused", func(stats Stats) bool { return stats.ConnectionsRefused == refused })
	require.NoError(t, s.core.Stop(0))
	var sum uint64
	for i, line := range logs.All() {
		fields := line.ContextMap()
		if i == 0 {
			assert.Equal(t, "1 connections refused: all 1 places are taken", line.Message)
		}
		assert.EqualValues(t, 1, fields["max_connections"])
		sum += fields["refused"].(uint64)
	}
	assert.EqualValues(t, refused, sum)
}
