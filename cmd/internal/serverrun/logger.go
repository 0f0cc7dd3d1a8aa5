package serverrun

import (
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// newLogger logs to file, for people or, one JSON object a line, for programs. Nothing waits for the file, so the queue
// has to be closed at the end.
func newLogger(file *os.File, options *Options, level zapcore.LevelEnabler) (*zap.Logger, *logQueue) {
	format := options.LogFormat
	if format == "auto" {
		format = "json"
		if term.IsTerminal(int(file.Fd())) {
			format = "console"
		}
	}
	var encoder zapcore.Encoder
	if format == "console" {
		config := zap.NewDevelopmentEncoderConfig()
		config.EncodeTime = zapcore.TimeEncoderOfLayout("2006-01-02 15:04:05.000")
		config.ConsoleSeparator = "  "
		if term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" {
			config.EncodeLevel = zapcore.CapitalColorLevelEncoder
		}
		encoder = zapcore.NewConsoleEncoder(config)
	} else {
		config := zap.NewProductionEncoderConfig()
		config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		encoder = zapcore.NewJSONEncoder(config)
	}
	queue := newLogQueue(file, droppedNotice(encoder))
	core := zapcore.NewCore(encoder, queue, level)
	if options.LogSampling == "on" {
		core = newSampler(core, func() { queue.sampled.Add(1) })
	}
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
