package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"shredder/store/arena"
	"shredder/store/layout"
)

func open(t testing.TB, cfg Config) *Shard {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestVersionsAreNeverReused holds for every way to get one, through Discard and Flush.
func TestVersionsAreNeverReused(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := open(t, Config{Quota: 4 << 20, Seed: 5})
	o := s.Overlay()
	given := map[uint64]bool{}
	see := func(v uint64, r Result) {
		t.Helper()
		if r != OK {
			return
		}
		if v == 0 || given[v] {
			t.Fatalf("version %d was given twice", v)
		}
		given[v] = true
	}
	for range 3_000 {
		_, k := randomKey(rng)
		switch rng.IntN(6) {
		case 0:
			_, v, r := s.Incr(k, 1, 1)
			see(v, r)
		case 1:
			if e, r := s.Get(k, 1); r == OK {
				see(s.Swap(k, bytes.Clone(e.Value), []byte("1"), 1))
			}
		case 2:
			if b, r := s.Reserve(100); r == OK {
				see(s.SetBlock(k, b, SetOptions{}, 1))
			}
		case 3:
			o.Begin(1, OverlayLimits{})
			for range 5 {
				_, k := randomKey(rng)
				see(o.Set(k, randomBytes(rng), SetOptions{}))
				_, v, r := o.Incr(k, 1)
				see(v, r)
				o.Delete(k, 0, false)
			}
			if rng.IntN(2) == 0 {
				o.Commit()
			} else {
				o.Discard()
			}
		case 4:
			if rng.IntN(20) == 0 {
				s.Flush()
			}
		default:
			see(s.Set(k, randomBytes(rng), SetOptions{}, 1))
		}
	}
}

// TestExpiryIsADeletion: at its moment a key is absent to every operation, before any
// sweep, and creating it anew starts from nothing.
func TestExpiryIsADeletion(t *testing.T) {
	s := open(t, Config{Quota: 1 << 20, Seed: 5})
	k := BytesKey([]byte("session"))
	with := SetOptions{ExpireMillis: 100}
	for name, f := range map[string]func() bool{
		"Get":    func() bool { _, r := s.Get(k, 100); return r == Missing },
		"Delete": func() bool { v, r := s.Delete(k, 0, false, 100); return r == Missing && v == 0 },
		"Swap":   func() bool { v, r := s.Swap(k, []byte("7"), []byte("8"), 100); return r == Missing && v == 0 },
		"Expire": func() bool { v, r := s.Expire(k, 900, 100); return r == Missing && v == 0 },
		"Incr": func() bool {
			n, _, r := s.Incr(k, 3, 100)
			e, _ := s.Get(k, 100)
			return r == OK && n == 3 && e.ExpireMillis == 0
		},
		"create": func() bool { _, r := s.Set(k, nil, SetOptions{HasIfVersion: true}, 100); return r == OK },
		"KeepExpire": func() bool {
			s.Set(k, nil, SetOptions{KeepExpire: true}, 100)
			e, r := s.Get(k, 1000)
			return r == OK && e.ExpireMillis == 0
		},
		"Scan": func() bool {
			n := 0
			s.Scan(0, 10, 100, func(Key, Entry) bool { n++; return true })
			return n == 0
		},
		"overlay": func() bool {
			o := s.Overlay()
			o.Begin(100, OverlayLimits{})
			defer o.Discard()
			_, r := o.Get(k)
			_, r2 := o.Delete(k, 0, false)
			return r == Missing && r2 == Missing
		},
		"sweep": func() bool {
			for range 100 {
				s.Maintain(100, 64)
			}
			return s.Len() == 0 && s.Stats().Expiring == 0 && s.Stats().Stored == 0
		},
	} {
		s.Delete(k, 0, false, 0)
		s.Set(k, []byte("7"), with, 1)
		if e, r := s.Get(k, 99); r != OK || string(e.Value) != "7" {
			t.Fatalf("%s: before its time: %v", name, r)
		}
		if !f() {
			t.Errorf("%s sees an expired key", name)
		}
	}
}

// TestInvalidKeys: what no key can be is refused by writes and absent to all else.
func TestInvalidKeys(t *testing.T) {
	s := open(t, Config{Quota: 1 << 20, Seed: 5})
	o := s.Overlay()
	o.Begin(1, OverlayLimits{})
	for _, k := range []Key{BytesKey(nil), BytesKey(make([]byte, MaxKeyLen+1)), BytesKey(make([]byte, 1<<17)), IntKey(MaxInt), IntKey(1<<64 - 1)} {
		s.BucketLine(s.Hash(k))
		s.FindSpot(s.Hash(k))
		_, get := s.Get(k, 1)
		_, del := s.Delete(k, 0, false, 1)
		_, swap := s.Swap(k, nil, nil, 1)
		_, expire := s.Expire(k, 1, 1)
		_, oGet := o.Get(k)
		_, oDel := o.Delete(k, 0, false)
		_, oSwap := o.Swap(k, nil, nil)
		_, oExpire := o.Expire(k, 1)
		for i, r := range []Result{get, del, swap, expire, oGet, oDel, oSwap, oExpire} {
			if r != Missing {
				t.Errorf("key of %d bytes, %d: operation %d: %v", len(k.Bytes), k.Int, i, r)
			}
		}
		_, set := s.Set(k, nil, SetOptions{}, 1)
		_, _, incr := s.Incr(k, 1, 1)
		b, _ := s.Reserve(10)
		_, setBlock := s.SetBlock(k, b, SetOptions{}, 1)
		s.Release(b)
		_, oSet := o.Set(k, nil, SetOptions{})
		_, _, oIncr := o.Incr(k, 1)
		for i, r := range []Result{set, incr, setBlock, oSet, oIncr} {
			if r != TooLarge {
				t.Errorf("key of %d bytes, %d: write %d: %v", len(k.Bytes), k.Int, i, r)
			}
		}
	}
	if r := o.Commit(); r != OK || s.Len() != 0 || s.Stats().Blocks != 0 {
		t.Errorf("%v %+v", r, s.Stats())
	}
	if _, r := s.Set(IntKey(1), make([]byte, MaxValueSize+1), SetOptions{}, 1); r != TooLarge {
		t.Error(r)
	}
	if _, r := s.Reserve(MaxValueSize + 1); r != TooLarge {
		t.Error(r)
	}
}

// TestBlocks: a reserved block passes on once, and is gone after a flush.
func TestBlocks(t *testing.T) {
	for _, size := range []uint32{5_000, tightMax, tightMax + 1} {
		t.Run(fmt.Sprint(size), func(t *testing.T) { testBlocks(t, size) })
	}
}

func testBlocks(t *testing.T, size uint32) {
	s := open(t, Config{Quota: 1 << 20, Seed: 5})
	k := BytesKey([]byte("large"))
	b, _ := s.Reserve(size)
	for i := range b.Bytes() {
		b.Bytes()[i] = byte(i)
	}
	want := bytes.Clone(b.Bytes())
	if _, r := s.SetBlock(k, b, SetOptions{HasIfVersion: true, IfVersion: 9}, 1); r != Conflict || !s.Holds(b) {
		t.Fatal("a refused block is still its reserver's")
	}
	if _, r := s.SetBlock(k, b, SetOptions{ExpireMillis: 50}, 1); r != OK || s.Holds(b) {
		t.Fatal(r)
	}
	if e, r := s.Get(k, 1); r != OK || !bytes.Equal(e.Value, want) || e.ExpireMillis != 50 {
		t.Fatal(r)
	}
	if _, r := s.SetBlock(IntKey(2), b, SetOptions{}, 1); r != Missing {
		t.Fatalf("the block was taken twice: %v", r)
	}
	s.Release(b)
	if e, r := s.Get(k, 1); r != OK || !bytes.Equal(e.Value, want) {
		t.Fatal("a late release took the value")
	}
	gone, _ := s.Reserve(size)
	s.Flush()
	again, _ := s.Reserve(size)
	if s.Holds(gone) || !s.Holds(again) {
		t.Fatal("a flush ends reservations")
	}
	s.Release(gone)
	if _, r := s.SetBlock(k, gone, SetOptions{}, 1); r != Missing || !s.Holds(again) {
		t.Fatalf("a block from before the flush: %v", r)
	}
	s.Release(again)
	s.Release(again)
	s.Release(Block{})
	if _, r := s.SetBlock(k, Block{}, SetOptions{}, 1); r != Missing || s.Stats().Blocks != 0 {
		t.Fatalf("%v %+v", r, s.Stats())
	}
}

// TestBlocksAreTight: values that were pushed take little more room than they have bytes.
func TestBlocksAreTight(t *testing.T) {
	for _, size := range []uint32{1_500, 2_600, 4_100, 9_000, 20_000, 50_000, 100_000} {
		const quota = 4 << 20
		s := open(t, Config{Quota: quota, Seed: 5})
		stored := uint32(0)
		for n := uint64(0); ; n++ {
			b, r := s.Reserve(size)
			if r == OK {
				_, r = s.SetBlock(IntKey(n), b, SetOptions{}, 1)
			}
			if r == Full {
				break
			}
			if r != OK {
				t.Fatal(r)
			}
			stored += size
		}
		if stored < quota*7/10 {
			t.Errorf("values of %d bytes: %d of %d bytes are used", size, stored, quota)
		}
	}
}

// TestBudget: what tenants use in all stays within the budget, and comes back.
func TestBudget(t *testing.T) {
	budget := arena.NewBudget(1 << 20)
	a := open(t, Config{Quota: 4 << 20, Seed: 1, Budget: budget})
	b := open(t, Config{Quota: 4 << 20, Seed: 2, Budget: budget})
	s := []*Shard{a, b}
	n := uint64(0)
	for ; ; n++ {
		if _, r := s[n%2].Set(IntKey(n), make([]byte, 1000), SetOptions{}, 1); r == Full {
			break
		} else if r != OK {
			t.Fatal(r)
		}
	}
	if n < 850 || budget.Used() > budget.Limit() {
		t.Fatalf("full after %d values of 1,000 B, budget used %d of %d", n, budget.Used(), budget.Limit())
	}
	if _, err := Open(Config{Quota: 1 << 20, Budget: arena.NewBudget(100)}); err != ErrBudget {
		t.Fatal(err)
	}
	for i := uint64(0); i < n; i += 2 {
		if _, r := a.Delete(IntKey(i), 0, false, 1); r != OK {
			t.Fatal(r)
		}
	}
	if budget.Used() > 3<<18 {
		t.Errorf("%d bytes of the budget did not come back", budget.Used())
	}
	for i := range uint64(200) {
		if _, r := b.Set(IntKey(1_000_000+i), make([]byte, 1000), SetOptions{}, 1); r != OK {
			t.Fatalf("what one tenant gave back the other cannot use: %v", r)
		}
	}
}

// TestCommitOverFullQuotaAndBudget: with no byte left, the keys of a commit still go
// in all together.
func TestCommitOverFullQuotaAndBudget(t *testing.T) {
	for seed := range uint64(10) {
		budget := arena.NewBudget(512 << 10)
		s := open(t, Config{Quota: 1 << 20, Seed: seed + 1, Budget: budget})
		n := uint64(0)
		for ; ; n++ {
			if _, r := s.Set(IntKey(n), nil, SetOptions{}, 1); r != OK {
				break
			}
		}
		for i := range uint64(1_500) {
			s.Delete(IntKey(i), 0, false, 1)
		}
		o := s.Overlay()
		o.Begin(1, OverlayLimits{})
		writes := uint64(0)
		for ; writes < MaxOverlayWrites; writes++ {
			if _, r := o.Set(IntKey(1<<40+writes), nil, SetOptions{}); r != OK {
				break
			}
		}
		if r := o.Commit(); r != OK || writes < 1_000 {
			t.Fatalf("%d writes: %v", writes, r)
		}
		for i := range writes {
			if _, r := s.Get(IntKey(1<<40+i), 1); r != OK {
				t.Fatalf("key %d of the commit: %v", i, r)
			}
		}
	}
}

// TestPagesGoBack: after deletions the kernel has most pages again.
func TestPagesGoBack(t *testing.T) {
	s := open(t, Config{Quota: 256 << 20, Seed: 3})
	for i := range uint64(50_000) {
		if _, r := s.Set(IntKey(i), make([]byte, 1000), SetOptions{}, 1); r != OK {
			t.Fatal(r)
		}
	}
	full := resident(t, s.mem)
	if full < 50<<20 {
		t.Fatalf("%d bytes resident of 50 MB", full)
	}
	for i := range uint64(50_000) {
		s.Delete(IntKey(i), 0, false, 1)
	}
	for rounds := 0; s.Maintain(1, 64); rounds++ {
		if rounds > 10_000 {
			t.Fatal("Maintain has no end")
		}
	}
	if left := resident(t, s.mem); left > full/4 || s.Stats().Used > 2<<20 {
		t.Errorf("%d of %d bytes still resident, %+v", left, full, s.Stats())
	}
	for i := range uint64(50_000) {
		s.Set(IntKey(i), make([]byte, 1000), SetOptions{}, 1)
	}
	s.Flush()
	for s.Maintain(1, 64) {
	}
	if left := resident(t, s.mem); left > full/8 {
		t.Errorf("%d bytes resident after a flush", left)
	}
}

// TestIndexMoves: the table is whole before, while and after its index moves from
// behind the header, a scan under way sees all of it, and a flush brings it back.
func TestIndexMoves(t *testing.T) {
	s := open(t, Config{Quota: 8 << 20, Seed: 6})
	for round := range 3 {
		n, next, seen := uint64(0), uint64(0), map[uint64]bool{}
		add := func(count uint64) {
			for range count {
				if _, r := s.Set(IntKey(n), []byte("12345678"), SetOptions{}, 1); r != OK {
					t.Fatal(r)
				}
				n++
			}
		}
		add(1_000)
		if s.index >= arena.NearEnd {
			t.Fatal("a small table's index stands behind the header")
		}
		for first := true; first || next != 0; first = false {
			next, _ = s.Scan(next, 5, 1, func(k Key, e Entry) bool { seen[k.Int] = true; return true })
			add(3)
		}
		if s.index != s.a.Far() || binary.LittleEndian.Uint32(s.mem[layout.OffIndex:]) != s.index {
			t.Fatalf("the index of %d keys stands at %d", n, s.index)
		}
		for i := range n {
			if _, r := s.Get(IntKey(i), 1); r != OK || i < 1_000 && !seen[i] {
				t.Fatalf("round %d, key %d: %v, seen %v", round, i, r, seen[i])
			}
		}
		s.Flush()
		if _, r := s.Get(IntKey(5), 1); r != Missing || s.Len() != 0 {
			t.Fatal(r)
		}
	}
}

// TestOverlayCounter: a loop that raises a counter nobody looks at takes one block; once
// it has been read, what was read stays.
func TestOverlayCounter(t *testing.T) {
	s := open(t, Config{Quota: 1 << 20, Seed: 6})
	o := s.Overlay()
	o.Begin(1, OverlayLimits{Writes: 3, Bytes: 4 << 10})
	for range 10_000 {
		if _, _, r := o.Incr(IntKey(1), 1); r != OK {
			t.Fatal(r)
		}
	}
	e, _ := o.Get(IntKey(1))
	if _, _, r := o.Incr(IntKey(1), 1); r != OK || string(e.Value) != "10000" {
		t.Fatalf("%v %q", r, e.Value)
	}
	e2, _ := o.Get(IntKey(1))
	if _, r := o.Delete(IntKey(1), e2.Version, true); r != OK || string(e2.Value) != "10001" {
		t.Fatalf("%v %q", r, e2.Value)
	}
	if _, r := o.Get(IntKey(1)); r != Missing {
		t.Fatal(r)
	}
	if n, _, r := o.Incr(IntKey(1), 5); r != OK || n != 5 || string(e2.Value) != "10001" {
		t.Fatalf("%v %d %q", r, n, e2.Value)
	}
	if r := o.Commit(); r != OK || s.Stats().Blocks != 1 {
		t.Fatalf("%v %+v", r, s.Stats())
	}
	if e, r := s.Get(IntKey(1), 1); r != OK || string(e.Value) != "5" {
		t.Fatalf("%v %q", r, e.Value)
	}
}
