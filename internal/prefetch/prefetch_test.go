package prefetch

import "testing"

// TestAnyAddress: no address makes a prefetch fail, and nothing is changed.
func TestAnyAddress(t *testing.T) {
	memory := make([]uint64, 64)
	for i := range memory {
		memory[i] = uint64(i)
	}
	at := []uintptr{0, 1, 63, ^uintptr(0), 1 << 47, 1 << 63, Address(&memory[0]), Address(&memory[63])}
	want := append([]uintptr(nil), at...)
	for n := range len(at) + 1 {
		Lines(at[:n])
		Blocks(at[:n])
	}
	for i, a := range at {
		if a != want[i] {
			t.Errorf("address %d became %#x", i, a)
		}
	}
	for i, v := range memory {
		if v != uint64(i) {
			t.Errorf("word %d became %d", i, v)
		}
	}
	if Address(&memory[1])-Address(&memory[0]) != 8 {
		t.Error("neighbours are not 8 bytes apart")
	}
}
