package store

import "unsafe"

// within tells whether b begins in mem.
func within(mem, b []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	return len(b) > 0 && at < uintptr(len(mem))
}
