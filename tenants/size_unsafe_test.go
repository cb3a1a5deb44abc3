package tenants

import (
	"testing"
	"unsafe"
)

// TestHotLine: what a request writes of a Local is one cache line, behind the
// allocator's own header of 8 bytes.
func TestHotLine(t *testing.T) {
	heap := make([]*Local, 100)
	for i := range heap {
		heap[i] = new(Local)
		if at := heap[i].HotLine(); at%64 != 0 {
			t.Fatalf("the line begins at %#x: put nextTouched where it is at a multiple of 64", at)
		}
	}
	var l Local
	if end := unsafe.Offsetof(l.Counters) + unsafe.Sizeof(l.Counters[0])*uintptr(CounterBytesWritten+1); end-unsafe.Offsetof(l.nextTouched) != 64 {
		t.Errorf("link and first counters take %d bytes", end-unsafe.Offsetof(l.nextTouched))
	}
}
