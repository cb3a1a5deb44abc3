package suite

import (
	"encoding/binary"
	"fmt"
	"time"

	"shredder/bench/graph"
	"shredder/bench/report"
	"shredder/jit"
	"shredder/jit/interp"
	"shredder/pktproc/wire"
	"shredder/store"
)

// Styles of the same function, by the builtins they use.
var countStyles = []struct{ name, source string }{
	{"view", `export function f(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += f(friends[i], depth - 1);
  return n;
}`},
	{"scalar", `export function f(id, depth) {
  const size = store.size(id);
  if (size === undefined) return 0;
  const count = size / 4;
  let n = count;
  if (depth === 1) return n;
  for (let i = 0; i < count; i++) n += f(store.u32At(id, i), depth - 1);
  return n;
}`},
	{"batch", `export function f(id, depth) {
  let n = 0;
  let nodes = [id];
  for (; depth > 1; depth--) {
    nodes = store.concat('u32', nodes);
    n += nodes.length;
  }
  return n + store.sumLengths('u32', nodes);
}`},
}

// projectionStyles return the first four bytes of a value.
var projectionStyles = []struct{ name, source string }{
	{"scalar", `export function f(k) { return store.u32At(k, 0) }`},
	{"view", `export function f(k) { return store.u32(k)[0] }`},
	{"bytes", `export function f(k) { return store.get(k).slice(0, 4) }`},
}

// interpreter runs one library in this process, without a network.
type interpreter struct {
	shard *store.Shard
	inv   jit.Invocation
	run   *interp.Runtime
}

const interpreterQuota = 256 << 20

// newInterpreter compiles source over a shard of its own.
func newInterpreter(source string) (*interpreter, error) {
	limits := jit.DevelopmentLimits()
	shard, err := store.Open(store.Config{Quota: interpreterQuota, Seed: 1})
	if err != nil {
		return nil, err
	}
	p, err := interp.Compile([]byte(source), &limits)
	if err != nil {
		return nil, err
	}
	r, err := interp.NewRuntime(p, shard, interp.RuntimeConfig{Tenant: "bench", Limits: &limits})
	if err != nil {
		return nil, err
	}
	return &interpreter{shard, jit.Invocation{
		Function: []byte("f"), Tenant: "bench", NowMillis: 1, Overlay: shard.Overlay(), Limits: &limits, Result: make([]byte, 0, 64),
		Yield: func() bool { return true },
	}, r}, nil
}

func (e *interpreter) set(key uint64, value []byte) error {
	if _, r := e.shard.Set(store.IntKey(key), value, store.SetOptions{}, 1); r != store.OK {
		return fmt.Errorf("set %d: %v", key, r)
	}
	return nil
}

// call invokes f with integer arguments and returns the encoded result.
func (e *interpreter) call(args []byte) ([]byte, error) {
	limits := store.OverlayLimits{Writes: e.inv.Limits.OverlayWrites, Bytes: e.inv.Limits.OverlayBytes}
	e.inv.Overlay.Begin(1, limits)
	e.inv.Args = args
	e.inv.Result = e.inv.Result[:0]
	out := e.run.Invoke(&e.inv)
	e.inv.Overlay.Discard()
	e.run.Discarded()
	if out.Status != jit.OK {
		return nil, fmt.Errorf("call: %v %s", out.Status, out.Message)
	}
	return e.inv.Result, nil
}

// each times f over the given time in batches and returns the median ns a call.
func each(length time.Duration, f func(i int) error) (float64, error) {
	const batches = 11
	var times []float64
	count, i := 1, 0
	for len(times) < batches {
		start := time.Now()
		for range count {
			if err := f(i); err != nil {
				return 0, err
			}
			i++
		}
		took := time.Since(start)
		if took < length/(2*batches) {
			count *= 2
			continue
		}
		times = append(times, float64(took.Nanoseconds())/float64(count))
	}
	return report.Median(times), nil
}

