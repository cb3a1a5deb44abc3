package pktproc

import (
	"fmt"
	"testing"

	"shredder/dataplane/nic"
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// BenchmarkProcess measures bursts of 32 requests. ns/op is per frame. The floor
// is op=swap, a program that only swaps addresses and ports.
func BenchmarkProcess(b *testing.B) {
	l := newOpenLocal(b, 1, "one")
	r := callRig2(b, l)
	value := string(make([]byte, 128))
	const keys = 10_000
	for i := range keys {
		put(b, l, fmt.Sprint(i), value)
	}
	c := r.trusted(path{noSum: true}, 1)
	summed := r.trusted(path{}, 1)
	s := r.hello(path{noSum: true}, l, wire.RoleData, nil)
	n := uint64(0)
	random := func(below uint64) uint64 { n = n*2862933555777941757 + 3037000493; return n >> 20 % below }
	get := func(w *wire.Writer) { opGetInt(random(keys))(w) }
	set := func(w *wire.Writer) { w.Begin(wire.OpSet, 0, 0); w.IntKey(random(keys)); w.Value([]byte(value)) }
	for _, x := range []struct {
		name string
		ops  int
		c    *client
		op   func(*wire.Writer)
	}{
		{"op=ping/from=trusted", 1, c, opPing("")},
		{"op=ping/from=session", 1, s, opPing("")},
		{"op=ping/from=checksum", 1, summed, opPing("")},
		{"op=get/from=trusted", 1, c, get},
		{"op=get/from=session", 1, s, get},
		{"op=get/from=checksum", 1, summed, get},
		{"op=get-8", 8, c, all(get, get, get, get, get, get, get, get)},
		{"op=mixed-8", 8, c, all(get, set, get, set, get, set, get, set)},
		{"op=multi-get-8", 8, c, func(w *wire.Writer) {
			k := func() int { return int(random(keys)) }
			opMultiGet(k(), k(), k(), k(), k(), k(), k(), k())(w)
		}},
		{"op=set", 1, c, set},
		{"op=incr", 1, c, opIncr("n", 1)},
		{"op=call", 1, c, opCall("empty", nil)},
	} {
		b.Run(x.name, func(b *testing.B) { r.benchmark(b, 256, x.ops, x.c, x.op, (*prepared).run) })
	}
	b.Run("op=swap", func(b *testing.B) { r.benchmark(b, 256, 1, c, opPing(""), (*prepared).swap) })
}

// BenchmarkLarge reads a million keys of 128 B at random.
func BenchmarkLarge(b *testing.B) {
	l := newOpenLocal(b, 1, "one")
	shard, err := store.Open(store.Config{Quota: 512 << 20, Seed: 7})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = shard.Close() })
	l.Shard = shard
	r := newRig(b, nil, l)
	c := r.trusted(path{noSum: true}, 1)
	const keys = 1_000_000
	value := make([]byte, 128)
	for i := range uint64(keys) {
		if _, res := shard.Set(store.IntKey(i), value, store.SetOptions{}, r.now.UnixMillis); res != store.OK {
			b.Fatal(res)
		}
	}
	n := uint64(0)
	get := func(w *wire.Writer) { n = n*2862933555777941757 + 3037000493; opGetInt(n >> 20 % keys)(w) }
	b.Run("op=get", func(b *testing.B) { r.benchmark(b, 16<<10, 1, c, get, (*prepared).run) })
	b.Run("op=get-8", func(b *testing.B) {
		r.benchmark(b, 2<<10, 8, c, all(get, get, get, get, get, get, get, get), (*prepared).run)
	})
	set := func(w *wire.Writer) {
		n = n*2862933555777941757 + 3037000493
		w.Begin(wire.OpSet, 0, 0)
		w.IntKey(n >> 20 % keys)
		w.Value(value)
	}
	b.Run("op=mixed-8", func(b *testing.B) {
		r.benchmark(b, 2<<10, 8, c, all(get, set, get, set, get, set, get, set), (*prepared).run)
	})
}

// BenchmarkCall calls a function of the interpreter that does nothing.
func BenchmarkCall(b *testing.B) {
	l := newOpenLocal(b, 1, "one")
	interpreted(b, l, "export function empty() { return 1 }")
	r := newRig(b, nil, l)
	b.Run("function=empty", func(b *testing.B) {
		r.benchmark(b, 256, 1, r.trusted(path{noSum: true}, 1), opCall("empty", nil), (*prepared).run)
	})
	b.Run("function=empty/pktproc=none", func(b *testing.B) {
		rt := l.Engine.Runtime()
		o := l.Shard.Overlay()
		var out jit.Outcome
		result := make([]byte, 0, 64)
		b.ReportAllocs()
		for b.Loop() {
			o.Begin(r.now.UnixMillis, store.OverlayLimits{Writes: l.Limits.OverlayWrites, Bytes: l.Limits.OverlayBytes})
			inv := jit.Invocation{Function: []byte("empty"), Tenant: l.Name, NowMillis: r.now.UnixMillis, Overlay: o, Limits: l.Limits, Result: result}
			out = rt.Invoke(&inv)
			if o.Commit() != store.OK {
				b.Fatal("commit")
			}
		}
		if out.Status != jit.OK {
			b.Fatal(out.Status)
		}
	})
}

// interpreted gives l a library of real JavaScript.
func interpreted(tb testing.TB, l *tenants.Local, source string) {
	tb.Helper()
	loader := tenants.Interpreter{}
	p, err := loader.Compile([]byte(source), l.Limits)
	if err != nil {
		tb.Fatal(err)
	}
	rt, err := loader.NewRuntime(p, l.Shard, tenants.Instance{Tenant: l.Name, Limits: l.Limits})
	if err != nil {
		tb.Fatal(err)
	}
	l.Engine.Activate(&tenants.Version{Functions: p.Functions()}, rt)
}

// benchmark serves many different frames, by default more than the first cache
// holds, as with a device's ring.
func (r *rig) benchmark(b *testing.B, frames, ops int, c *client, op func(*wire.Writer), serve func(*prepared)) {
	bursts := make([]*prepared, frames/nic.BurstSize)
	for i := range bursts {
		var list [][]byte
		for range nic.BurstSize {
			list = append(list, c.frame(0, op))
		}
		bursts[i] = r.prepare(list...)
	}
	b.ResetTimer()
	for i := 0; i < b.N; i += nic.BurstSize {
		serve(bursts[i/nic.BurstSize%len(bursts)])
	}
	if ops > 1 {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*ops), "ns/operation")
	}
	if f := &bursts[0].burst.Frames[0]; f.Verdict != nic.Reply {
		b.Fatal("not answered")
	}
}

// swap only swaps addresses and ports, as testpmd's 5tswap does.
func (b *prepared) swap() {
	b.restore()
	for i := range b.burst.N {
		f := &b.burst.Frames[i]
		swapMACs(f.Data)
		h := f.Data[14:42]
		swapAddrs4(h)
		h[20], h[21], h[22], h[23] = h[22], h[23], h[20], h[21]
		f.Verdict = nic.Reply
	}
}
