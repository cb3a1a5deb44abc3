package interp

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"

	"shredder/jit"
	"shredder/store"
)

const vandal = `
let kept = [];
export function spoil(n) {
  Array.prototype.push = Math.max = JSON.stringify = () => 'spoilt';
  String.prototype.at = Uint32Array.prototype.at = undefined;
  Object.prototype.mark = n;
  kept.push = n;
  const u = store.u32('mine'); u[0] = 0;
  return Object.prototype.mark;
}
export function check(id) {
  const a = []; a.push(id);
  return [a[0] === id, ({}).mark === undefined, Math.max(1, 2) === 2, JSON.stringify([1]), store.u32At('mine', 0) === id, store.text('secret')].join();
}
`

// TestTenantsAreIsolated lets tenants of one shared Program spoil their
// builtins in random order and looks for a trace in the others.
func TestTenantsAreIsolated(t *testing.T) {
	const tenants = 30
	rng := rand.New(rand.NewSource(3))
	beds := make([]*bed, tenants)
	spoilt := make([]bool, tenants)
	for i := range beds {
		beds[i] = newBed(t, vandal)
		beds[i].set(store.BytesKey([]byte("mine")), u32s(uint32(i)))
		beds[i].set(store.BytesKey([]byte("secret")), []byte(fmt.Sprint("s", i)))
	}
	for range 3000 {
		i := rng.Intn(tenants)
		if !spoilt[i] && rng.Intn(40) == 0 {
			beds[i].want(fmt.Sprint(i), "spoil", i)
			spoilt[i] = true
			continue
		}
		if spoilt[i] {
			if rng.Intn(4) == 0 {
				if err := beds[i].r.Reset(); err != nil {
					t.Fatal(err)
				}
				spoilt[i] = false
			}
			continue
		}
		beds[i].want(fmt.Sprintf("%q", fmt.Sprintf("true,true,true,[1],true,s%d", i)), "check", i)
	}
}

// TestCompileFromManyThreads shares one Program among threads that compile,
// instantiate and run it at once.
func TestCompileFromManyThreads(t *testing.T) {
	limits := jit.DefaultLimits()
	var wait sync.WaitGroup
	for worker := range 4 {
		shard := newShard(t)
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range 30 {
				p, err := Compile([]byte(fmt.Sprintf("export function f() { return [1, 2].map((x) => x + %d).join() }", i%5)), &limits)
				if err != nil {
					t.Error(err)
					return
				}
				r, err := NewRuntime(p, shard, RuntimeConfig{Limits: &limits})
				if err != nil {
					t.Error(err)
					return
				}
				o := shard.Overlay()
				o.Begin(testNow, store.OverlayLimits{})
				inv := &jit.Invocation{Function: []byte("f"), Overlay: o, Limits: &limits, NowMillis: testNow}
				if out := r.Invoke(inv); out.Status != jit.OK || shown(inv.Result) != fmt.Sprintf("\"%d,%d\"", 1+i%5, 2+i%5) {
					t.Errorf("worker %d: %v %s", worker, out.Status, shown(inv.Result))
				}
				o.Discard()
			}
		}()
	}
	wait.Wait()
}

// TestCoroutineInvocation runs a call as pktproc does when it is long: inside a
// coroutine, other tenants' calls between its slices.
func TestCoroutineInvocation(t *testing.T) {
	long := newBed(t, "export function f(n) { let t = 0; for (let i = 0; i < n; i++) { store.incr('n'); t += i } return t }")
	short := newBed(t, "export function g() { return 1 }")
	c := jit.NewCoroutine()
	defer c.Close()
	o := long.shard.Overlay()
	for round := range 3 {
		o.Begin(testNow, store.OverlayLimits{Writes: 10, Bytes: 1 << 20})
		inv := &jit.Invocation{Function: []byte("f"), Args: encode(3000), Overlay: o, Limits: &long.limits, NowMillis: testNow}
		var out jit.Outcome
		c.Start(func(yield func() bool) {
			inv.Yield = yield
			out = long.r.Invoke(inv)
		})
		slices := 0
		for !c.Resume() {
			slices++
			short.want("1", "g")
			if round == 1 && slices == 3 {
				c.Kill()
				break
			}
		}
		if round == 1 {
			if out.Status != jit.Killed {
				t.Fatalf("killed call: %v", out.Status)
			}
			o.Discard()
			continue
		}
		if out.Status != jit.OK || shown(inv.Result) != "4498500" || slices < 5 {
			t.Fatalf("%v %s after %d slices", out.Status, shown(inv.Result), slices)
		}
		o.Commit()
	}
	if v, _ := long.get(store.BytesKey([]byte("n"))); v != "6000" {
		t.Fatalf("n = %s", v)
	}
}

// TestInvokeAllocations: a call with integers in and out allocates nothing.
func TestInvokeAllocations(t *testing.T) {
	b := newBed(t, "export function f(k) { return store.u32At(k, 0) }")
	b.set(store.IntKey(1), u32s(5))
	o := b.shard.Overlay()
	inv := &jit.Invocation{Function: []byte("f"), Args: encode(1), Overlay: o, Limits: &b.limits, NowMillis: testNow, Result: make([]byte, 0, 64)}
	n := testing.AllocsPerRun(200, func() {
		o.Begin(testNow, store.OverlayLimits{Writes: 4, Bytes: 1 << 16})
		if out := b.r.Invoke(inv); out.Status != jit.OK {
			t.Fatal(out.Status)
		}
		o.Discard()
	})
	if n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
