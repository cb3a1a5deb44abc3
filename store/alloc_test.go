package store

import (
	"testing"

	"shredder/internal/invariant"
)

// TestNoAllocations: nothing on the path of a request makes garbage, once the books
// of allocator and overlay have grown to what the tenant needs.
func TestNoAllocations(t *testing.T) {
	if invariant.Enabled {
		t.Log("the checks allocate: only misuse of the table is tried")
	}
	s := loaded(t, 5_000, 128)
	defer s.Close()
	o := s.Overlay()
	small, large := make([]byte, 100), make([]byte, 20_000)
	text := BytesKey([]byte("user:1001"))
	s.Set(text, small, SetOptions{}, 1)
	s.Set(IntKey(9_000_001), []byte("41"), SetOptions{}, 1)
	n := uint64(0)
	visit := func(Key, Entry) bool { return true }
	overlay := func() {
		n++
		o.Begin(1, OverlayLimits{})
		for i := range uint64(50) {
			k := IntKey((n*50 + i) % 6_000)
			o.Get(k)
			o.Set(k, small, SetOptions{})
			o.Get(k)
			o.Set(k, large[:200], SetOptions{})
		}
		o.Delete(IntKey(n%5_000), 0, false)
		o.Incr(IntKey(9_000_001), 1)
		o.Swap(text, small, small)
		o.Expire(text, 0)
		o.Scan(0, 20, visit)
	}
	for range 400 {
		overlay()
		o.Commit()
	}
	for name, f := range map[string]func(){
		"Get of an integer key": func() { n++; s.Get(IntKey(n%5_000), 1) },
		"Get of a byte key":     func() { s.Get(text, 1) },
		"Get of nothing":        func() { s.Get(IntKey(77_777_777), 1) },
		"BytesKey":              func() { s.Get(BytesKey(small[:20]), 1) },
		"FindSpot":              func() { s.BucketLine(n); s.FindSpot(n) },
		"Set in place":          func() { n++; s.Set(IntKey(n%5_000), small, SetOptions{}, 1) },
		"Set and Delete": func() {
			n++
			s.Set(IntKey(1_000_000+n), small, SetOptions{}, 1)
			s.Delete(IntKey(1_000_000+n), 0, false, 1)
		},
		"Set and Delete of a large value": func() {
			s.Set(IntKey(1_000_000), large, SetOptions{}, 1)
			s.Delete(IntKey(1_000_000), 0, false, 1)
		},
		"Incr":   func() { s.Incr(IntKey(9_000_001), 1, 1) },
		"Swap":   func() { s.Swap(text, small, small, 1) },
		"Expire": func() { s.Expire(text, 0, 1) },
		"Scan":   func() { s.Scan(0, 100, 1, visit) },
		"Reserve and SetBlock": func() {
			b, _ := s.Reserve(10_000)
			if _, r := s.SetBlock(text, b, SetOptions{}, 1); r != OK {
				t.Error(r)
			}
		},
		"Reserve and Release": func() { b, _ := s.Reserve(10_000); s.Release(b) },
		"Maintain":            func() { s.Maintain(1, 8) },
		"overlay and Commit":  func() { overlay(); o.Commit() },
		"overlay and Discard": func() { overlay(); o.Discard() },
		"Stats":               func() { s.Stats() },
	} {
		for range 50 {
			f()
		}
		if got := testing.AllocsPerRun(200, f); got != 0 && !invariant.Enabled {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}
