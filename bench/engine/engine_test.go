package engine

import (
	"testing"

	"shredder/bench/graph"
)

// TestEnginesAgree runs every workload once on every engine of this process.
func TestEnginesAgree(t *testing.T) {
	g, err := graph.Find("")
	if err != nil {
		t.Fatal(err)
	}
	nodes := int64(4000)
	model, _, err := Model("../../../shared/data/nn-models.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set      *Set
		function string
		args     []int64
		native   func(n *Native) float64
		want     float64 // 0: whatever native says
	}{
		{Graph(g), "countFriends", []int64{0, 3}, func(n *Native) float64 { return float64(n.CountFriends(0, 3)) }, float64(g.Answers[2])},
		{Graph(g), "countAll", []int64{nodes, 2}, func(n *Native) float64 { return float64(n.CountAll(uint32(nodes), 2)) }, 0},
		{Graph(g), "distinct", []int64{0, 3}, func(n *Native) float64 { return float64(n.Distinct(0, 3)) }, 0},
		{&Set{Name: "cycle", Cycle: 1000}, "chase", []int64{5, 1000}, func(n *Native) float64 { return float64(n.Chase(5, 1000)) }, 5},
		{&Set{Name: "cycle", Cycle: 1000}, "gather", []int64{77, 5000, 1000}, func(n *Native) float64 { return float64(n.Gather(77, 5000, 1000)) }, 0},
		{Profiles(300), "profiles", []int64{77, 1000, 300}, func(n *Native) float64 { return float64(n.Profiles(77, 1000, 300)) }, 0},
		{Records(100, 1024), "project", []int64{77, 1000, 100}, func(n *Native) float64 { return float64(n.Project(77, 1000, 100)) }, 0},
		{model, "classifyMany", []int64{ModelKey, SampleKey, 10}, func(n *Native) float64 { return float64(n.ClassifyMany(ModelKey, SampleKey, 10)) }, 0},
		{Records(100, 128), "first", []int64{9}, func(n *Native) float64 { return float64(n.First(9)) }, 0},
	} {
		shard, err := c.set.Shard()
		if err != nil {
			t.Fatal(err)
		}
		native := c.native(NewNative(shard))
		if c.want != 0 && native != c.want || native == 0 && c.function != "classifyMany" {
			t.Errorf("%s: native gives %v, want %v", c.function, native, c.want)
		}
		for name, open := range Tiers {
			e, err := open(shard, Workloads)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if got, err := e.Number(c.function, c.args...); err != nil || got != native {
					t.Errorf("%s on %s: %v, %v; native gives %v", c.function, name, got, err, native)
				}
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
		if c.function == "countFriends" {
			h, err := NewHostCall(shard)
			if err != nil {
				t.Fatal(err)
			}
			for depth := 1; depth <= 3; depth++ {
				if got, err := h.CountFriends(0, depth); err != nil || got != float64(g.Answers[depth-1]) {
					t.Errorf("host calls at depth %d: %v, %v, want %d", depth, got, err, g.Answers[depth-1])
				}
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := shard.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCircle: the cycle leads through all of its keys.
func TestCircle(t *testing.T) {
	for _, keys := range []int{1000, 1_000_000} {
		s := Set{Cycle: keys}
		values := make([]uint32, 0, keys)
		if err := s.each(func(e Entry) error {
			values = append(values, uint32(e.Value[0])|uint32(e.Value[1])<<8|uint32(e.Value[2])<<16)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		at, steps := values[0], 1
		for ; at != 0; at = values[at] {
			steps++
		}
		if steps != keys {
			t.Errorf("the circle of %d keys is %d long", keys, steps)
		}
	}
}
