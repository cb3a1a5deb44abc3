package store

import "testing"

// TestScanIsBounded: what a scan finds empty or expired counts as well, so that
// one call stays short in a table whose entries have gone.
func TestScanIsBounded(t *testing.T) {
	const entries, limit = 20_000, 10
	for name, expire := range map[string]int64{"expired": 10, "deleted": 0} {
		s, err := Open(Config{Quota: 64 << 20, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(entries) {
			if _, r := s.Set(IntKey(i), nil, SetOptions{ExpireMillis: expire}, 1); r != OK {
				t.Fatal(r)
			}
			if expire == 0 {
				s.Delete(IntKey(i), 0, false, 1)
			}
		}
		calls := uint64(0)
		for cursor := uint64(0); ; {
			var r Result
			cursor, r = s.Scan(cursor, limit, 100, func(k Key, _ Entry) bool { t.Errorf("%s: key %v is there", name, k); return true })
			if calls++; r != OK || cursor == 0 {
				break
			}
		}
		if least := s.Stats().Buckets / (5*limit + 64 + 1); calls < least {
			t.Errorf("%s: %d calls for %d buckets, want at least %d", name, calls, s.Stats().Buckets, least)
		}
		if least := s.Stats().Entries * 4 / (10*limit + 128); calls < least {
			t.Errorf("%s: %d calls for %d expired entries, want at least %d", name, calls, s.Stats().Entries, least)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestScanOfOverlayIsBounded: each leaf looks through the overlay's writes, and
// that counts too. Nothing is left out.
func TestScanOfOverlayIsBounded(t *testing.T) {
	const entries, writes, limit = 20_000, 1000, 1000
	s, err := Open(Config{Quota: 64 << 20, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range uint64(entries) {
		s.Set(IntKey(i), nil, SetOptions{ExpireMillis: 10}, 1)
	}
	o := s.Overlay()
	o.Begin(100, OverlayLimits{})
	for i := range uint64(writes) {
		if _, r := o.Set(IntKey(1<<40+i), nil, SetOptions{}); r != OK {
			t.Fatal(r)
		}
	}
	seen, calls := map[uint64]bool{}, uint64(0)
	for cursor := uint64(0); calls == 0 || cursor != 0; calls++ {
		var r Result
		if cursor, r = o.Scan(cursor, limit, func(k Key, _ Entry) bool { seen[k.Int] = true; return true }); r != OK {
			t.Fatal(r)
		}
	}
	if len(seen) != writes {
		t.Errorf("%d keys seen, want %d", len(seen), writes)
	}
	if least := s.Stats().Buckets / ((5*limit+64)/(writes/8) + 1); calls < least {
		t.Errorf("%d calls for %d buckets, want at least %d", calls, s.Stats().Buckets, least)
	}
	o.Discard()
}
