package store

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"shredder/store/layout"
)

// fillUp sets fresh keys from n on to values of size bytes until the shard is full, and
// returns the first key that found no room.
func fillUp(t *testing.T, s *Shard, n uint64, size int) uint64 {
	t.Helper()
	for ; ; n++ {
		v := make([]byte, size)
		binary.LittleEndian.PutUint64(v, n)
		if _, r := s.Set(IntKey(n), v, SetOptions{}, 1); r == Full {
			return n
		} else if r != OK {
			t.Fatal(r)
		}
	}
}

// TestThinnedRunsAreEmptied: deletions of half of the keys leave room for values of another size.
func TestThinnedRunsAreEmptied(t *testing.T) {
	t.Run("every second", func(t *testing.T) { thinOut(t, func(n uint64) bool { return n%2 == 0 }) })
	t.Run("at random", func(t *testing.T) { thinOut(t, func(n uint64) bool { return n*0x9e3779b97f4a7c15>>63 == 0 }) })
}

func thinOut(t *testing.T, goes func(key uint64) bool) {
	for _, sizes := range [][2]int{{100, 200}, {40, 3_000}, {64, 8_000}, {1_100, 60}, {8, 12_000}, {3_000, 20_000}} {
		s := open(t, Config{Quota: 8 << 20, Seed: 5})
		first := fillUp(t, s, 0, sizes[0])
		full := s.Stats()
		for i := range first {
			if goes(i) {
				if _, r := s.Delete(IntKey(i), 0, false, 1); r != OK {
					t.Fatal(r)
				}
			}
		}
		kept := s.Stats()
		last := fillUp(t, s, first, sizes[1])
		for range 1_000 { // what the writes did not do, Maintain goes on with
			if !s.Maintain(1, 32) {
				break
			}
		}
		last = fillUp(t, s, last, sizes[1])
		room, blocks := full.Used-full.Buckets*layout.BucketSize-kept.Allocated, s.Stats().Allocated-kept.Allocated
		if float64(blocks) < 0.8*float64(room) {
			t.Errorf("values of %d B after %d B: %d of %d bytes were used again", sizes[1], sizes[0], blocks, room)
		}
		for i := uint64(0); i < last; i++ {
			e, r := s.Get(IntKey(i), 1)
			if i < first && goes(i) {
				if r != Missing {
					t.Fatalf("key %d: %v after its deletion", i, r)
				}
				continue
			}
			if want := sizes[min(i/first, 1)]; r != OK || len(e.Value) != want || binary.LittleEndian.Uint64(e.Value) != i {
				t.Fatalf("key %d: %v, %d bytes", i, r, len(e.Value))
			}
		}
	}
}

// TestCompactionMovesBucketsToo drives tables with long chains, for a small index, and
// entries of all sizes through deletions and Maintain, against a map.
func TestCompactionMovesBucketsToo(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	s := open(t, Config{Quota: 1 << 20, Seed: 9})
	model := map[uint64][]byte{}
	emptied := 0
	for round := range 60 {
		for range 2_000 {
			k := rng.Uint64N(20_000)
			v := bytes.Repeat([]byte{byte(k), byte(round)}, rng.IntN(1+rng.IntN(120)))
			if _, r := s.Set(IntKey(k), v, SetOptions{}, 1); r == OK {
				model[k] = v
			} else if r != Full {
				t.Fatal(r)
			}
		}
		for k := range model {
			if rng.IntN(2) == 0 {
				s.Delete(IntKey(k), 0, false, 1)
				delete(model, k)
			}
		}
		s.starved = true
		for s.compact(1 << 20) {
			emptied++
		}
		if s.Len() != len(model) || s.Corrupted() {
			t.Fatalf("round %d: %d entries, want %d, damaged: %v", round, s.Len(), len(model), s.Corrupted())
		}
		for k, v := range model {
			if e, r := s.Get(IntKey(k), 1); r != OK || !bytes.Equal(e.Value, v) {
				t.Fatalf("round %d, key %d: %v, %d bytes, want %d", round, k, r, len(e.Value), len(v))
			}
		}
	}
	if emptied < 100 {
		t.Errorf("only %d runs were emptied", emptied)
	}
	s.Flush()
	if u := s.Stats(); u.Blocks != 0 || u.Allocated != 0 {
		t.Errorf("after a flush %d blocks, %d bytes", u.Blocks, u.Allocated)
	}
}

// TestBorrowedBytesStay: a write whose value lies in the arena moves nothing.
func TestBorrowedBytesStay(t *testing.T) {
	s := open(t, Config{Quota: 1 << 20, Seed: 5})
	n := fillUp(t, s, 0, 100)
	for i := uint64(0); i < n; i += 2 {
		s.Delete(IntKey(i), 0, false, 1)
	}
	n = fillUp(t, s, n, 8_000)
	e, r := s.Get(IntKey(n-1), 1)
	if r != OK {
		t.Fatal(r)
	}
	want := bytes.Clone(e.Value)
	s.Set(IntKey(1<<40), e.Value, SetOptions{}, 1)
	if !bytes.Equal(e.Value, want) {
		t.Error("the value moved while it was read")
	}
}
