package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

const usualWidth = 80 // columns, where the terminal does not tell

// terminal is the person's: a keyboard and a screen, raw as long as it is open.
type terminal struct {
	*lineEditor
	keyboard *os.File
	restore  func()
}

// openTerminal takes the terminal over if both streams are one that can be drawn on; otherwise it returns nil.
func openTerminal(stdin *os.File, stdout io.Writer, interrupted func()) *terminal {
	screen, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(int(stdin.Fd())) || !term.IsTerminal(int(screen.Fd())) {
		return nil
	}
	restoreScreen, err := prepareScreen(screen)
	if err != nil {
		return nil
	}
	before, err := term.MakeRaw(int(stdin.Fd()))
	if err != nil {
		restoreScreen()
		return nil
	}
	width := func() int {
		columns, _, err := term.GetSize(int(screen.Fd()))
		if err != nil || columns < 1 {
			return usualWidth
		}
		return columns
	}
	return &terminal{newLineEditor(screen, width, interrupted), stdin, func() {
		_ = term.Restore(int(stdin.Fd()), before)
		restoreScreen()
	}}
}

// close gives the terminal back as it was.
func (t *terminal) close() {
	t.end()
	t.restore()
}

// covers reports whether what is written to this stream would appear on a terminal, too.
func covers(stream io.Writer) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
