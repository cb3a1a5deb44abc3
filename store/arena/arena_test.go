package arena

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"shredder/internal/invariant"
)

type block struct {
	ref    Ref
	size   uint32
	serial uint64
	mark   byte
}

// TestAllocator allocates and frees at random and holds that blocks keep their bytes,
// so none overlap, whatever Release and the index do meanwhile, and that all of it
// comes back.
func TestAllocator(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 1))
		budget := NewBudget(1 << 30)
		quota := uint64(1<<20 + rng.Uint64N(16<<20))
		a, err := Open(quota, budget)
		if err != nil {
			t.Fatal(err)
		}
		var live []block
		full, index := 0, uint64(a.Far())
		for step := range 6_000 {
			if rng.IntN(100) < 52-20*(step/1000%2) {
				b := block{size: randomSize(rng), mark: byte(rng.Uint32())}
				ok := false
				if rng.IntN(10) == 0 {
					b.ref, b.serial, ok = a.AllocLed(b.size)
				} else {
					b.ref, ok = a.Alloc(b.size)
				}
				if !ok {
					full++
					continue
				}
				mem, ok := a.Bytes(b.ref, b.size)
				if !ok || b.ref%8 != 0 || b.ref < pageSize || b.serial == 0 && !a.Fits(b.ref, b.size) {
					t.Fatalf("seed %d: block at %d of %d bytes", seed, b.ref, b.size)
				}
				for i := range mem {
					mem[i] = b.mark
				}
				live = append(live, b)
			} else if len(live) > 0 {
				i := rng.IntN(len(live))
				b := live[i]
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
				checkBlock(t, a, b)
				free(t, a, b)
			}
			switch rng.IntN(50) {
			case 0:
				a.Release(rng.IntN(100))
			case 1:
				if to := index + rng.Uint64N(20_000); a.GrowFar(to) {
					clear(a.Mem()[index:to])
					index = to
				}
			}
			if u := a.Usage(); u.Used > quota || u.Blocks != uint64(len(live)) || budget.Used() < u.Used {
				t.Fatalf("seed %d: %+v with %d blocks, budget %d", seed, u, len(live), budget.Used())
			}
		}
		for _, b := range live {
			checkBlock(t, a, b)
			free(t, a, b)
		}
		indexSize := (index+pageSize-1)/pageSize*pageSize - uint64(a.Far())
		if u := a.Usage(); u.Allocated != 0 || u.Blocks != 0 || u.Used != pageSize+indexSize {
			t.Fatalf("seed %d: after all frees %+v, index %d", seed, u, indexSize)
		}
		a.Close()
		if budget.Used() != 0 {
			t.Fatalf("seed %d: budget %d", seed, budget.Used())
		}
	}
}

func randomSize(rng *rand.Rand) uint32 {
	switch rng.IntN(20) {
	case 0:
		return rng.Uint32N(300_000)
	case 1, 2, 3:
		return rng.Uint32N(20_000)
	default:
		return rng.Uint32N(1_000)
	}
}

func checkBlock(t *testing.T, a *Arena, b block) {
	t.Helper()
	mem, _ := a.Bytes(b.ref, b.size)
	if bytes.Count(mem, []byte{b.mark}) != len(mem) {
		t.Fatalf("block at %d of %d bytes was written to by others", b.ref, b.size)
	}
}

func free(t *testing.T, a *Arena, b block) {
	t.Helper()
	if b.serial != 0 {
		if a.Free(b.ref) {
			t.Fatal("a block that its owner holds was freed")
		}
		if !a.Holds(b.ref, b.serial) {
			t.Fatal("a reserved block is not held")
		}
		a.Settle(b.ref)
	}
	if a.Free(b.ref+4) || a.Free(b.ref-1) {
		t.Fatal("something that begins nowhere was freed")
	}
	if !a.Free(b.ref) {
		t.Fatalf("block at %d could not be freed", b.ref)
	}
	if a.Free(b.ref) || a.Holds(b.ref, b.serial) {
		t.Fatal("a block was freed twice")
	}
}

// TestNearFull fills an arena with one mix of sizes, frees it, fills it with another, and
// wants at least 80 % of the quota each time, in both zones.
func TestNearFull(t *testing.T) {
	const quota = 8 << 20
	a, err := Open(quota, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	rng := rand.New(rand.NewPCG(4, 4))
	for round, top := range []uint32{200, 100_000, 3_000, 1 << 20, 64, 9_000} {
		var live []Ref
		asked := uint64(0)
		for misses := 0; misses < 50; {
			size := 1 + rng.Uint32N(top)
			ref, ok := a.Alloc(size)
			if !ok {
				misses++
				continue
			}
			live = append(live, ref)
			asked += uint64(size)
		}
		if u := a.Usage(); u.Used < quota*9/10 && top < 1<<20 || asked < u.Used*7/10 {
			t.Errorf("round %d, sizes to %d: full with %d bytes asked for, %+v", round, top, asked, u)
		}
		rng.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
		for _, ref := range live {
			if !a.Free(ref) {
				t.Fatal("a block in use could not be freed")
			}
		}
		a.Release(rng.IntN(1000))
	}
	if u := a.Usage(); u.Blocks != 0 || u.Used != pageSize {
		t.Errorf("%+v", u)
	}
}

// TestEveryRef asks the allocator about every ref of a small arena.
func TestEveryRef(t *testing.T) {
	a, err := Open(MinQuota, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	valid := map[Ref]bool{}
	for _, size := range []uint32{8, 100, 9_000, 40, 3_000} {
		ref, ok := a.Alloc(size)
		if !ok {
			t.Fatal(size)
		}
		valid[ref] = true
	}
	large := Ref(0)
	for ref := range valid {
		if a.Fits(ref, 9_000) {
			large = ref
		}
	}
	for ref := range Ref(len(a.Mem()) + 10_000) {
		_, _, ok := a.locate(ref)
		inLead := ref >= large && ref-large <= MaxLead && ref%8 == 0
		if ok != (valid[ref] || inLead) {
			t.Fatalf("ref %d: %v", ref, ok)
		}
	}
	for _, ref := range []Ref{1 << 31, 1<<32 - 1, 1<<32 - pageSize} {
		if a.Free(ref) || a.Fits(ref, 8) || a.Holds(ref, 1) {
			t.Errorf("ref %d", ref)
		}
	}
}

// TestLargestQuota: refs reach the end of the largest arena there can be.
func TestLargestQuota(t *testing.T) {
	a, err := Open(MaxQuota, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if len(a.Mem()) != 4<<30-64<<10 {
		t.Fatalf("%d bytes", len(a.Mem()))
	}
	var live []Ref
	for range 300 {
		ref, ok := a.Alloc(16 << 20)
		if !ok {
			break
		}
		if _, ok := a.Bytes(ref, 16<<20); !ok {
			t.Fatalf("block at %d leaves the arena", ref)
		}
		live = append(live, ref)
	}
	if len(live) < 254 { // the ends of the zones may cost one each
		t.Errorf("%d blocks of 16 MiB", len(live))
	}
	if invariant.Enabled { // filling what is freed would make 4 GiB resident
		live = live[:3]
	}
	for _, ref := range live {
		if !a.Free(ref) {
			t.Fatalf("block at %d", ref)
		}
	}
	for _, bad := range []uint64{0, MinQuota - 1, MaxQuota + 1, 1 << 40} {
		if _, err := Open(bad, nil); err == nil {
			t.Errorf("a quota of %d was taken", bad)
		}
	}
}
