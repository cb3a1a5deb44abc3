package wasm

import (
	"math/rand/v2"
	"testing"

	"shredder/bench/team"
	"shredder/jit/compile"
	"shredder/jit/corpus"
)

// guarded is a form that some calls ran on, and one of its guards.
type guarded struct {
	module *Module
	kinds  []compile.Kind
	guard  int
}

// guardsOf lists the guards of all forms that b's calls have made.
func guardsOf(b *tiers) (list []guarded) {
	for _, e := range b.compiled.entries {
		for _, f := range e.forms {
			seen := map[int]bool{}
			for _, x := range f.module.Exits {
				if x.Kind == compile.ExitGuard && !seen[x.ID] {
					seen[x.ID] = true
					list = append(list, guarded{f.module, unpackKinds(f.kinds), x.ID})
				}
			}
		}
	}
	return list
}

func unpackKinds(packed uint64) (kinds []compile.Kind) {
	for ; packed > 1; packed >>= 4 {
		kinds = append([]compile.Kind{compile.Kind(packed & 15)}, kinds...)
	}
	return kinds
}

// force makes g fail in every call of b that reaches it.
func (b *tiers) force(g guarded) {
	m, err := b.compiled.library.compile(compile.Request{Function: g.module.function, Args: g.kinds, Wide: g.module.wide, Fail: g.guard})
	if err != nil {
		b.t.Fatal(err)
	}
	f, err := m.Instantiate(b.shards[1])
	if err != nil {
		b.t.Fatal(err)
	}
	b.compiled.Install(f)
	b.forced = g.guard
}

// TestEveryGuardMayFail runs the corpus and the team's library again and again, each
// time with another guard that fails wherever it is reached: calls end as on tier 0, and
// leave the same, for nothing of what was done before the guard may stay.
func TestEveryGuardMayFail(t *testing.T) {
	programs, err := corpus.Load("../../scripts/functions")
	if err != nil {
		t.Fatal(err)
	}
	type run struct {
		name, source string
		calls        func(*tiers) error
	}
	runs := []run{{"team", team.Source, func(b *tiers) error {
		team.Fill(b.Set, rand.New(rand.NewPCG(7, 7)))
		for _, c := range team.Calls() {
			b.Call(c.Function, c.Args)
		}
		return nil
	}}}
	for _, p := range programs {
		runs = append(runs, run{p.Name, string(p.Source), func(b *tiers) error { return p.Run(b) }})
	}
	step := 1
	if testing.Short() {
		step = 5
	}
	forced, failed := 0, 0
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			b := newTiers(t, r.source)
			if err := r.calls(b); err != nil {
				t.Fatal(err)
			}
			for i, g := range guardsOf(b) {
				if i%step != 0 {
					continue
				}
				forced++
				t.Run(g.module.function, func(t *testing.T) { // so that its shards are closed
					again := newTiers(t, r.source)
					again.force(g)
					if err := r.calls(again); err != nil {
						t.Errorf("guard %d: %v", g.guard, err)
					}
					if again.failed > 0 {
						failed++
					}
				})
			}
		})
	}
	t.Logf("%d guards forced, %d of them reached", forced, failed)
	if failed < forced/4 || failed == 0 {
		t.Error("too few guards were reached")
	}
}
