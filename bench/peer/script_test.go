package peer

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"shredder/bench/engine"
	"shredder/bench/graph"
)

// answerer is a peer that runs workloads.
type answerer interface {
	Run(length time.Duration, function string, args ...int64) (nanos, result float64, err error)
	Stop() error
}

// TestPeersGiveTheKnownAnswers runs each workload once on each peer of this
// machine, and in this process.
func TestPeersGiveTheKnownAnswers(t *testing.T) {
	g, err := graph.Find("")
	if err != nil {
		t.Fatal(err)
	}
	model, _, err := engine.Model("no such file")
	if err != nil {
		t.Fatal(err)
	}
	calls := []struct {
		set      *engine.Set
		function string
		args     []int64
	}{
		{engine.Graph(g), "countFriends", []int64{0, 3}},
		{engine.Graph(g), "countAll", []int64{100, 2}},
		{engine.Graph(g), "distinct", []int64{0, 3}},
		{&engine.Set{Name: "cycle", Cycle: 1000}, "chase", []int64{5, 900}},
		{&engine.Set{Name: "cycle", Cycle: 1000}, "gather", []int64{77, 1000, 1000}},
		{engine.Profiles(300), "profiles", []int64{77, 1000, 300}},
		{engine.Records(100, 128), "project", []int64{77, 1000, 100}},
		{model, "classifyMany", []int64{engine.ModelKey, engine.SampleKey, 3}},
	}
	for _, kind := range []string{"node-arraybuffer", "node-map", "luajit", "tarantool", "redis"} {
		binary, _, _ := strings.Cut(kind, "-")
		if kind == "redis" {
			binary = "redis-server"
		}
		if _, err := exec.LookPath(binary); err != nil {
			t.Logf("%s is not installed", binary)
			continue
		}
		peers := map[*engine.Set]answerer{}
		for _, c := range calls {
			if kind == "redis" && c.set.Cycle > 0 {
				continue
			}
			p := peers[c.set]
			if p == nil {
				var err error
				if kind == "redis" {
					p, err = StartFunctions(0, c.set)
				} else {
					p, err = StartScript(kind, 0, t.TempDir(), c.set)
				}
				if err != nil {
					t.Fatal(err)
				}
				peers[c.set] = p
				t.Cleanup(func() { _ = p.Stop() })
			}
			nanos, got, err := p.Run(0, c.function, c.args...)
			if want := inProcess(t, c.set, c.function, c.args); err != nil || got != want || nanos <= 0 {
				t.Errorf("%s on %s: %v in %v ns, %v, want %v", c.function, kind, got, nanos, err, want)
			}
		}
	}
}

func inProcess(t *testing.T, set *engine.Set, function string, args []int64) float64 {
	t.Helper()
	shard, err := set.Shard()
	if err != nil {
		t.Fatal(err)
	}
	defer shard.Close()
	e, err := engine.Interpreted(shard, engine.Workloads)
	if err != nil {
		t.Fatal(err)
	}
	n, err := e.Number(function, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
