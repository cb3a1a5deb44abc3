package pktproc

import (
	"fmt"
	"testing"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// TestNeighbours: one tenant that loops for ever gets its turns, no more, and
// the others' calls and writes go on.
func TestNeighbours(t *testing.T) {
	var locals []*tenants.Local
	for i := range 20 {
		l := newOpenLocal(t, uint32(i+1), fmt.Sprint("t", i))
		l.Limits.Fuel, l.Limits.DeadlineMillis = 1<<50, 1<<30
		locals = append(locals, l)
	}
	r := callRig(t, nil, locals...)
	r.process(r.trusted(path{}, 1).frame(0, opCall("loop", nil)))
	r.slices(100)
	for i := 1; i < 10; i++ {
		r.process(r.trusted(path{}, uint32(i+1)).frame(0, opCall("long", nil)))
	}
	// 9 calls of 21 slices and the first run each, a tenth tenant by turns.
	n := 0
	for len(r.q.sent) < 9 && n < 1000 {
		r.p.RunSlice(r.now)
		n++
		if op := r.trusted(path{}, 15).one(opIncr("n", 1)); int(op.Word(1)) != n {
			t.Fatal("a neighbour's write waited")
		}
	}
	if n > 10*25 {
		t.Fatalf("%d slices for nine calls of 21", n)
	}
	r.slices(200)
	if got := r.p.tenantByID(1).deficit; got > sliceQuantum || got < -2*512 {
		t.Fatalf("deficit %d", got)
	}
}

// TestFairness: fuel, not calls, is shared out.
func TestFairness(t *testing.T) {
	a, b := newOpenLocal(t, 1, "a"), newOpenLocal(t, 2, "b")
	for _, l := range []*tenants.Local{a, b} {
		l.Limits.Fuel, l.Limits.DeadlineMillis = 1<<50, 1<<30
	}
	a.Limits.Slice = 16 * sliceQuantum // sixteen times the slice: a sixteenth of the turns
	r := callRig(t, nil, a, b)
	r.process(r.trusted(path{}, 1).frame(0, opCall("loop", nil)), r.trusted(path{}, 2).frame(0, opCall("loop", nil)))
	for range 20_000 {
		r.p.RunSlice(r.now)
	}
	fuel := func(id uint32) float64 { return float64(r.p.tenantByID(id).current.invocation.Cost.Fuel) }
	if ratio := fuel(1) / fuel(2); ratio < 0.8 || ratio > 1.25 {
		t.Fatalf("fuel %v to %v", fuel(1), fuel(2))
	}
}

// TestTurnBudget: many calls in one burst do not hold it for longer than
// Limits.TurnSlices.
func TestTurnBudget(t *testing.T) {
	var locals []*tenants.Local
	for i := range 32 {
		locals = append(locals, newOpenLocal(t, uint32(i+1), fmt.Sprint("t", i)))
	}
	r := callRig(t, nil, locals...)
	for _, l := range locals {
		addFunction(l, "half", func(c *fakeCall) jit.Status { return c.burn(300) })
	}
	var frames [][]byte
	for i := range 32 {
		frames = append(frames, r.trusted(path{}, uint32(i+1)).frame(0, opCall("half", nil)))
	}
	now := 0
	for _, b := range r.process(frames...) {
		if b != nil {
			now++
		}
	}
	if now != 7 { // ⌈4 × 512 / 300⌉
		t.Fatalf("%d of 32 calls within the burst", now)
	}
	r.slices(100)
	if len(r.q.sent) != 25 {
		t.Fatalf("%d answered later", len(r.q.sent))
	}
}

// TestManyCalls: many short calls of one datagram give way to others like one
// long one, atomic or not, straight or in a coroutine.
func TestManyCalls(t *testing.T) {
	for _, flags := range []uint8{0, wire.FlagAtomic} {
		l, other := newOpenLocal(t, 1, "one"), newOpenLocal(t, 2, "other")
		r := callRig(t, nil, l, other)
		addFunction(l, "half", func(c *fakeCall) jit.Status {
			n, _, _ := c.Overlay.Incr(store.BytesKey([]byte("n")), 1)
			c.Result = wire.AppendInt(c.Result, n)
			return c.burn(300)
		})
		calls := func(w *wire.Writer) {
			for range 40 {
				opCall("half", nil)(w)
			}
		}
		for round := range 2 {
			c := r.trusted(path{}, 1)
			if r.process(c.frame(flags, calls))[0] != nil {
				t.Fatal("forty calls in one turn")
			}
			n := 0
			for ; len(r.q.sent) == 0 && n < 1000; n++ {
				r.p.RunSlice(r.now)
				must(t, r.trusted(path{}, 2).one(opIncr("n", 1)), wire.StatusOK)
			}
			if n < 15 {
				t.Fatalf("flags %x: forty calls of 300 fuel in %d slices of 512", flags, n)
			}
			_, ops := c.reply(r.takeSent()[0])
			if len(ops) != 40 {
				t.Fatalf("%d replies", len(ops))
			}
			for i, op := range ops {
				a, _, st := wire.FirstArg(must(t, op, wire.StatusOK).Value())
				if st != wire.StatusOK || a.Int() != int64(round*40+i+1) {
					t.Fatalf("call %d gave %d", i, a.Int())
				}
			}
		}
	}
}

func TestRates(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	l.Limits.CallsPerSecond = 10
	r := callRig(t, nil, l)
	count := func() (ok int) {
		for range 30 {
			if h, _ := r.trusted(path{}, 1).send(0, opCall("echo", nil)); h.Status() == wire.StatusOK {
				ok++
			} else if h.Status() != wire.StatusBusy {
				t.Fatal(h.Status())
			}
		}
		return ok
	}
	if n := count(); n != 10 {
		t.Fatalf("%d calls at once", n)
	}
	r.advance(500)
	if n := count(); n != 5 {
		t.Fatalf("%d calls after half a second", n)
	}
	l.Limits.CallsPerSecond, l.Limits.FuelPerSecond = 0, 30
	r.advance(5000)
	if n := count(); n != 10 { // three fuel each
		t.Fatalf("%d calls for 30 fuel", n)
	}
}
