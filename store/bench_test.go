package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"shredder/internal/prefetch"
)

// The benchmarks of this file are named for benchstat. A "pass" is a burst of 32
// keys, as pktproc handles them; ns/key is the figure to read there.

const burst = 32

// loaded returns a shard that holds integer keys 0 to n−1 with values of size bytes.
func loaded(tb testing.TB, n uint64, size int) *Shard {
	tb.Helper()
	s, err := Open(Config{Quota: max(n*uint64(size+256), 1<<20), Seed: 42})
	if err != nil {
		tb.Fatal(err)
	}
	fill(tb, s, 0, n, size)
	return s
}

func fill(tb testing.TB, s *Shard, from, to uint64, size int) {
	tb.Helper()
	v := make([]byte, size)
	for k := from; k < to; k++ {
		binary.LittleEndian.PutUint64(v, k)
		if _, r := s.Set(IntKey(k), v, SetOptions{}, 1); r != OK {
			tb.Fatalf("set of %d: %v", k, r)
		}
	}
	for s.Maintain(1, 1000) {
	}
}

// randomKeys are 64 Ki keys below n, drawn once: a burst walks on through them.
func randomKeys(n uint64) []uint64 {
	rng := rand.New(rand.NewPCG(1, n))
	keys := make([]uint64, 1<<16)
	if n > 1<<17 {
		keys = make([]uint64, 1<<20)
	}
	for i := range keys {
		keys[i] = rng.Uint64N(n)
	}
	return keys
}

func BenchmarkGet(b *testing.B) {
	for _, n := range []uint64{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d/value=128B", n), func(b *testing.B) {
			s := loaded(b, n, 128)
			defer s.Close()
			keys := randomKeys(n)
			mask := len(keys) - 1
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if e, r := s.Get(IntKey(keys[i&mask]), 1); r != OK || len(e.Value) != 128 {
					b.Fatal(r)
				}
			}
		})
	}
}

// BenchmarkGetPass looks up bursts of 32 keys and reads the first word of each value.
func BenchmarkGetPass(b *testing.B) {
	for _, n := range []uint64{10_000, 1_000_000} {
		for _, touch := range []bool{false, true} {
			b.Run(fmt.Sprintf("keys=%d/value=128B/touch=%v", n, touch), func(b *testing.B) {
				s := loaded(b, n, 128)
				defer s.Close()
				keys := randomKeys(n)
				b.ResetTimer()
				passes(b, keys, touch, func(uint64) *Shard { return s })
			})
		}
	}
}

// BenchmarkGetTenants spreads one million keys over 10,000 shards, asked in turn, or
// over one.
func BenchmarkGetTenants(b *testing.B) {
	const keys = 1_000_000
	for _, tenants := range []uint64{1, 10_000} {
		b.Run(fmt.Sprintf("tenants=%d/value=128B", tenants), func(b *testing.B) {
			shards := make([]*Shard, tenants)
			for i := range shards {
				s, err := Open(Config{Quota: max(keys/tenants*384, 1<<20), Seed: uint64(i + 1)})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				fill(b, s, 0, keys/tenants, 128)
				shards[i] = s
			}
			next := uint64(0)
			order := randomKeys(keys / tenants)
			if tenants == 1 {
				order = randomKeys(keys)
			}
			b.ResetTimer()
			passes(b, order, true, func(uint64) *Shard {
				next++
				if next >= tenants {
					next = 0
				}
				return shards[next]
			})
		})
	}
}

// chunk is how many bursts are timed together for the quartile that passes reports: on a
// machine with neighbours it says more than the mean.
const chunk = 16

