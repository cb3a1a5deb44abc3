package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sort"
	"testing"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/jit/corpus"
	"shredder/jit/interp"
	"shredder/pktproc/wire"
	"shredder/store"
)

// tiers runs every call on tier 0 and, where it compiles, on tier 1, each with
// a shard of its own, and fails where anything differs: outcome, result, fuel,
// lookups, bytes read, contents of the store.
type tiers struct {
	t        testing.TB
	shards   [2]*store.Shard
	runtimes [2]*interp.Runtime // the second one stands in where tier 1 does not run
	compiled *Instance
	limits   *jit.Limits
	slice    int64
	refusals map[string]string // function → why it does not compile
	ran      [2]int            // calls by tier that ran on the second shard
	seed     uint64
	log      []string // console lines of the second run

	forced int // ID of a guard that always fails
	failed int // how often it did

	latest       jit.Outcome // of the second run
	latestResult []byte
}

func newTiers(t testing.TB, source string) *tiers {
	t.Helper()
	b := &tiers{t: t, limits: testLimits(), refusals: map[string]string{}}
	program, err := interp.Compile([]byte(source), b.limits)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.shards {
		b.shards[i] = openShard(t)
		b.runtimes[i], err = interp.NewRuntime(program, b.shards[i], interp.RuntimeConfig{Tenant: "test", Limits: b.limits, NowMillis: testNow})
		if err != nil {
			t.Fatal(err)
		}
	}
	text, _ := blank(source)
	l, err := NewLibrary(text, program.Functions())
	if err != nil {
		t.Fatal(err)
	}
	b.compiled = New(l, b.shards[1], Config{FallBack: true}) // as a trusted tenant
	t.Cleanup(func() { _ = b.compiled.Close() })
	return b
}

func (b *tiers) Set(k store.Key, v []byte) {
	for _, s := range b.shards {
		if _, r := s.Set(k, v, store.SetOptions{}, testNow); r != store.OK {
			b.t.Fatal(r)
		}
	}
}

func (b *tiers) Get(k store.Key) ([]byte, bool) {
	e, r := b.shards[1].Get(k, testNow)
	return e.Value, r == store.OK
}

func (b *tiers) invocation(s *store.Shard, function string, args []byte) *jit.Invocation {
	inv := invocation(s, function, args)
	l := *b.limits
	if b.slice > 0 {
		l.Slice = b.slice
	}
	inv.Limits, inv.Seed, inv.ID, inv.Tenant = &l, b.seed+1, 7, "test"
	return inv
}

func settle(s *store.Shard, out jit.Outcome) {
	if out.Status == jit.OK {
		s.Overlay().Commit()
	} else {
		s.Overlay().Discard()
	}
}

// second runs a call on tier 1, or on tier 0 where it does not compile.
func (b *tiers) second(function string, args []byte) (*jit.Invocation, jit.Outcome, bool) {
	s := b.shards[1]
	for range 30 {
		if b.refusals[function] != "" {
			break
		}
		inv := b.invocation(s, function, args)
		inv.Log = b.keepLine
		out := b.compiled.Invoke(inv)
		if out.Status != jit.Deopt {
			settle(s, out)
			b.ran[1]++
			return inv, out, true
		}
		s.Overlay().Discard()
		if g := b.compiled.Missed().Guard; g != nil && g.ID == b.forced {
			b.failed++
			break // for tier 0, as if the guard could not be widened
		}
		again, err := b.compiled.Widen(function)
		if err != nil {
			var refusal *compile.Refusal
			if !errors.As(err, &refusal) {
				b.t.Fatalf("%s: %v", function, err)
			}
			b.refusals[function] = refusal.Error()
		}
		if !again {
			break
		}
	}
	inv := b.invocation(s, function, args)
	inv.Log = b.keepLine
	out := b.runtimes[1].Invoke(inv)
	settle(s, out)
	b.ran[0]++
	return inv, out, false
}

func (b *tiers) keepLine(level uint8, text []byte) {
	b.log = append(b.log, fmt.Sprint(level, " ", string(text)))
}

