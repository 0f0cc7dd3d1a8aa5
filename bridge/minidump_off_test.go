//go:build !cgo

package bridge

// Without cgo there is no native code that could crash.
const crashVariable = ""

func runCrashChild(string, string) {}
