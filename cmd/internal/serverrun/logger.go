package serverrun

import (
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// newLogger logs to file: for people if it is a terminal, otherwise one JSON object a line for programs. Nothing waits
// for the file, so the queue has to be closed at the end.
func newLogger(file *os.File, level zapcore.Level) (*zap.Logger, *logQueue) {
	var encoder zapcore.Encoder
	if term.IsTerminal(int(file.Fd())) {
		config := zap.NewDevelopmentEncoderConfig()
		encoder = zapcore.NewConsoleEncoder(config)
	} else {
		config := zap.NewProductionEncoderConfig()
		config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		encoder = zapcore.NewJSONEncoder(config)
	}
	queue := newLogQueue(file, droppedNotice(encoder))
	return zap.New(zapcore.NewCore(encoder, queue, level)), queue
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
