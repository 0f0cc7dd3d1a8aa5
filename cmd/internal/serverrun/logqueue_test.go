package serverrun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func textNotice(dropped uint64) []byte { return fmt.Appendf(nil, "dropped %d\n", dropped) }

// stuckWriter takes nothing until the test lets it.
type stuckWriter struct {
	bytes.Buffer
	entered chan struct{} // a value for the first write
	release chan struct{}
}

func newStuckWriter() *stuckWriter {
	return &stuckWriter{entered: make(chan struct{}, 1), release: make(chan struct{})}
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	select {
	case w.entered <- struct{}{}:
	default:
	}
	<-w.release
	return w.Buffer.Write(p)
}

func TestTheLogQueueWritesEverythingBeforeItCloses(t *testing.T) {
	var to, want bytes.Buffer
	queue := newLogQueue(&to, textNotice)
	line := make([]byte, 0, 20)
	for i := range maxQueuedLines {
		line = fmt.Appendf(line[:0], "line %d\n", i) // always the same memory, as zap does
		want.Write(line)
		n, err := queue.Write(line)
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	require.True(t, queue.Close(patience))
	require.True(t, queue.Close(patience), "twice is fine")
	assert.Equal(t, want.String(), to.String())
}

func TestTheLogQueueDropsLinesWhenNobodyReads(t *testing.T) {
	to := newStuckWriter()
	queue := newLogQueue(to, textNotice)
	_, _ = queue.Write([]byte("first\n"))
	<-to.entered // so that it is no longer in the queue
	for range maxQueuedLines + 7 {
		_, err := queue.Write([]byte("line\n"))
		require.NoError(t, err)
	}
	require.False(t, queue.Close(0), "there is something to write")
	close(to.release)
	require.True(t, queue.Close(patience))
	assert.Equal(t, "first\n"+strings.Repeat("line\n", maxQueuedLines)+"dropped 7\n", to.String())
}

// failingWriter fails as often as it is told to.
type failingWriter struct {
	bytes.Buffer
	failures int
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.failures > 0 {
		w.failures--
		return 0, errors.New("broken pipe")
	}
	return w.Buffer.Write(p)
}

func TestTheLogQueueDropsLinesThatCannotBeWritten(t *testing.T) {
	to := &failingWriter{failures: 2}
	queue := newLogQueue(to, textNotice)
	for i := range 3 {
		_, err := fmt.Fprintf(queue, "line %d\n", i)
		require.NoError(t, err)
	}
	require.True(t, queue.Close(patience))
	assert.Equal(t, "line 2\ndropped 2\n", to.String())
}

func TestTheNoticeOfDroppedLines(t *testing.T) {
	config := zap.NewProductionEncoderConfig()
	config.TimeKey = ""
	notice := droppedNotice(zapcore.NewJSONEncoder(config))
	assert.Equal(t, `{"level":"warn","msg":"log lines dropped","lines":12}`+"\n", string(notice(12)))
}

func TestManyLinesThatSayTheSame(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	logger, queue := newLogger(writer, &Options{LogFormat: "console", LogSampling: "on"}, zapcore.InfoLevel)
	lines := make(chan int)
	go func() {
		content, _ := io.ReadAll(reader)
		lines <- bytes.Count(content, []byte("\n"))
	}()
	const count = 1000
	for i := range count {
		logger.Warn(fmt.Sprintf("connection %d from 127.0.0.1:%d ends", i, 40000+i))
		logger.With(zap.Int("i", i)).Debug("not this")
	}
	logger.Error("something else")
	require.True(t, queue.Close(patience))
	require.NoError(t, writer.Close())
	dropped, sampled := queue.leftOut()
	assert.Zero(t, dropped)
	assert.NotZero(t, sampled)
	assert.EqualValues(t, count+1, uint64(<-lines)+sampled)
	require.NoError(t, reader.Close())
}

func TestWithoutNumbers(t *testing.T) {
	assert.Equal(t, "connection # from # ends: done", withoutNumbers("connection 12 from 127.0.0.1:80 ends: done"))
	assert.Equal(t, "안녕 #", withoutNumbers("안녕 7"))
}
