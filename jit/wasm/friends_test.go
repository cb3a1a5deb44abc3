package wasm

import (
	"encoding/binary"
	"testing"
	"time"

	"shredder/bench/graph"
	"shredder/jit"
	"shredder/jit/compile"
	"shredder/pktproc/wire"
	"shredder/store"
)

const countFriends = `
export function countFriends(id, depth) {
  const friends = store.u32(id);            // Uint32Array over the stored bytes, or undefined
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}
`

// loadGraph stores the ego-Facebook graph if it is at hand, else the generated
// one, and returns what countFriends(0, 1..4) must be.
func loadGraph(t testing.TB, s *store.Shard) [graph.Depths]uint64 {
	t.Helper()
	g, err := graph.Find("../../../shared/data/ego-facebook.txt")
	if err != nil {
		t.Fatal(err)
	}
	lists := map[uint32][]byte{}
	for _, e := range g.Edges {
		lists[e.From] = binary.LittleEndian.AppendUint32(lists[e.From], e.To)
	}
	for id, list := range lists {
		if _, r := s.Set(store.IntKey(uint64(id)), list, store.SetOptions{}, testNow); r != store.OK {
			t.Fatal(r)
		}
	}
	return g.Answers
}

func TestCountFriends(t *testing.T) {
	s := openShard(t)
	answers := loadGraph(t, s)
	i := newInstance(t, countFriends, s)
	for d := range answers {
		inv, out := call(t, i, s, "countFriends", ints(0, int64(d+1)))
		if out.Status != jit.OK {
			t.Fatalf("depth %d: %v %s", d+1, out.Status, out.Message)
		}
		if a, _, _ := wire.FirstArg(inv.Result); uint64(a.Int()) != answers[d] {
			t.Fatalf("depth %d: %d, want %d", d+1, a.Int(), answers[d])
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	s := openShard(b)
	loadGraph(b, s)
	i := newInstance(b, countFriends, s)
	if err := i.Prepare("countFriends", []compile.Kind{compile.KindInt, compile.KindInt}, nil); err != nil {
		b.Fatal(err)
	}
	args := ints(0, 3)
	var lookups uint64
	start := time.Now()
	for b.Loop() {
		inv := invocation(s, "countFriends", args)
		if out := i.Invoke(inv); out.Status != jit.OK {
			b.Fatal(out.Status)
		}
		lookups += inv.Cost.Lookups
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(lookups), "ns/lookup")
}
