package serverrun

import (
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// Of lines with the same message, so many are logged in a second; of further ones every hundredth. Counters count them
// all.
const (
	sampleTick  = time.Second
	sampleFirst = 100
	sampleRest  = 100
)

// newLogger logs to file, for people or, one JSON object a line, for programs. Nothing waits for the file, so the queue
// has to be closed at the end.
func newLogger(file *os.File, format string, level zapcore.LevelEnabler) (*zap.Logger, *logQueue) {
	if format == "auto" {
		format = "json"
		if term.IsTerminal(int(file.Fd())) {
			format = "console"
		}
	}
	var encoder zapcore.Encoder
	if format == "console" {
		config := zap.NewDevelopmentEncoderConfig()
		encoder = zapcore.NewConsoleEncoder(config)
	} else {
		config := zap.NewProductionEncoderConfig()
		config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		encoder = zapcore.NewJSONEncoder(config)
	}
	queue := newLogQueue(file, droppedNotice(encoder))
	core := zapcore.NewSamplerWithOptions(zapcore.NewCore(encoder, queue, level), sampleTick, sampleFirst, sampleRest,
		zapcore.SamplerHook(func(_ zapcore.Entry, decision zapcore.SamplingDecision) {
			if decision&zapcore.LogDropped != 0 {
				queue.sampled.Add(1)
			}
		}))
	return zap.New(core), queue
}

// droppedNotice makes the line that tells how many lines were dropped.
func droppedNotice(encoder zapcore.Encoder) func(dropped uint64) []byte {
	return func(dropped uint64) []byte {
		entry := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: "log lines dropped"}
		buffer, err := encoder.EncodeEntry(entry, []zapcore.Field{zap.Uint64("lines", dropped)})
		if err != nil {
			return nil
		}
		return buffer.Bytes()
	}
}
