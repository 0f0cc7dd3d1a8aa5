package soak

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/latency"
	"iocpnetlib/cmd/internal/processusage"
)

// scratchFile is the path of a file that is removed at the end of the test: t.TempDir uses calls that Wine 8 does not
// know.
func scratchFile(t *testing.T) string {
	t.Helper()
	file, err := os.CreateTemp("", "soak-test")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	t.Cleanup(func() { assert.NoError(t, os.Remove(file.Name())) })
	return file.Name()
}

func someRecords() []record {
	records := []record{{Time: time.Second}} // of a system that does not tell what a process uses
	for second := 2; second <= 30; second++ {
		r := record{Time: time.Duration(second) * time.Second, CPU: 0.25, Chats: int64(second), Churned: 2, SlowClosed: 3,
			Flooded: 4, Usage: processusage.Usage{Available: true, Memory: 20 << 20, Handles: 210, Threads: 9}}
		if second%10 == 0 {
			r.Latency = latency.Quantiles{Count: 4000, P50: time.Millisecond, P99: 2 * time.Millisecond,
				P999: 3 * time.Millisecond, Max: 4 * time.Millisecond}
			r.Lag = time.Millisecond
		}
		records = append(records, r)
	}
	return records
}

func TestRecordsComeBackFromTheirFile(t *testing.T) {
	path := scratchFile(t)
	writer, err := newRecordWriter(path)
	require.NoError(t, err)
	records := someRecords()
	for i := range records {
		require.NoError(t, writer.write(&records[i]))
	}
	require.NoError(t, writer.close())
	got, err := readRecords(path)
	require.NoError(t, err)
	assert.Equal(t, records, got)
}

func TestAFileThatIsNoneOfASoak(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "another table": "a,b\n1,2\n", "no rows": "a,b\n"} {
		t.Run(name, func(t *testing.T) {
			path := scratchFile(t)
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			_, err := readRecords(path)
			assert.ErrorContains(t, err, path)
		})
	}
}

// The picture is well-formed, and says what it shows and in which units.
func TestThePicture(t *testing.T) {
	path := scratchFile(t)
	require.NoError(t, Draw(someRecords(), path))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	decoder := xml.NewDecoder(bytes.NewReader(content))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	for _, text := range []string{"memory (MiB)", "open handles", "threads", "latency (ms)", "p99", "time (s)"} {
		assert.Contains(t, string(content), text)
	}
	require.NoError(t, Draw(someRecords()[:1], path), "nothing is available")
}

func TestMedianAndSpread(t *testing.T) {
	assert.Equal(t, 2.0, median([]float64{3, 1, 2}))
	assert.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	assert.Zero(t, median(nil))
	assert.Equal(t, "2.00 (1.00..9.00)", spread([]float64{9, 1, 2}))
}
