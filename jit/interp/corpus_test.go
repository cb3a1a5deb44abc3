package interp

import (
	"testing"

	"shredder/jit"
	"shredder/jit/corpus"
	"shredder/store"
)

// target runs the corpus on this tier, straight first and again with yields if
// preempted, as pktproc does.
type target struct {
	*bed
	slices int64
}

func (t target) Set(k store.Key, v []byte) { t.set(k, v) }

func (t target) Get(k store.Key) ([]byte, bool) {
	s, ok := t.get(k)
	return []byte(s), ok
}

func (t target) Call(function string, args []byte) (jit.Outcome, []byte, []string) {
	t.limits.Slice = t.slices
	out, inv := t.callEncoded(function, nil, args)
	if out.Status == jit.Preempted {
		if len(t.logs) != 0 {
			t.t.Error("a preempted run left console lines")
		}
		out, inv = t.callEncoded(function, always, args)
	}
	return out, inv.Result, t.logs
}

func TestCorpus(t *testing.T) {
	programs, err := corpus.Load("../../scripts/functions")
	if err != nil {
		t.Fatal(err)
	}
	if len(programs) < 40 {
		t.Fatalf("only %d programs", len(programs))
	}
	for _, p := range programs {
		for _, slice := range []int64{1, 7, 512} {
			t.Run(p.Name, func(t *testing.T) {
				b := newBed(t, string(p.Source))
				if err := p.Run(target{b, slice}); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
