//go:build !amd64 && !arm64

package prefetch

// Lines and Blocks know no such instruction here.
func Lines(at []uintptr)  {}
func Blocks(at []uintptr) {}
