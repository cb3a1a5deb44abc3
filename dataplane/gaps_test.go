package dataplane

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestGapBucketsCoverAllGaps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		nanos := int64(rng.Uint64() >> (24 + rng.IntN(40)))
		b := gapBucket(nanos)
		if lo := GapBucketFloor(b); nanos < lo {
			t.Fatalf("%d ns fell in bucket %d, which begins at %d", nanos, b, lo)
		}
		if b+1 < GapBuckets {
			if hi := GapBucketFloor(b + 1); nanos >= hi {
				t.Fatalf("%d ns fell in bucket %d, which ends at %d", nanos, b, hi)
			}
		}
	}
}

func TestGapQuantilesAreWithinABucket(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var g gaps
	var all []int64
	for range 100_000 {
		nanos := int64(50 + rng.ExpFloat64()*2_000)
		all = append(all, nanos)
		g.record(nanos)
	}
	slices.Sort(all)
	s := g.snapshot()
	for _, q := range []float64{0, 0.5, 0.99, 0.9999, 1} {
		exact := all[min(int(q*float64(len(all))), len(all)-1)]
		got := s.Quantile(q)
		if got < exact || float64(got) > 1.126*float64(exact)+1 {
			t.Errorf("quantile %v = %d ns, exact %d", q, got, exact)
		}
	}
	if s.Max != all[len(all)-1] || s.Quantile(1) != s.Max {
		t.Errorf("max %d, quantile 1 %d, longest recorded %d", s.Max, s.Quantile(1), all[len(all)-1])
	}
	if (&Gaps{}).Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
}

func TestBackoffSpinsThenWaitsLonger(t *testing.T) {
	var b backoff
	for i := range spinTurns {
		if n := b.next(); n != 0 {
			t.Fatalf("idle turn %d waits %d ns", i, n)
		}
	}
	last := int64(0)
	for range 20 {
		n := b.next()
		if n < last || n < minWaitNanos || n > maxWaitNanos {
			t.Fatalf("wait of %d ns after one of %d", n, last)
		}
		last = n
	}
	if last != maxWaitNanos {
		t.Errorf("waits end at %d ns, want %d", last, maxWaitNanos)
	}
	b.reset()
	if b.next() != 0 {
		t.Error("work does not end the waiting")
	}
}