func (b *tiers) Call(function string, args []byte) (jit.Outcome, []byte, []string) {
	b.t.Helper()
	b.seed++
	var log []string
	first := b.invocation(b.shards[0], function, args)
	first.Log = func(level uint8, text []byte) {
		log = append(log, fmt.Sprint(level, " ", string(text)))
	}
	want := b.runtimes[0].Invoke(first)
	want.Message = bytes.Clone(want.Message)
	settle(b.shards[0], want)
	b.log = nil
	second, got, compiled := b.second(function, args)
	b.latest, b.latestResult = got, second.Result
	if fmt.Sprint(log) != fmt.Sprint(b.log) {
		b.t.Errorf("%s(%x): console of tier 0 %q, of tier 1 %q", function, args, log, b.log)
	}
	if got.Status != want.Status || want.Status == jit.Exception && !sameException(got, want) {
		b.t.Errorf("%s(%x): tier 0 %v %q %d:%d, tier 1 %v %q %d:%d", function, args, want.Status, want.Message, want.Line, want.Column,
			got.Status, got.Message, got.Line, got.Column)
	}
	if want.Status == jit.OK && !bytes.Equal(first.Result, second.Result) && !sameNumber(first.Result, second.Result) {
		b.t.Errorf("%s(%x): tier 0 %s, tier 1 %s", function, args, corpus.Show(want, first.Result), corpus.Show(got, second.Result))
	}
	a, c := first.Cost, second.Cost
	a.Tier, c.Tier = 0, 0
	if compiled && want.Status != jit.Exception && a != c {
		b.t.Errorf("%s(%x): cost of tier 0 %+v, of tier 1 %+v", function, args, a, c)
	}
	b.compareStores(function)
	return want, first.Result, log
}

// sameNumber says that two results differ only as is known: goja gives 0 for an integer times 0 where the
// standard says −0 (facts.md). Tier 1 follows the standard.
func sameNumber(tier0, tier1 []byte) bool {
	if a, _, _ := wire.FirstArg(tier0); a.Tag() == wire.TagDouble && a.Double() != a.Double() {
		a, _, _ = wire.FirstArg(tier1)
		return a.Tag() == wire.TagDouble && a.Double() != a.Double() // any NaN is NaN
	}
	return bytes.Equal(tier0, wire.AppendInt(nil, 0)) && bytes.Equal(tier1, wire.AppendDouble(nil, math.Copysign(0, -1)))
}

func sameException(a, b jit.Outcome) bool {
	return bytes.Equal(a.Message, b.Message) && a.Line == b.Line && a.Column == b.Column
}

func (b *tiers) compareStores(function string) {
	b.t.Helper()
	var dumps [2][]string
	for i, s := range b.shards {
		for cursor := uint64(0); ; {
			next, _ := s.Scan(cursor, 1024, testNow, func(k store.Key, e store.Entry) bool {
				dumps[i] = append(dumps[i], fmt.Sprintf("%d %q %x %d", k.Int, k.Bytes, e.Value, e.ExpireMillis))
				return true
			})
			if next == 0 {
				break
			}
			cursor = next
		}
		sort.Strings(dumps[i])
	}
	if fmt.Sprint(dumps[0]) != fmt.Sprint(dumps[1]) {
		b.t.Errorf("%s leaves different stores:\n%v\n%v", function, dumps[0], dumps[1])
	}
}

func TestCorpusOnBothTiers(t *testing.T) {
	programs, err := corpus.Load("../../scripts/functions")
	if err != nil {
		t.Fatal(err)
	}
	compiled, all := 0, 0
	for _, p := range programs {
		t.Run(p.Name, func(t *testing.T) {
			b := newTiers(t, string(p.Source))
			if err := p.Run(b); err != nil {
				t.Error(err)
			}
			for _, why := range b.refusals {
				t.Log(why)
			}
			compiled += b.ran[1]
			all += b.ran[0] + b.ran[1]
		})
	}
	t.Logf("%d of %d calls ran compiled", compiled, all)
}
