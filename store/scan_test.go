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
