package interp

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"shredder/jit"
	"shredder/store"
)

// writes makes several changes with work, builtins with callbacks and handlers
// of every kind between them, so that a kill can fall anywhere.
const writes = `
export function run(n) {
  let caught = 0;
  for (let i = 0; i < n; i++) {
    store.set('a', i);
    try {
      [3, 1, 2].sort((x, y) => { store.set('order', x); return x - y });
      JSON.stringify({ toJSON() { return 'x'.replace(/x/, () => { store.incr('calls'); return 'y' }) } });
      for (const x of gen()) { store.set('b', i + x - x); if (x > 1) break }
      store.set('b', i);
    } catch (e) { caught++; store.set('caught', 'bad') } finally { store.incr('finals') }
    store.set('c', i);
  }
  return caught;
}
function* gen() { try { for (let i = 0; i < 3; i++) yield i } finally { store.incr('closed') } }
`

func contents(s *store.Shard) string {
	var b strings.Builder
	s.Scan(0, 1024, testNow, func(k store.Key, e store.Entry) bool {
		fmt.Fprintf(&b, "%d%s=%s;", k.Int, k.Bytes, e.Value)
		return true
	})
	return b.String()
}

// TestKillAtEverySlice kills a call at each of its yields: nothing of it may be
// seen, no handler may run on, and the next call must be whole.
func TestKillAtEverySlice(t *testing.T) {
	b := newBed(t, writes)
	b.limits.Slice = 3
	var yields int
	out, _ := b.call("run", func() bool { yields++; return true }, 3)
	if out.Status != jit.OK || yields < 30 {
		t.Fatalf("%v after %d yields: %s", out.Status, yields, out.Message)
	}
	before := contents(b.shard)
	for kill := 1; kill <= yields; kill++ {
		n := 0
		out, inv := b.call("run", func() bool { n++; return n < kill }, 3)
		if out.Status != jit.Killed || n != kill {
			t.Fatalf("kill %d: %v after %d yields: code ran on", kill, out.Status, n)
		}
		if len(inv.Result) != 0 {
			t.Fatal("a killed call left a result")
		}
		if got := contents(b.shard); got != before {
			t.Fatalf("kill %d left %s", kill, got)
		}
	}
	b.want("0", "run", 3)
	if v, _ := b.get(store.BytesKey([]byte("finals"))); v != "6" {
		t.Fatalf("finals = %q", v)
	}
	if _, ok := b.get(store.BytesKey([]byte("caught"))); ok {
		t.Fatal("a kill was caught")
	}
}

// TestKillsAgainstModel runs random transfers, killed at random points, and
// compares with a model that applies whole transfers only.
func TestKillsAgainstModel(t *testing.T) {
	const source = `
export function move(from, to, n) {
  for (let i = 0; i < 3; i++) { store.incr(from, -n); for (let k = 0; k < 5; k++); store.incr(to, n) }
  if (n % 7 === 0) throw new Error('seven');
  return store.incr('moves');
}`
	b := newBed(t, source)
	b.limits.Slice = 4
	rng := rand.New(rand.NewSource(5))
	model := map[int]int{}
	moves := 0
	for i := 0; i < 4000; i++ {
		from, to, n := rng.Intn(6), rng.Intn(6), rng.Intn(20)
		left := rng.Intn(30)
		out, _ := b.call("move", func() bool { left--; return left >= 0 }, from, to, n)
		switch out.Status {
		case jit.OK:
			model[from] -= 3 * n
			model[to] += 3 * n
			moves++
		case jit.Killed, jit.Exception:
		default:
			t.Fatal(out.Status)
		}
	}
	for k, want := range model {
		if v, _ := b.get(store.IntKey(uint64(k))); v != fmt.Sprint(want) {
			t.Errorf("key %d holds %s, want %d", k, v, want)
		}
	}
	if v, _ := b.get(store.BytesKey([]byte("moves"))); v != fmt.Sprint(moves) || moves < 500 || moves > 3500 {
		t.Errorf("moves %s, want %d", v, moves)
	}
}