// native is countFriends in Go over the same shard.
func native(s *store.Shard, id uint64, depth int) uint64 {
	e, r := s.Get(store.IntKey(id), 1)
	if r != store.OK {
		return 0
	}
	n := uint64(len(e.Value) / 4)
	if depth == 1 {
		return n
	}
	for v := e.Value; len(v) >= 4; v = v[4:] {
		n += native(s, uint64(binary.LittleEndian.Uint32(v)), depth-1)
	}
	return n
}

const graphDepth = 3

// countFriends measures each style beside native Go and the peers, per lookup
// of the plain recursion.
func (l *lab) countFriends(g graph.Graph, peers map[string]float64) error {
	lookups := float64(g.Answers[graphDepth-2] + 1)
	args := wire.AppendInt(wire.AppendInt(nil, 0), graphDepth)
	for _, style := range countStyles {
		e, err := newInterpreter(style.source)
		if err != nil {
			return err
		}
		for _, entry := range graph.Entries(g.Edges) {
			if err := e.set(uint64(entry.Key), entry.Value); err != nil {
				return err
			}
		}
		ns, err := each(l.length(), func(int) error {
			b, err := e.call(args)
			if err != nil {
				return err
			}
			if a, _, st := wire.FirstArg(b); st != wire.StatusOK || a.Tag() != wire.TagInt || uint64(a.Int()) != g.Answers[graphDepth-1] {
				return fmt.Errorf("countFriends(0, %d) in style %s gives % x, want %d", graphDepth, style.name, b, g.Answers[graphDepth-1])
			}
			return nil
		})
		if err != nil {
			return err
		}
		goNanos, err := each(l.length()/4, func(int) error {
			if n := native(e.shard, 0, graphDepth); n != g.Answers[graphDepth-1] {
				return fmt.Errorf("native countFriends gives %d", n)
			}
			return nil
		})
		if err != nil {
			return err
		}
		l.perLookup("count-friends-"+style.name, ns/lookups, goNanos/lookups, peers, g.Name)
		if err := e.shard.Close(); err != nil {
			return err
		}
	}
	return nil
}

// perLookup adds a row for each peer that was measured.
func (l *lab) perLookup(name string, ns, goNanos float64, peers map[string]float64, note string) {
	all := map[string]float64{"native Go": goNanos}
	for peer, value := range peers {
		all[peer] = value
	}
	for _, peer := range []string{"native Go", "redis FCALL", "tarantool"} {
		if value, ok := all[peer]; ok && value > 0 {
			l.add(report.Row{Name: name, Value: ns, Unit: "ns", Peer: peer, PeerValue: value, Ratio: report.Ratio(ns, value), Note: note + "; lower is better"})
		}
	}
}

// smallCalls measures projections, the empty call and a single get.
func (l *lab) smallCalls() error {
	const keys = 1000
	for _, size := range []int{128, 1024, 4096} {
		for _, style := range projectionStyles {
			if err := l.smallCall(fmt.Sprintf("projection-%d-%s", size, style.name), style.source, keys, size); err != nil {
				return err
			}
		}
	}
	if err := l.smallCall("call-empty", `export function f() {}`, 0, 0); err != nil {
		return err
	}
	return l.smallCall("call-get", `export function f(k) { return store.get(k) }`, keys, 128)
}

func (l *lab) smallCall(name, source string, keys, size int) error {
	e, err := newInterpreter(source)
	if err != nil {
		return err
	}
	args := [][]byte{nil}
	if keys > 0 {
		args = args[:0]
	}
	for i := range keys {
		if err := e.set(uint64(i), make([]byte, size)); err != nil {
			return err
		}
		args = append(args, wire.AppendInt(nil, int64(i)))
	}
	ns, err := each(l.length()/2, func(i int) error {
		_, err := e.call(args[i%len(args)])
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sink := 0
	goNanos, err := each(l.length()/8, func(i int) error {
		entry, r := e.shard.Get(store.IntKey(uint64(i%len(args))), 1)
		if r == store.OK {
			sink += int(entry.Value[0])
		}
		return nil
	})
	if err != nil || sink != 0 {
		return fmt.Errorf("%s: native lookups: sum %d, %w", name, sink, err)
	}
	l.perLookup(name, ns, goNanos, nil, "a call, beside one native lookup")
	return e.shard.Close()
}
