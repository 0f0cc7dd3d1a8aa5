//go:build !cgo

package bridge

import "go.uber.org/zap"

const nativeSupported = false

func openNative(path string, _ *zap.Logger) (Core, error) {
	return nil, &LibraryError{Searched: []string{path},
		Reason: "this program was built with CGO_ENABLED=0",
		Hint:   "rebuild this program with CGO_ENABLED=1, or use --core go"}
}
