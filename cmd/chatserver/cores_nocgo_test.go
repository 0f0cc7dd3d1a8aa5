//go:build !cgo

package main

// nativeCore: without cgo there is the core in pure Go only.
const nativeCore = false
