package dataplane

import (
	"math/bits"
	"sync/atomic"
)

// GapBuckets is the number of buckets of a gap histogram: eight to a power of
// two, up to 2^40 ns.
const GapBuckets = 40 * 8

// gaps is a histogram of the times between two polls of one lcore. The lcore
// alone writes it; the counters are read elsewhere while it does, so each is
// stored atomically but never read-modified-written with a lock prefix.
type gaps struct {
	counts [GapBuckets]uint64
	max    int64
}

// gapBucket returns the bucket of a gap: its power of two and the three bits
// below the leading one, so a bucket is at most 12.5 % wide.
func gapBucket(nanos int64) int {
	if nanos < 8 {
		return int(max(nanos, 0))
	}
	exp := bits.Len64(uint64(nanos)) - 1
	b := (exp-2)*8 + int(uint64(nanos)>>(exp-3)&7)
	return min(b, GapBuckets-1)
}

// GapBucketFloor returns the smallest gap, in nanoseconds, that falls in bucket b.
func GapBucketFloor(b int) int64 {
	if b < 8 {
		return int64(b)
	}
	exp := b/8 + 2
	return int64(8+b%8) << (exp - 3)
}

func (g *gaps) record(nanos int64) {
	b := gapBucket(nanos)
	atomic.StoreUint64(&g.counts[b], g.counts[b]+1)
	if nanos > g.max {
		atomic.StoreInt64(&g.max, nanos)
	}
}

// Gaps is a copy of an lcore's histogram of gaps between polls.
type Gaps struct {
	// Counts[b] is the number of gaps of at least GapBucketFloor(b) ns and
	// less than GapBucketFloor(b+1).
	Counts [GapBuckets]uint64
	// Max is the longest gap in nanoseconds.
	Max int64
}

func (g *gaps) snapshot() Gaps {
	var s Gaps
	for i := range g.counts {
		s.Counts[i] = atomic.LoadUint64(&g.counts[i])
	}
	s.Max = atomic.LoadInt64(&g.max)
	return s
}

// Quantile returns the gap in nanoseconds that the fraction q of all gaps does
// not exceed (its bucket's upper end, or Max if that is lower), 0 if there are none.
func (g *Gaps) Quantile(q float64) int64 {
	var total uint64
	for _, c := range g.Counts {
		total += c
	}
	if total == 0 {
		return 0
	}
	rank := uint64(q * float64(total))
	var seen uint64
	for b, c := range g.Counts {
		seen += c
		if seen > rank || seen == total {
			if b == GapBuckets-1 {
				return g.Max
			}
			return min(GapBucketFloor(b+1), g.Max)
		}
	}
	return g.Max
}
