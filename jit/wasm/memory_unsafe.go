package wasm

import "unsafe"

// refOf is where bytes of the arena begin in it; 0 for none. b comes from the
// shard, so it lies in the arena.
func (i *Instance) refOf(b []byte) uint32 {
	if cap(b) == 0 && len(b) == 0 {
		return i.emptyRef
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(i.mem))))
}
