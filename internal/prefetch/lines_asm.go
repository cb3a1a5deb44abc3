//go:build amd64 || arm64

package prefetch

// Lines asks for the line at each address.
//
//go:noescape
func Lines(at []uintptr)

// Blocks asks for the line at each address and for the next ones, BlockLines in all.
//
//go:noescape
func Blocks(at []uintptr)
