package main

import (
	"fmt"
	"os"
)

// problems is a logger for gnet that tells problems only, on standard error: standard output is for the port.
type problems struct{}

func (problems) Debugf(string, ...any) {}
func (problems) Infof(string, ...any)  {}
func (problems) Warnf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "gopeer: "+format+"\n", args...)
}
func (p problems) Errorf(format string, args ...any) {
	p.Warnf(format, args...)
}
func (p problems) Fatalf(format string, args ...any) {
	p.Warnf(format, args...)
	os.Exit(1)
}