// passes does b.N bursts.
func passes(b *testing.B, keys []uint64, touch bool, shard func(key uint64) *Shard) {
	var hashes [burst]uint64
	var shards [burst]*Shard
	var spots [burst]Spot
	var lines [burst]uintptr
	mask := len(keys) - 1
	at, sum := 0, uint64(0)
	chunks := make([]float64, 0, b.N/chunk+1)
	last := time.Now()
	for n := range b.N {
		if n%chunk == chunk-1 {
			now := time.Now()
			chunks = append(chunks, float64(now.Sub(last).Nanoseconds())/chunk/burst)
			last = now
		}
		part := keys[at : at+burst]
		at = (at + burst) & mask
		for i, k := range part {
			shards[i] = shard(k)
			hashes[i] = shards[i].Hash(IntKey(k))
		}
		if touch {
			for i, h := range hashes {
				lines[i] = shards[i].BucketLine(h)
			}
			prefetch.Lines(lines[:])
			for i, h := range hashes {
				spots[i], lines[i] = shards[i].FindSpot(h)
			}
			prefetch.Blocks(lines[:])
		}
		for i, k := range part {
			e, r := shards[i].GetAt(spots[i], hashes[i], IntKey(k), 1)
			if r != OK {
				b.Fatal(r)
			}
			sum += binary.LittleEndian.Uint64(e.Value)
		}
	}
	if sum == 1 {
		b.Log(sum) // keeps the loads
	}
	if slices.Sort(chunks); len(chunks) > 3 {
		b.ReportMetric(chunks[len(chunks)/4], "quartile-ns/key")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/burst, "ns/key")
}

func BenchmarkSet(b *testing.B) {
	for _, n := range []uint64{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d/value=128B", n), func(b *testing.B) {
			s := loaded(b, n, 128)
			defer s.Close()
			keys, v := randomKeys(n), make([]byte, 128)
			mask := len(keys) - 1
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, r := s.Set(IntKey(keys[i&mask]), v, SetOptions{}, 1); r != OK {
					b.Fatal(r)
				}
			}
		})
	}
}

// BenchmarkSetDelete makes a key and removes it.
func BenchmarkSetDelete(b *testing.B) {
	s := loaded(b, 10_000, 128)
	defer s.Close()
	v := make([]byte, 128)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		k := IntKey(uint64(i) + 10_000)
		if _, r := s.Set(k, v, SetOptions{}, 1); r != OK {
			b.Fatal(r)
		}
		s.Delete(k, 0, false, 1)
	}
}

func BenchmarkIncr(b *testing.B) {
	s := loaded(b, 0, 8)
	defer s.Close()
	for k := range uint64(10_000) {
		s.Set(IntKey(k), []byte("100000000"), SetOptions{}, 1)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, _, r := s.Incr(IntKey(uint64(i)%10_000), 1, 1); r != OK {
			b.Fatal(r)
		}
	}
}

// BenchmarkOverlay is an invocation that reads and writes ten keys and commits.
func BenchmarkOverlay(b *testing.B) {
	s := loaded(b, 10_000, 128)
	defer s.Close()
	o, v := s.Overlay(), make([]byte, 128)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		o.Begin(1, OverlayLimits{})
		for j := range uint64(10) {
			k := IntKey((uint64(i)*10 + j) % 10_000)
			o.Get(k)
			if _, r := o.Set(k, v, SetOptions{}); r != OK {
				b.Fatal(r)
			}
		}
		if r := o.Commit(); r != OK {
			b.Fatal(r)
		}
	}
}

// BenchmarkOpen makes 10,000 shards with one entry each and reports what one costs.
func BenchmarkOpen(b *testing.B) {
	const tenants = 10_000
	for range b.N {
		shards := make([]*Shard, tenants)
		before, tables := residentBytes(), pageTableBytes()
		for i := range shards {
			s, err := Open(Config{Quota: 16 << 20, Seed: uint64(i + 1)})
			if err != nil {
				b.Fatal(err)
			}
			s.Set(IntKey(1), []byte("0123456789abcdef"), SetOptions{}, 1)
			shards[i] = s
		}
		b.ReportMetric(float64(residentBytes()-before)/tenants, "resident-B/shard")
		b.ReportMetric(float64(pageTableBytes()-tables)/tenants, "pagetable-B/shard")
		for _, s := range shards {
			s.Close()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/tenants, "µs/shard")
}

// residentBytes and pageTableBytes read the kernel's account of this process.
func residentBytes() uint64  { return statusLine("VmRSS:") }
func pageTableBytes() uint64 { return statusLine("VmPTE:") }

func statusLine(name string) uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			var kib uint64
			fmt.Sscan(rest, &kib)
			return kib << 10
		}
	}
	return 0
}
