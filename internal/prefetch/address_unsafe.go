package prefetch

import "unsafe"

// Address is where v stands.
func Address[T any](v *T) uintptr { return uintptr(unsafe.Pointer(v)) }
