package main

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// maxLine bounds a line of input: far more than any command needs.
const maxLine = 1 << 16

// readLines sends the lines of the input, without their ends, until the input ends or done is closed. The last value
// of errs, sent when lines is closed, is nil at the end of the input.
func readLines(input io.Reader, lines chan<- string, errs chan<- error, done <-chan struct{}) {
	defer close(lines)
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, maxLine)
	first := true
	for scanner.Scan() {
		line := strings.TrimSuffix(scanner.Text(), "\r")
		if first { // Windows programs like to begin a text with a byte order mark
			line = strings.TrimPrefix(line, "\ufeff")
			first = false
		}
		select {
		case lines <- line:
		case <-done:
			return
		}
	}
	err := scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = errors.New("a line of the input is too long")
	}
	errs <- err // has room
}
