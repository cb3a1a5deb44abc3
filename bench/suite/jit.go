package suite

import (
	"fmt"

	"shredder/bench/engine"
	"shredder/bench/graph"
	"shredder/bench/peer"
)

// jit is the suite of the issue about compiled functions. Engines that take turns
// in this process and interpreters beside it run on one CPU, redis-server on the other.
func (l *lab) jit() error {
	return l.parts([]part{
		{"graph", l.jitGraph}, {"random", l.jitRandom}, {"small", l.jitSmall}, {"library", l.jitLibrary}, {"remote", l.jitRemote}, {"pauses", l.jitPauses},
	})
}

// arena is a data set and the engines that run on it.
type arena struct {
	set      *engine.Set
	native   *engine.Native
	compiled *engine.Engine
	goja     *engine.Engine
	host     *engine.HostCall
	peers    []entrant
}

// stage stores a set, once for all engines of this process, and starts peers with it.
func (l *lab) stage(set *engine.Set, peers ...string) (*arena, error) {
	shard, err := set.Shard()
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = shard.Close() })
	a := &arena{set: set, native: engine.NewNative(shard)}
	if a.compiled, err = engine.Compiled(shard, engine.Workloads); err != nil {
		return nil, err
	}
	l.later(func() { _ = a.compiled.Close() })
	if a.goja, err = engine.Interpreted(shard, engine.Workloads); err != nil {
		return nil, err
	}
	if a.host, err = engine.NewHostCall(shard); err != nil {
		return nil, err
	}
	l.later(func() { _ = a.host.Close() })
	for _, name := range peers {
		var p interface {
			contestant
			Stop() error
		}
		if name == "redis" {
			p, err = peer.StartFunctions(l.ServerCPU, set)
		} else {
			p, err = peer.StartScript(name, l.ClientCPU, l.dir, set)
		}
		if err != nil {
			return nil, err
		}
		l.later(func() { _ = p.Stop() })
		a.peers = append(a.peers, entrant{name: name, contestant: p})
	}
	return a, nil
}

// byHand makes an entrant of a native function.
func byHand(f func() float64) entrant {
	return entrant{name: "native", contestant: local(func(string, ...int64) (float64, error) { return f(), nil })}
}

// against lists ours, native, the peers and goja with the same source.
func (a *arena) against(native func() float64, more ...entrant) []entrant {
	list := append([]entrant{{name: "compiled", contestant: local(a.compiled.Number)}, byHand(native)}, a.peers...)
	return append(append(list, entrant{name: "goja", contestant: local(a.goja.Number)}), more...)
}

// everyone are the peers that run all workloads.
var everyone = []string{"node-arraybuffer", "node-map", "luajit", "redis", "tarantool"}

// jitGraph walks the graph, by plain recursion and over distinct nodes.
func (l *lab) jitGraph() error {
	g, err := graph.Find(l.Graph)
	if err != nil {
		return err
	}
	a, err := l.stage(engine.Graph(g), everyone...)
	if err != nil {
		return err
	}
	nodes := int64(0)
	for _, e := range g.Edges {
		nodes = max(nodes, int64(e.From)+1, int64(e.To)+1)
	}
	batch, err := l.bestOfGoja(a.set)
	if err != nil {
		return err
	}
	best := func(function string) entrant {
		return entrant{name: "goja-best", contestant: local(batch.Number), function: function}
	}
	// The walk written for the ArrayBuffer's table by hand: not the same source.
	hand := func(function string) entrant {
		e := a.peers[0]
		return entrant{name: "node-by-hand", contestant: e.contestant, function: function}
	}
	note := g.Name + "; a lookup"
	for _, c := range []contest{
		{name: "graph-3", function: "countFriends", args: []int64{0, 3}, per: float64(g.Answers[1] + 1), note: note, want: float64(g.Answers[2]),
			entrants: a.against(func() float64 { return float64(a.native.CountFriends(0, 3)) }, best("f"), hand("countFriendsByHand"))},
		{name: "graph-2", function: "countAll", args: []int64{nodes, 2}, per: float64(int(nodes) + len(g.Edges)), note: note + ", depth 2 from every node",
			entrants: a.against(func() float64 { return float64(a.native.CountAll(uint32(nodes), 2)) }, best("all"), hand("countAllByHand"))},
		{name: "in-runtime", function: "countFriends", args: []int64{0, 3}, per: float64(g.Answers[1] + 1), want: float64(g.Answers[2]),
			note: note + "; the peer is the same walk in WebAssembly whose lookup is a Go function",
			entrants: []entrant{{name: "compiled", contestant: local(a.compiled.Number)},
				{name: "host-call", contestant: local(func(string, ...int64) (float64, error) { return a.host.CountFriends(0, 3) })}}},
		{name: "distinct-3", function: "distinct", args: []int64{0, 3}, per: l.visits(a), note: g.Name + "; a friend seen",
			entrants: a.against(func() float64 { return float64(a.native.Distinct(0, 3)) })},
	} {
		if err := l.hold(c); err != nil {
			return err
		}
	}
	return nil
}

