//go:build !windows

package main

import "os"

// prepareScreen has nothing to do: terminals understand escape sequences.
func prepareScreen(*os.File) (restore func(), err error) { return func() {}, nil }
