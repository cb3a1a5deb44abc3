package pktproc

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"shredder/pktproc/wire"
)

func opPushBegin(total, segment int) func(*wire.Writer) {
	return func(w *wire.Writer) {
		w.Begin(wire.OpPushBegin, 0, 0)
		w.Word(uint64(total))
		w.Word(uint64(segment))
	}
}

func opPush(id uint64, off int, b []byte) func(*wire.Writer) {
	return func(w *wire.Writer) {
		w.Begin(wire.OpPush, 0, 0)
		w.Word(id)
		w.Word(uint64(off))
		w.Value(b)
	}
}

func opSetPushed(key string, id uint64) func(*wire.Writer) {
	return func(w *wire.Writer) {
		w.Begin(wire.OpSet, wire.OpFlagPushed, 0)
		w.Word(0)
		w.Word(0)
		w.Word(id)
		w.Key([]byte(key))
	}
}

// TestPush pushes values in random order with duplicates, and pulls them back.
func TestPush(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	for _, total := range []int{1, 7, 512, 513, 1408, 1409, 40_000, 300_001} {
		value := make([]byte, total)
		for i := range value {
			value[i] = byte(rng.Uint32())
		}
		const segment = 1000
		id := must(t, c.one(opPushBegin(total, segment)), wire.StatusOK).Word(0)
		order := rng.Perm((total + segment - 1) / segment)
		missing := len(order)
		for i, s := range order {
			off := s * segment
			piece := value[off:min(off+segment, total)]
			if i > 0 {
				must(t, c.one(opSetPushed("v", id)), wire.StatusNoPush) // a hole
			}
			missing--
			for range 1 + rng.IntN(2) {
				if got := must(t, c.one(opPush(id, off, piece)), wire.StatusOK); got.Word(0) != uint64(missing) {
					t.Fatalf("%d missing, want %d", got.Word(0), missing)
				}
			}
			c.first = c.seq
		}
		must(t, c.one(opSetPushed("v", id)), wire.StatusOK)
		must(t, c.one(opSetPushed("v", id)), wire.StatusNoPush) // it is used up
		var got []byte
		for len(got) < total {
			op := must(t, c.one(func(w *wire.Writer) {
				w.Begin(wire.OpGet, wire.OpFlagRange, 0)
				w.Word(0)
				w.Word(uint64(len(got))<<32 | 1400)
				w.Key([]byte("v"))
			}), wire.StatusOK)
			if op.Word(1) != uint64(total) || len(op.Value()) == 0 {
				t.Fatalf("pull: %d of %d", len(op.Value()), op.Word(1))
			}
			got = append(got, op.Value()...)
		}
		if !bytes.Equal(got, value) {
			t.Fatalf("%d bytes came back otherwise", total)
		}
	}
	if reserved(l) != 0 || r.p.n.Pushes != 0 {
		t.Fatalf("%d blocks reserved, %d pushes open", reserved(l), r.p.n.Pushes)
	}
}

// TestPushOverlaps: no segment that does not lie on the grid is taken, so two
// that overlap cannot count for a third.
func TestPushOverlaps(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	other := r.hello(path{srcPort: 5}, l, 0, dataToken)
	id := must(t, c.one(opPushBegin(2048, 512)), wire.StatusOK).Word(0)
	b := make([]byte, 1024)
	for name, x := range map[string]struct {
		off  int
		b    []byte
		want wire.Status
	}{
		"off the grid":     {8, b[:512], wire.StatusBadArgument},
		"too short":        {0, b[:511], wire.StatusBadArgument},
		"two at once":      {0, b[:1024], wire.StatusBadArgument},
		"behind the end":   {2048, b[:512], wire.StatusBadArgument},
		"far behind":       {1 << 40, b[:512], wire.StatusBadArgument},
		"over the end":     {1536, b[:600], wire.StatusBadArgument},
		"empty":            {0, nil, wire.StatusMalformed},
		"right":            {512, b[:512], wire.StatusOK},
		"right, once more": {512, b[:512], wire.StatusOK},
	} {
		op := c.one(opPush(id, x.off, x.b))
		if op.Status() != x.want || op.Status() == wire.StatusOK && op.Word(0) != 3 {
			t.Errorf("%s: %v, %d missing", name, op.Status(), op.Word(0))
		}
	}
	must(t, other.one(opPush(id, 0, b[:512])), wire.StatusNoPush)
	must(t, other.one(opSetPushed("k", id)), wire.StatusNoPush)
	must(t, c.one(opPush(id+1, 0, b[:512])), wire.StatusNoPush)
	must(t, c.one(opPush(0, 0, b[:512])), wire.StatusNoPush)
}

func TestPushLimits(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	r := newRig(t, func(c *Config) { c.Limits.PushesPerSession, c.Limits.PushesPerTenant, c.Limits.PushMillis = 2, 3, 1000 }, l)
	must(t, r.trusted(path{}, 1).one(opPushBegin(600, 512)), wire.StatusDenied)
	a, b := r.hello(path{srcPort: 1}, l, 0, nil), r.hello(path{srcPort: 2}, l, 0, nil)
	must(t, a.one(opPushBegin(16<<20+1, 512)), wire.StatusTooLarge)
	must(t, a.one(opPushBegin(0, 512)), wire.StatusBadArgument)
	must(t, a.one(opPushBegin(600, 504)), wire.StatusBadArgument)
	must(t, a.one(opPushBegin(600, 516)), wire.StatusBadArgument)
	first := must(t, a.one(opPushBegin(600, 512)), wire.StatusOK).Word(0)
	must(t, a.one(opPushBegin(600, 512)), wire.StatusOK)
	must(t, a.one(opPushBegin(600, 512)), wire.StatusBusy)
	must(t, b.one(opPushBegin(600, 512)), wire.StatusOK)
	must(t, b.one(opPushBegin(600, 512)), wire.StatusBusy)
	sweep := func() {
		for range 100 {
			r.p.Housekeep(r.now)
		}
	}
	r.advance(600)
	must(t, a.one(opPush(first, 0, make([]byte, 512))), wire.StatusOK)
	r.advance(600)
	sweep() // the first is kept by its segment
	if r.p.n.Pushes != 1 || reserved(l) != 1 {
		t.Fatalf("%d pushes, %d blocks", r.p.n.Pushes, reserved(l))
	}
	must(t, a.one(opPush(first, 512, make([]byte, 88))), wire.StatusOK)
	r.advance(1001)
	sweep()
	if r.p.n.Pushes != 0 || reserved(l) != 0 {
		t.Fatalf("%d pushes, %d blocks", r.p.n.Pushes, reserved(l))
	}
	must(t, a.one(opSetPushed("k", first)), wire.StatusNoPush)
}

// TestPushConflict: a SET that fails leaves the push for another try.
func TestPushConflict(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	put(t, l, "k", "there")
	id := must(t, c.one(opPushBegin(100, 512)), wire.StatusOK).Word(0)
	must(t, c.one(opPush(id, 0, make([]byte, 100))), wire.StatusOK)
	must(t, c.one(func(w *wire.Writer) {
		w.Begin(wire.OpSet, wire.OpFlagPushed|wire.OpFlagIfVersion, 0)
		w.Word(0)
		w.Word(0)
		w.Word(id)
		w.Key([]byte("k"))
	}), wire.StatusConflict)
	must(t, c.one(opSetPushed("k", id)), wire.StatusOK)
}