// TestFuelIsDeterministic: the same call burns the same, however it is sliced
// and whether lookups hit what is remembered or not.
func TestFuelIsDeterministic(t *testing.T) {
	b := newBed(t, writes)
	var want uint64
	for _, slice := range []int64{1, 2, 5, 64, 1 << 30} {
		b.limits.Slice = slice
		for range 2 {
			out, inv := b.call("run", always, 4)
			if out.Status != jit.OK {
				t.Fatal(out.Status)
			}
			if want == 0 {
				want = inv.Cost.Fuel
			}
			if inv.Cost.Fuel != want {
				t.Fatalf("slice %d: %d fuel, want %d", slice, inv.Cost.Fuel, want)
			}
		}
	}
	b.limits.Fuel = int64(want)
	if out, _ := b.call("run", always, 4); out.Status != jit.OK {
		t.Fatal("exactly enough fuel is not enough")
	}
	b.limits.Fuel--
	if out, inv := b.call("run", always, 4); out.Status != jit.Fuel || inv.Cost.Fuel > want {
		t.Fatalf("one unit less gave %v after %d", out.Status, inv.Cost.Fuel)
	}
}

func TestFuelOfSource(t *testing.T) {
	b := newBed(t, `
export function empty() {}
export function turns(n) { for (let i = 0; i < n; i++); }
export function text(n) { let s = 'x'.repeat(64); for (let i = 0; i < n; i++) s + s; }
export function arrow() { const f = () => 1; for (let i = 0; i < 10; i++) f(); }
`)
	fuel := func(f string, args ...any) int {
		out, inv := b.call(f, always, args...)
		if out.Status != jit.OK {
			t.Fatalf("%s: %v", f, out.Status)
		}
		return int(inv.Cost.Fuel)
	}
	if n := fuel("empty"); n != 1 {
		t.Errorf("an empty function burns %d", n)
	}
	if d := fuel("turns", 1000) - fuel("turns", 0); d != 1000 {
		t.Errorf("1000 turns burn %d", d)
	}
	if d := fuel("text", 100) - fuel("text", 0); d != 100*(1+2) {
		t.Errorf("100 turns adding 128 characters burn %d", d)
	}
	if n := fuel("arrow"); n < 1+10+10 {
		t.Errorf("ten arrow calls burn %d", n)
	}
}

func TestPreemptedLeavesNothing(t *testing.T) {
	b := newBed(t, `
let cached = 0;
export function pure(n) { console.log('x'); let t = 0; for (let i = 0; i < n; i++) { store.set(i % 3, i); t += i } return t }
export function bump(n) { for (let i = 0; i < n; i++) cached++; return cached }
`)
	b.limits.Slice = 50
	out, inv := b.call("pure", nil, 1000)
	if out.Status != jit.Preempted || len(b.logs) != 0 || len(inv.Result) != 0 || b.r.Dirty() {
		t.Fatalf("%v, logs %q, dirty %v", out.Status, b.logs, b.r.Dirty())
	}
	if c := contents(b.shard); c != "" {
		t.Fatalf("left %s", c)
	}
	b.want("499500", "pure", 1000)
	b.want("45", "pure", 10)
	// A function that mutates the module is reset after any abnormal end.
	if !b.r.Program().MutatesModule("bump") || b.r.Program().MutatesModule("pure") {
		t.Fatal("mutation is judged wrongly")
	}
	b.want("20", "bump", 20)
	if out, _ := b.call("bump", nil, 1000); out.Status != jit.Preempted || !b.r.Dirty() {
		t.Fatalf("%v, dirty %v", out.Status, b.r.Dirty())
	}
	b.want("5", "bump", 5)
}

