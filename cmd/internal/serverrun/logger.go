package serverrun

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// newLogger logs to file: for people if it is a terminal, otherwise one JSON object a line for programs.
func newLogger(file *os.File, level zapcore.Level) *zap.Logger {
	var encoder zapcore.Encoder
	if term.IsTerminal(int(file.Fd())) {
		config := zap.NewDevelopmentEncoderConfig()
		encoder = zapcore.NewConsoleEncoder(config)
	} else {
		config := zap.NewProductionEncoderConfig()
		config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		encoder = zapcore.NewJSONEncoder(config)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(file), level))
}
