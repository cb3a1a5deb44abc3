package store

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestSpots: a spot gives what a lookup gives, however old it is, and a write by
// a spot does what a write does.
func TestSpots(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		s := open(t, Config{Quota: 1 << 20, Seed: seed + 1})
		type seen struct {
			k  Key
			at Spot
		}
		var spots []seen
		used, version := 0, uint64(0)
		for i := range 4_000 {
			now := int64(i)
			_, k := randomKey(rng)
			at, _ := s.FindSpot(s.Hash(k))
			spots = append(spots, seen{k, at})
			x := spots[len(spots)-1-rng.IntN(min(len(spots), 1<<rng.IntN(13)))]
			want, wantRes := s.Get(x.k, now)
			got, res := s.GetAt(x.at, s.Hash(x.k), x.k, now)
			if res != wantRes || got.Version != want.Version || got.ExpireMillis != want.ExpireMillis || !bytes.Equal(got.Value, want.Value) {
				t.Fatalf("seed %d, step %d: a spot gives %v %v, a lookup %v %v", seed, i, got, res, want, wantRes)
			}
			if e, _ := s.spotted(x.at, x.k); e != nil {
				used++
			}
			switch rng.IntN(8) {
			case 0:
				s.Delete(k, 0, false, now)
			case 1:
				s.Expire(k, now+50, now)
			case 2:
				s.Maintain(now, 10)
			case 3:
				if i%500 == 0 {
					s.Flush()
				}
			default:
				v := randomBytes(rng)
				if rng.IntN(2) == 0 && wantRes == OK {
					v = bytes.Repeat([]byte{byte(i)}, len(want.Value))
				}
				got, res := s.SetAt(x.at, s.Hash(x.k), x.k, v, now)
				if res != OK && res != Full || res == OK && got != version+1 {
					t.Fatalf("seed %d, step %d: %v, version %d after %d", seed, i, res, got, version)
				}
				if e, r := s.Get(x.k, now); res == OK && (r != OK || e.Version != got || e.ExpireMillis != 0 || !bytes.Equal(e.Value, v)) {
					t.Fatalf("seed %d, step %d: written %x, read %v %v", seed, i, v, e, r)
				}
			}
			version = s.Version()
			checkCounts(t, s)
		}
		if used == 0 {
			t.Errorf("seed %d: no spot held", seed)
		}
	}
}

// checkCounts compares the counts that operations keep with what the table holds.
func checkCounts(t *testing.T, s *Shard) {
	t.Helper()
	entries, expiring := uint64(0), uint64(0)
	size := uint64(0)
	for cursor := uint64(0); ; {
		var res Result
		cursor, res = s.Scan(cursor, 1<<20, -1<<62, func(k Key, e Entry) bool {
			entries++
			if e.ExpireMillis != 0 {
				expiring++
			}
			size += uint64(keyRoom(k)) + uint64(len(e.Value))
			return true
		})
		if res != OK {
			t.Fatal(res)
		}
		if cursor == 0 {
			break
		}
	}
	if entries != s.count || expiring != s.expiring || size != s.valueSize {
		t.Fatalf("%d entries, %d expiring, %d bytes; counted %d, %d, %d", entries, expiring, size, s.count, s.expiring, s.valueSize)
	}
}
