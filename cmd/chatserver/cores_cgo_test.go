//go:build cgo

package main

// nativeCore: a build with cgo runs on the native core, and one that cannot load it is broken.
const nativeCore = true
