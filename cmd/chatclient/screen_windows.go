package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// prepareScreen lets a console understand escape sequences, which a Windows console does only when asked to.
func prepareScreen(screen *os.File) (restore func(), err error) {
	console := windows.Handle(screen.Fd())
	var before uint32
	if err := windows.GetConsoleMode(console, &before); err != nil {
		return nil, err
	}
	mode := before | windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	if err := windows.SetConsoleMode(console, mode); err != nil {
		return nil, err
	}
	return func() { _ = windows.SetConsoleMode(console, before) }, nil
}