// bestOfGoja is the graph's walk in the style that is quickest on tier 0.
func (l *lab) bestOfGoja(set *engine.Set) (*engine.Engine, error) {
	shard, err := set.Shard()
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = shard.Close() })
	return engine.Interpreted(shard, countStyles[len(countStyles)-1].source+`
export function all(nodes, depth) {
  let n = 0;
  for (let id = 0; id < nodes; id++) n += f(id, depth);
  return n;
}`)
}

// visits is how many friends the walk over distinct nodes looks at.
func (l *lab) visits(a *arena) float64 {
	friends := map[uint32][]byte{}
	for _, e := range a.set.Entries {
		friends[e.Int] = e.Value
	}
	seen, frontier, visits := map[uint32]bool{0: true}, []uint32{0}, 0
	for range 3 {
		var next []uint32
		for _, x := range frontier {
			for v := friends[x]; len(v) >= 4; v = v[4:] {
				y := uint32(v[0]) | uint32(v[1])<<8 | uint32(v[2])<<16 | uint32(v[3])<<24
				visits++
				if !seen[y] {
					seen[y] = true
					next = append(next, y)
				}
			}
		}
		frontier = next
	}
	return float64(visits)
}

// jitRandom looks up keys at random in a table that no cache holds.
func (l *lab) jitRandom() error {
	keys, steps := 10_000_000, int64(100_000)
	if l.Quick {
		keys, steps = 1_000_000, 20_000
	}
	a, err := l.stage(&engine.Set{Name: "cycle", Cycle: keys}, "node-arraybuffer", "luajit")
	if err != nil {
		return err
	}
	note := fmt.Sprintf("a lookup; %d keys; node-map, redis and tarantool would need several GB", keys)
	for _, c := range []contest{
		{name: "random-dependent", function: "chase", args: []int64{1, steps}, per: float64(steps), note: note,
			entrants: a.against(func() float64 { return float64(a.native.Chase(1, int(steps))) })},
		{name: "random-independent", function: "gather", args: []int64{77, steps, int64(keys)}, per: float64(steps), note: note,
			entrants: a.against(func() float64 { return float64(a.native.Gather(77, int(steps), uint32(keys))) })},
	} {
		if err := l.hold(c); err != nil {
			return err
		}
	}
	return nil
}

// jitSmall measures byte keys, projections, the network and small calls.
func (l *lab) jitSmall() error {
	const profiles, records = 100_000, 1_000
	steps := int64(20_000)
	if l.Quick {
		steps = 4_000
	}
	a, err := l.stage(engine.Profiles(profiles), everyone...)
	if err != nil {
		return err
	}
	if err := l.hold(contest{name: "byte-keys", function: "profiles", args: []int64{77, steps, profiles}, per: float64(steps),
		note:     "a lookup by a key of 21 bytes made of a prefix and a number",
		entrants: a.against(func() float64 { return float64(a.native.Profiles(77, int(steps), profiles)) })}); err != nil {
		return err
	}
	l.cleanUp()
	for _, size := range []int{128, 1024, 4096} {
		if a, err = l.stage(engine.Records(records, size), everyone...); err != nil {
			return err
		}
		if err := l.hold(contest{name: fmt.Sprint("projection-", size), function: "project", args: []int64{77, steps, records}, per: float64(steps),
			note:     "get and slice of the first four bytes of a record",
			entrants: a.against(func() float64 { return float64(a.native.Project(77, int(steps), records)) })}); err != nil {
			return err
		}
		if size == 128 {
			if err := l.calls(a); err != nil {
				return err
			}
		}
		l.cleanUp()
	}
	model, class, err := engine.Model(l.Models)
	if err != nil {
		return err
	}
	if a, err = l.stage(model, everyone...); err != nil {
		return err
	}
	times := int64(200)
	c := contest{name: "neural", function: "classifyMany", args: []int64{engine.ModelKey, engine.SampleKey, times}, per: float64(times),
		note:     "one classification by the network wine",
		entrants: a.against(func() float64 { return float64(a.native.ClassifyMany(engine.ModelKey, engine.SampleKey, int(times))) })}
	if class > 0 {
		c.want = float64(class) * float64(times)
	}
	return l.hold(c)
}

// calls measures one call from its encoded arguments to its encoded result.
func (l *lab) calls(a *arena) error {
	const batch = 2000
	repeat := func(f func() error) local {
		return func(string, ...int64) (float64, error) {
			for range batch {
				if err := f(); err != nil {
					return 0, err
				}
			}
			return 1, nil
		}
	}
	for _, c := range []struct {
		name, function string
		args           []byte
	}{{"call-empty", "empty", nil}, {"call-get", "first", engine.Ints(9)}} {
		function := []byte(c.function)
		on := func(e *engine.Engine) local {
			return repeat(func() error { _, err := e.Call(function, c.args); return err })
		}
		list := []entrant{{name: "compiled", contestant: on(a.compiled)}}
		if c.args != nil {
			list = append(list, entrant{name: "native", contestant: repeat(func() error { sink = a.native.First(9); return nil })})
		}
		if err := l.hold(contest{name: c.name, per: batch, note: "a call with its arguments decoded and its result encoded; native is the lookup alone",
			entrants: append(list, entrant{name: "goja", contestant: on(a.goja)})}); err != nil {
			return err
		}
	}
	return nil
}

// sink keeps results alive.
var sink uint32
