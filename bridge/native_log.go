//go:build cgo

package bridge

// #include <stdint.h>
import "C"

import (
	"unsafe"

	"github.com/mattn/go-pointer"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapLevels maps NetLib_LogLevel to zap: trace and debug, info, warn, error, fatal. The last is no zap.FatalLevel: a
// core does not end the program.
var zapLevels = [...]zapcore.Level{
	zapcore.DebugLevel, zapcore.DebugLevel, zapcore.InfoLevel, zapcore.WarnLevel, zapcore.ErrorLevel,
	zapcore.ErrorLevel,
}

// nativeLogLevel is the NetLib_LogLevel below which logger drops lines, so that the core does not make them.
func nativeLogLevel(logger *zap.Logger) int {
	for level := 1; level < len(zapLevels); level++ {
		if logger.Core().Enabled(zapLevels[level]) {
			return level
		}
	}
	return len(zapLevels) - 1
}

// NativeLibrary_Log is the log callback of every native core; see native_library.h.
//
//export NativeLibrary_Log
func NativeLibrary_Log(user unsafe.Pointer, level C.int32_t, connection C.uint64_t, text *C.char, length C.uint32_t) {
	logger, ok := pointer.Restore(user).(*zap.Logger)
	if !ok {
		return
	}
	index := min(max(int(level), 0), len(zapLevels)-1)
	entry := logger.Check(zapLevels[index], C.GoStringN(text, C.int(length)))
	switch {
	case entry == nil:
	case connection != 0:
		entry.Write(zap.Uint64("connection", uint64(connection)))
	default:
		entry.Write()
	}
}
