package bridge

// EnableMiniDump makes an unhandled fault in core's native code write a file to folder before the Go runtime reports
// it: a minidump on Windows, a text with registers and a backtrace on Linux. It holds for the whole process until it
// ends; called again it changes the folder. The folder is made when there is something to write; whether that works is
// what the error tells. A panic in Go, a nil dereference too, stays what it is and writes nothing. Any goroutine.
//
// A core in pure Go has no native code that could crash: nothing happens, and there is no error.
func EnableMiniDump(core Core, folder string) error {
	if native, ok := core.(interface{ enableMiniDump(folder string) error }); ok {
		return native.enableMiniDump(folder)
	}
	return nil
}
