package store

import "testing"

// TestFullTenantsFunctionsCanDelete: a function in a full arena makes room for itself.
func TestFullTenantsFunctionsCanDelete(t *testing.T) {
	s, err := Open(Config{Quota: 1 << 20, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := uint64(0)
	for ; ; n++ {
		if _, r := s.Set(IntKey(n), make([]byte, 500), SetOptions{}, 1); r == Full {
			break
		} else if r != OK {
			t.Fatal(r)
		}
	}
	o := s.Overlay()
	o.Begin(1, OverlayLimits{})
	for i := range n / 2 {
		if _, r := o.Delete(IntKey(i), 0, false); r != OK {
			t.Fatalf("deletion of key %d of %d in a full arena: %v", i, n, r)
		}
	}
	if r := o.Commit(); r != OK {
		t.Fatalf("commit: %v", r)
	}
	if got := s.Len(); uint64(got) != n-n/2 {
		t.Fatalf("%d keys left of %d", got, n)
	}
	if _, r := s.Set(IntKey(n), make([]byte, 500), SetOptions{}, 1); r != OK {
		t.Fatalf("a write into the room that was made: %v", r)
	}
}
