package engine

import (
	"math"
	"testing"
	"time"

	"shredder/bench/graph"
)

// BenchmarkPaired runs each workload compiled and in native Go by turns and
// reports the quicker run of each, in nanoseconds a unit of work, and their
// ratio: on a busy machine minima hold, means do not.
func BenchmarkPaired(b *testing.B) {
	g, err := graph.Find("")
	if err != nil {
		b.Fatal(err)
	}
	model, _, err := Model("../../../shared/data/nn-models.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, function string
		set            *Set
		args           []int64
		per            float64 // units of work a call; 0: its lookups
		native         func(n *Native)
	}{
		{"graph-3", "countFriends", Graph(g), []int64{0, 3}, 0, func(n *Native) { n.CountFriends(0, 3) }},
		{"graph-2", "countAll", Graph(g), []int64{4000, 2}, 0, func(n *Native) { n.CountAll(4000, 2) }},
		{"distinct-3", "distinct", Graph(g), []int64{0, 3}, 0, func(n *Native) { n.Distinct(0, 3) }},
		{"random-dependent", "chase", &Set{Name: "cycle", Cycle: 1 << 20}, []int64{5, 20_000}, 20_000, func(n *Native) { n.Chase(5, 20_000) }},
		{"random-independent", "gather", &Set{Name: "cycle", Cycle: 1 << 20}, []int64{77, 20_000, 1 << 20}, 20_000, func(n *Native) { n.Gather(77, 20_000, 1<<20) }},
		{"byte-keys", "profiles", Profiles(100_000), []int64{77, 5000, 100_000}, 5000, func(n *Native) { n.Profiles(77, 5000, 100_000) }},
		{"projection-1024", "project", Records(10_000, 1024), []int64{77, 2000, 10_000}, 2000, func(n *Native) { n.Project(77, 2000, 10_000) }},
		{"neural", "classifyMany", model, []int64{ModelKey, SampleKey, 1000}, 1000, func(n *Native) { n.ClassifyMany(ModelKey, SampleKey, 1000) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			shard, err := c.set.Shard()
			if err != nil {
				b.Fatal(err)
			}
			e, err := Compiled(shard, Workloads)
			if err != nil {
				b.Fatal(err)
			}
			native := NewNative(shard)
			best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
			for b.Loop() {
				start := time.Now()
				c.native(native)
				best[0] = min(best[0], time.Since(start))
				start = time.Now()
				if _, err := e.Number(c.function, c.args...); err != nil {
					b.Fatal(err)
				}
				best[1] = min(best[1], time.Since(start))
			}
			per := c.per
			if per == 0 {
				per = float64(e.Cost().Lookups)
			}
			b.ReportMetric(float64(best[0])/per, "native-ns")
			b.ReportMetric(float64(best[1])/per, "compiled-ns")
			b.ReportMetric(float64(best[1])/float64(best[0]), "ratio")
			if err := e.Close(); err != nil {
				b.Error(err)
			}
			if err := shard.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}
