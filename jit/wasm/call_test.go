package wasm

import (
	"errors"
	"testing"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/pktproc/wire"
	"shredder/store"
)

const smallFunctions = `
export function empty() {}
export function first(id) { return store.u8At(id, 0) }
export function whole(id) { return store.get(id) }
export function count(id) { return store.incr(id) }
export function deep(n) { return n === 0 ? 0 : 1 + deep(n - 1) }
export function spin() { for (;;) {} }
export function wide(a, b) { return a + b }
export function missing(id) { return store.u32(id).length }
`

func smallInstance(t testing.TB) (*Instance, *store.Shard) {
	s := openShard(t)
	s.Set(store.IntKey(1), []byte("value of one"), store.SetOptions{}, testNow)
	i := newInstance(t, smallFunctions, s)
	for f, kinds := range map[string][]compile.Kind{"empty": nil, "first": {compile.KindInt}, "whole": {compile.KindInt}, "count": {compile.KindInt}} {
		if err := i.Prepare(f, kinds, nil); err != nil {
			t.Fatal(err)
		}
	}
	return i, s
}

func TestInvokeDoesNotAllocate(t *testing.T) {
	i, s := smallInstance(t)
	for _, f := range []string{"empty", "first", "whole"} {
		args := ints(1)
		if f == "empty" {
			args = nil
		}
		inv := invocation(s, f, args)
		inv.Result = make([]byte, 0, 256)
		n := testing.AllocsPerRun(100, func() {
			inv.Result = inv.Result[:0]
			if out := i.Invoke(inv); out.Status != jit.OK {
				t.Fatal(out.Status)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", f, n)
		}
	}
}

func TestGuardWidens(t *testing.T) {
	i, s := smallInstance(t)
	inv, out := call(t, i, s, "wide", ints(maxSafe, 10))
	a, _, _ := wire.FirstArg(inv.Result)
	if out.Status != jit.OK || a.Tag() != wire.TagDouble || a.Double() != maxSafe+10 {
		t.Fatal(out.Status, a)
	}
	if _, out := call(t, i, s, "missing", ints(99)); out.Status != jit.Deopt || i.Missed().Guard == nil || i.Missed().Guard.Line != 9 {
		t.Fatalf("%v %+v", out.Status, i.Missed().Guard)
	}
}

// TestEndsAreSound ends calls in every way and goes on with the same instance.
func TestEndsAreSound(t *testing.T) {
	i, s := smallInstance(t)
	for f, args := range map[string][]compile.Kind{"deep": {compile.KindInt}, "spin": nil} {
		if err := i.Prepare(f, args, nil); err != nil {
			t.Fatal(err)
		}
	}
	yields := 0
	for round := range 3 {
		inv := invocation(s, "deep", ints(100_000))
		if out := i.Invoke(inv); out.Status != jit.Limit {
			t.Fatalf("round %d: endless recursion: %v", round, out.Status)
		}
		inv = invocation(s, "spin", nil)
		inv.Yield = nil
		if out := i.Invoke(inv); out.Status != jit.Preempted {
			t.Fatalf("a straight run: %v", out.Status)
		}
		inv.Yield = func() bool { yields++; return yields%10 != 0 }
		if out := i.Invoke(inv); out.Status != jit.Killed {
			t.Fatalf("killed at a yield: %v", out.Status)
		}
		l := *testLimits()
		l.Fuel = 5000
		inv.Limits, inv.Yield = &l, func() bool { return true }
		if out := i.Invoke(inv); out.Status != jit.Fuel || inv.Cost.Fuel != 5000 {
			t.Fatalf("out of fuel: %v, %d burnt", out.Status, inv.Cost.Fuel)
		}
		inv, out := call(t, i, s, "count", ints(7))
		if a, _, _ := wire.FirstArg(inv.Result); out.Status != jit.OK || a.Int() != int64(round+1) {
			t.Fatalf("afterwards: %v %v", out.Status, a)
		}
	}
	if yields != 30 {
		t.Error(yields)
	}
}

// TestDamagedArena: compiled lookups in an arena of garbage end, with a result
// or as corrupt, and read nothing outside.
func TestDamagedArena(t *testing.T) {
	i, s := smallInstance(t)
	mem := s.Mem()
	saved := append([]byte{}, mem[64:4096]...)
	for seed := range 200 {
		x := uint64(seed)*0x9e3779b97f4a7c15 + 1
		for at := range saved {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			mem[64+at] = byte(x)
		}
		for k := range int64(8) {
			inv := invocation(s, "first", ints(k))
			if out := i.Invoke(inv); out.Status != jit.OK && out.Status != jit.Corrupt {
				t.Fatalf("seed %d: %v", seed, out.Status)
			}
		}
	}
	copy(mem[64:], saved)
	if inv, out := call(t, i, s, "first", ints(1)); out.Status != jit.OK || inv.Result[1] != 'v' {
		t.Fatal(out.Status, inv.Result)
	}
}

func BenchmarkInvoke(b *testing.B) {
	i, s := smallInstance(b)
	for _, f := range []string{"empty", "first", "whole"} {
		b.Run("function="+f, func(b *testing.B) {
			inv := invocation(s, f, ints(1))
			if f == "empty" {
				inv.Args = nil
			}
			inv.Result = make([]byte, 0, 256)
			for b.Loop() {
				inv.Result = inv.Result[:0]
				i.Invoke(inv)
			}
		})
	}
}

// TestDepthLimit: recursion ends at the same depth on both tiers, inlined or not.
func TestDepthLimit(t *testing.T) {
	b := newTiers(t, `
export function deep(n) { return n === 0 ? 0 : 1 + deep(n - 1) }
function odd(n) { return n === 0 ? 0 : even(n - 1) }
function even(n) { return n === 0 ? 1 : odd(n - 1) }
export function parity(n) { return even(n) }
`)
	for n := int64(245); n < 262; n++ {
		b.Call("deep", ints(n))
		b.Call("parity", ints(n))
	}
	if b.ran[1] != 34 {
		t.Errorf("%d calls ran compiled", b.ran[1])
	}
}

// TestTopLevelStatement: what the top level does to a constant, compiled code does
// not know of.
func TestTopLevelStatement(t *testing.T) {
	i := newInstance(t, "'use strict';\nconst table = new Uint8Array([1, 2]);\ntable[0] = 9;\nexport function f(n) { return table[n]; }", openShard(t))
	var refusal *compile.Refusal
	if err := i.Prepare("f", []compile.Kind{compile.KindInt}, nil); !errors.As(err, &refusal) || refusal.Line != 3 {
		t.Fatalf("%v", err)
	}
}

// TestSearchesGiveWay: looking through a long value, which is paid for before it begins, yields
// on its way and ends when it is told to.
func TestSearchesGiveWay(t *testing.T) {
	s := openShard(t)
	i := newInstance(t, `export function f(k) { const v = store.u8(k); return v === undefined ? -2 : v.indexOf(1) }`, s)
	const size = 1 << 20
	if _, r := s.Set(store.IntKey(1), make([]byte, size), store.SetOptions{}, testNow); r != store.OK {
		t.Fatal(r)
	}
	if _, out := call(t, i, s, "f", ints(1)); out.Status != jit.OK {
		t.Fatal(out.Status)
	}
	yields := func(end int) (n int, status jit.Status, fuel uint64) {
		inv := invocation(s, "f", ints(1))
		inv.Yield = func() bool { n++; return n != end }
		out := i.Invoke(inv)
		inv.Overlay.Discard()
		return n, out.Status, inv.Cost.Fuel
	}
	n, status, fuel := yields(-1)
	slices := int(fuel / uint64(testLimits().Slice*jit.CompiledSpeed))
	if breaths := n - slices; status != jit.OK || breaths < size>>16-1 {
		t.Errorf("%v after %d yields, %d of them for slices", status, n, slices)
	}
	if m, status, _ := yields(n - 2); status != jit.Killed || m != n-2 {
		t.Errorf("ended at yield %d of %d: %v after %d", n-2, n, status, m)
	}
}
