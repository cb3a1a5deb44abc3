package wasm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/pktproc/wire"
	"shredder/store"
)

const byteKeys = `
export function one(key) { const v = store.get(key); return v ? v.length * 1000 + v[0] : null }
export function twice(key) { store.set('x', 'y'); return store.size(key) ?? -1 }
export function walk(key, n) {
  let k = store.get(key);
  if (k === undefined) return -1;
  for (let i = 1; i < n; i++) { const next = store.get(k); if (next === undefined) return -i; k = next }
  return k.length;
}
export function numbered(from, n) {
  let found = 0;
  for (let i = from; i < from + n; i++) if (store.has('user:' + i)) found++;
  return found;
}
export function digits(n) { return '' + n + ',' + (-n) }
`

// TestByteKeys looks up keys of every length, that are there, expired, missing
// and nearly there, among so many that buckets overflow.
func TestByteKeys(t *testing.T) {
	b := newTiers(t, byteKeys)
	r := rand.New(rand.NewPCG(7, 7))
	key := func(n int) []byte {
		k := make([]byte, n)
		for i := range k {
			k[i] = byte(r.UintN(256))
		}
		return k
	}
	var keys [][]byte
	for n := 1; n < 60; n++ {
		keys = append(keys, key(n), key(n), bytes.Repeat([]byte{0}, n), bytes.Repeat([]byte{'7'}, n))
	}
	keys = append(keys, key(1023), key(1024), []byte("9007199254740991"), []byte("9007199254740992"), []byte("007"), []byte("1a2"), []byte("12345678901234567"))
	for i := range 400 {
		keys = append(keys, fmt.Appendf(nil, "user:%d", i))
	}
	for i, k := range keys {
		if i%5 == 4 {
			continue // missing
		}
		b.Set(store.BytesKey(k), append([]byte{byte(i)}, k[:i%len(k)]...))
		if i%11 == 1 {
			for _, s := range b.shards {
				if _, r := s.Set(store.BytesKey(k), []byte("gone"), store.SetOptions{ExpireMillis: testNow - 1}, testNow-10); r != store.OK {
					t.Fatal(r)
				}
			}
		}
	}
	for i, k := range keys {
		if i > 60 && i%7 != 0 {
			continue
		}
		near := append([]byte{}, k...)
		near[r.IntN(len(near))] ^= 1 << r.UintN(8)
		for _, k := range [][]byte{k, near, append(near, 0), k[:len(k)-1]} {
			b.Call("one", wire.AppendBytes(nil, k))
			b.Call("one", wire.AppendString(nil, string(bytes.ToValidUTF8(k, []byte("é")))))
		}
		b.Call("twice", wire.AppendBytes(nil, k))
	}
	b.Call("one", wire.AppendBytes(nil, key(1025)))
	b.Call("numbered", ints(0, 450))
	b.Call("numbered", ints(-5, 10))
	for _, n := range []int64{0, 9, 10, 4294967295, 4294967296, 42949672950, 9007199254740991, -1, -4294967296} {
		b.Call("digits", ints(n))
	}
	if b.ran[1] < 600 {
		t.Errorf("%d calls ran compiled", b.ran[1])
	}
}

// chainOfKeys stores n keys of 21 bytes, each with the next one as its value.
func chainOfKeys(t testing.TB, s *store.Shard, n int) []byte {
	t.Helper()
	order := rand.New(rand.NewPCG(1, 2)).Perm(n)
	key := func(i int) []byte { return fmt.Appendf(nil, "session:%013d", order[i%n]) }
	for i := range n {
		if _, r := s.Set(store.BytesKey(key(i)), key(i+1), store.SetOptions{}, testNow); r != store.OK {
			t.Fatal(r)
		}
	}
	return key(0)
}

const chainLength = 100_000

func BenchmarkByteKeys(b *testing.B) {
	s := openShard(b)
	first := chainOfKeys(b, s, chainLength)
	i := newInstance(b, byteKeys, s)
	if err := i.Prepare("walk", []compile.Kind{compile.KindBytes, compile.KindInt}, nil); err != nil {
		b.Fatal(err)
	}
	args := wire.AppendInt(wire.AppendBytes(nil, first), chainLength)
	lookups := uint64(0)
	start := time.Now()
	for b.Loop() {
		inv := invocation(s, "walk", args)
		if out := i.Invoke(inv); out.Status != jit.OK || inv.Cost.Lookups != chainLength {
			b.Fatal(out.Status, inv.Cost.Lookups)
		}
		lookups += inv.Cost.Lookups
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(lookups), "ns/lookup")
}

func BenchmarkByteKeysNative(b *testing.B) {
	s := openShard(b)
	first := chainOfKeys(b, s, chainLength)
	n := newNative(s)
	start := time.Now()
	for b.Loop() {
		k := first
		for range chainLength {
			if k = n.lookupBytes(k); k == nil {
				b.Fatal("a key is missing")
			}
		}
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(n.lookups), "ns/lookup")
}

func BenchmarkNumberedKeys(b *testing.B) {
	s := openShard(b)
	const n = 10_000
	for k := range n {
		if _, r := s.Set(store.BytesKey(fmt.Appendf(nil, "user:%d", k)), []byte("v"), store.SetOptions{}, testNow); r != store.OK {
			b.Fatal(r)
		}
	}
	i := newInstance(b, byteKeys, s)
	if err := i.Prepare("numbered", []compile.Kind{compile.KindInt, compile.KindInt}, nil); err != nil {
		b.Fatal(err)
	}
	lookups := uint64(0)
	start := time.Now()
	for b.Loop() {
		inv := invocation(s, "numbered", ints(0, n))
		if out := i.Invoke(inv); out.Status != jit.OK || inv.Cost.Lookups != n {
			b.Fatal(out.Status, inv.Cost.Lookups)
		}
		lookups += inv.Cost.Lookups
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(lookups), "ns/lookup")
}
