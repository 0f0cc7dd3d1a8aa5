package bridge

import "go.uber.org/zap"

// Names for Open.
const (
	CoreAuto = "auto" // the native core, from where the build puts it; the pure-Go core where cgo is off
	CoreGo   = "go"   // the core in pure Go
)

// Open makes the core that name asks for: CoreAuto, CoreGo, or the path of a native core's library. The core is
// stopped; its log lines go to logger, which may be nil for none. The error of a native core that is missing or wrong says where it was looked
// for and which command builds it.
func Open(name string, logger *zap.Logger) (Core, error) {
	if logger == nil {
		logger = zap.NewNop()
	}
	switch name {
	case CoreGo:
		return NewGoCore(logger), nil
	case CoreAuto, "":
		if !nativeSupported {
			return NewGoCore(logger), nil
		}
		path, err := findLibrary()
		if err != nil {
			return nil, err
		}
		return openNative(path, logger)
	default:
		return openNative(name, logger)
	}
}