func TestLimits(t *testing.T) {
	b := newBed(t, `
export function deep(n) { return n ? deep(n - 1) : 0 }
export function big(n) { return 'x'.repeat(n) }
export function many(n) { for (let i = 0; i < n; i++) store.set(i, 1) }
export function scratch() { const a = []; for (let i = 0; i < 100; i++) a.push('x'.repeat(1000000)) }
export function spin() { for (;;); }
`)
	b.limits.Depth = 100
	b.limits.ResultSize = 1000
	b.limits.OverlayWrites = 10
	b.limits.Scratch = 10 << 20
	b.limits.Fuel = 1 << 20
	status := func(want jit.Status, f string, args ...any) {
		t.Helper()
		if out, _ := b.call(f, always, args...); out.Status != want {
			t.Errorf("%s%v: %v, want %v", f, args, out.Status, want)
		}
	}
	b.r.js.SetMaxCallStackSize(100)
	status(jit.OK, "deep", 50)
	status(jit.Limit, "deep", 200)
	status(jit.OK, "big", 900)
	status(jit.TooLarge, "big", 1100)
	status(jit.OK, "many", 10)
	status(jit.Limit, "many", 11)
	status(jit.Limit, "scratch")
	status(jit.Fuel, "spin")
	status(jit.NoFunction, "absent")
	if out := b.r.Invoke(&jit.Invocation{Function: []byte("big"), Args: []byte{99}, Overlay: b.shard.Overlay(), Limits: &b.limits}); out.Status != jit.BadArgument {
		t.Errorf("malformed arguments: %v", out.Status)
	}
}

// TestWatchdogHitsOneRunOnly: an interrupt meant for one run never stops a
// later one.
func TestWatchdogHitsOneRunOnly(t *testing.T) {
	b := newBed(t, `export function f(n) { let t = 0; for (let i = 0; i < n; i++) t += i; return t }`)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if gen, running := b.r.Generation(); running && gen%2 == 0 {
				b.r.InterruptRun(gen)
			}
		}
	}()
	killed := 0
	for i := 0; i < 2000; i++ {
		next := b.r.run.Load()>>2 + 1
		out, _ := b.call("f", always, 200)
		switch {
		case out.Status == jit.Killed && next%2 == 0:
			killed++
		case out.Status != jit.OK:
			t.Fatalf("run %d: %v", next, out.Status)
		}
	}
	close(done)
	if b.r.InterruptRun(b.r.run.Load() >> 2) {
		t.Fatal("an idle runtime was interrupted")
	}
	t.Logf("%d killed", killed)
}

// TestFoldedBurns: where a read of the store takes the burn along, nothing
// that runs before it escapes the meter, and the fuel is what it was.
func TestFoldedBurns(t *testing.T) {
	b := newBed(t, `
export function turns(n) { let s = 0; for (let i = 0; i < n; i++) s += store.size(1); return s }
export function plain(n) { let s = 0; for (let i = 0; i < n; i++) { s; s += store.size(1) } return s }
export function forever() { for (;;) store.has(1) }
export function test() { for (;;) if (!store.has(1, 2, 3)) return 0 }
export function argument(k) { return store.size(argument(k)) }
export function tree(k) { return store.u32At(tree(k), tree(k)) }
export function spread(k) { return store.size(...[spread(k)]) }
export function late(k) { for (;;) { try { for (;;) { x + store.size(k); let x } } catch (e) {} } }
export function convert() { const o = { valueOf() { return o * 1 + o * 1 } }; return store.u32At(1, o * 1) }
export function shadowed() { return inner({ size: (k) => k }) }
function inner(store) { return store.size(5) }
`)
	b.set(store.IntKey(1), u32s(1, 2))
	one, many := b.want("8", "turns", 1), b.want("800", "turns", 100)
	if got := many.Cost.Fuel - one.Cost.Fuel; got != 99 {
		t.Errorf("99 turns burn %d", got)
	}
	b.want("800", "plain", 100)
	b.want("5", "shadowed")
	for _, endless := range []string{"forever", "test", "late"} {
		b.limits.Fuel = 1000
		if out, _ := b.call(endless, always, 1); out.Status != jit.Fuel {
			t.Errorf("%s: %v %s", endless, out.Status, out.Message)
		}
	}
	for _, deep := range []string{"argument", "tree", "spread", "convert"} {
		b.limits.Fuel = 200
		if out, inv := b.call(deep, always, 1); out.Status != jit.Fuel && out.Status != jit.Limit || inv.Cost.Fuel < 60 {
			t.Errorf("%s: %v after %d", deep, out.Status, inv.Cost.Fuel)
		}
	}
}
