package store

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"shredder/store/arena"
)

// TestPriorities holds what several tenants side by side may count on, as far as it is a
// matter of correctness (how fast they are, BenchmarkGetTenants tells): served in turn
// from one thread, none sees, slows to a halt, fills up or damages another, and one
// budget accounts for all.
func TestPriorities(t *testing.T) {
	const tenants = 500
	rng := rand.New(rand.NewPCG(3, 3))
	budget := arena.NewBudget(256 << 20)
	shards := make([]*Shard, tenants)
	models := make([]*reference, tenants)
	for i := range shards {
		shards[i] = open(t, Config{Quota: 1 << 20, Seed: uint64(i + 1), Budget: budget})
		models[i] = &reference{keys: map[string]modelEntry{}, now: 10}
	}
	// The first is full, the second damaged, the third in the middle of an invocation: the
	// others must not notice.
	for n := uint64(0); ; n++ {
		if _, r := shards[0].Set(IntKey(n), make([]byte, 200), SetOptions{}, 10); r == Full {
			break
		}
	}
	for i := range arena.NearEnd {
		shards[1].mem[i] = byte(rng.Uint32())
	}
	pending := shards[2].Overlay()
	pending.Begin(10, OverlayLimits{})
	pending.Set(IntKey(1), []byte("pending"), SetOptions{})

	for turn := range 40 * tenants {
		i := 3 + turn%(tenants-3)
		mutate(t, rng, direct{shards[i], &models[i].now}, models[i], false)
		if turn%7 == 0 {
			shards[i].Maintain(10, 4)
		}
		if turn%11 == 0 {
			shards[1].Get(IntKey(uint64(turn)), 10)
			shards[1].Set(IntKey(uint64(turn)), []byte("x"), SetOptions{}, 10)
			shards[1].Maintain(10, 4)
		}
		if turn%13 == 0 {
			if e, r := shards[0].Get(IntKey(uint64(turn)%1_000), 10); r != OK || len(e.Value) != 200 {
				t.Fatalf("a full tenant's reads go on: %v", r)
			}
		}
	}
	used := uint64(0)
	for i, s := range shards {
		used += s.Stats().Used
		if i < 3 {
			continue
		}
		if s.Corrupted() {
			t.Fatalf("tenant %d was damaged by another", i)
		}
		compareScan(t, direct{s, &models[i].now}, models[i])
	}
	if _, r := shards[2].Get(IntKey(1), 10); r != Missing {
		t.Fatalf("a write that waits for its commit was seen: %v", r)
	}
	if r := pending.Commit(); r != OK {
		t.Fatal(r)
	}
	if budget.Used() < used || budget.Used() > used+tenants*(160<<10) {
		t.Fatalf("tenants use %d bytes, the budget says %d", used, budget.Used())
	}
}

// TestSameKeysManyTenants spreads one key set over shards and holds that together they
// are one table.
func TestSameKeysManyTenants(t *testing.T) {
	const keys, tenants = 20_000, 200
	one := open(t, Config{Quota: 16 << 20, Seed: 77})
	many := make([]*Shard, tenants)
	for i := range many {
		many[i] = open(t, Config{Quota: 1 << 20, Seed: uint64(i + 1)})
	}
	v := make([]byte, 128)
	for n := range uint64(keys) {
		binary.LittleEndian.PutUint64(v, n)
		if _, r := one.Set(IntKey(n), v, SetOptions{}, 1); r != OK {
			t.Fatal(r)
		}
		if _, r := many[n%tenants].Set(IntKey(n), v, SetOptions{}, 1); r != OK {
			t.Fatal(r)
		}
	}
	sum := 0
	for n := range uint64(keys) {
		a, ra := one.Get(IntKey(n), 1)
		b, rb := many[n%tenants].Get(IntKey(n), 1)
		_, other := many[(n+1)%tenants].Get(IntKey(n), 1)
		if ra != OK || rb != OK || other != Missing || !bytes.Equal(a.Value, b.Value) || binary.LittleEndian.Uint64(a.Value) != n {
			t.Fatalf("key %d: %v %v %v", n, ra, rb, other)
		}
	}
	for _, s := range many {
		sum += s.Len()
	}
	if sum != one.Len() || sum != keys {
		t.Fatalf("%d keys in all, %d in one", sum, one.Len())
	}
}
