package pktproc

import (
	"bytes"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"shredder/jit"
)

// spin uses CPU time that a profile can attribute.
//
//go:noinline
func spin(turns int) (n uint64) {
	for i := range turns {
		n = n*2862933555777941757 + uint64(i)
	}
	return n
}

//go:noinline
func spinOutside(turns int) uint64 { return spin(turns) }

var spun uint64

// TestProfileLabels: a CPU profile tells tenants' functions apart, in straight
// calls and in coroutines, and nothing else carries their labels.
func TestProfileLabels(t *testing.T) {
	const turns = 100_000 // about 0.1 ms
	l := newOpenLocal(t, 1, "burner")
	l.Limits.Fuel, l.Limits.DeadlineMillis = 1<<50, 1<<40
	withRuntime(l, functions{
		"straight": func(c *fakeCall) jit.Status { spun += spin(turns); return c.burn(1) },
		"suspended": func(c *fakeCall) jit.Status {
			for {
				spun += spin(turns)
				if st := c.burn(c.Limits.Slice); st != jit.OK {
					return st
				}
			}
		},
	})
	r := newRig(t, nil, l)
	straight := r.trusted(path{}, 1).frame(0, opCall("straight", nil))
	r.process(r.trusted(path{}, 1).frame(0, opCall("suspended", nil)))
	r.slices(2) // calls queue behind a suspended one, so each kind gets its own rounds
	found := map[string]int{}
	for round := 0; round < 600 && (found["straight"] == 0 || found["suspended"] == 0 || found[""] == 0); round++ {
		var out bytes.Buffer
		if err := pprof.StartCPUProfile(&out); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
			if r.p.Runnable() && found["suspended"] == 0 {
				r.p.RunSlice(r.now)
			} else if r.p.Runnable() {
				r.trusted(path{}, 1).one(opKill(0, 0))
				r.slices(10)
			} else {
				r.process(straight)
			}
			spun += spinOutside(turns)
		}
		pprof.StopCPUProfile()
		countSamples(t, out.Bytes(), found)
	}
	if found["straight"] == 0 || found["suspended"] == 0 || found[""] == 0 {
		t.Fatalf("samples by function: %v", found)
	}
}

// countSamples adds a profile's samples of spin to found, by their function label.
func countSamples(t *testing.T, data []byte, found map[string]int) {
	t.Helper()
	p, err := profile.ParseData(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		var inside, outside bool
		for _, at := range s.Location {
			for _, line := range at.Line {
				inside = inside || line.Function.Name == "shredder/pktproc.spin"
				outside = outside || line.Function.Name == "shredder/pktproc.spinOutside"
			}
		}
		switch {
		case outside && len(s.Label) != 0:
			t.Fatalf("labels %v outside of a call", s.Label)
		case outside:
			found[""]++
		case inside && len(s.Label["function"]) == 1 && len(s.Label["tenant"]) == 1 && s.Label["tenant"][0] == "burner":
			found[s.Label["function"][0]]++
		case inside:
			t.Fatalf("a call's sample with labels %v", s.Label)
		}
	}
}
