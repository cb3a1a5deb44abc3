package pktproc

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"shredder/pktproc/wire"
)

// TestWindow sends a session's INCRs duplicated, reordered and late, and
// compares with a model: each is executed once, a duplicate gets the first
// reply bit by bit while the client may still want it, and STALE after.
func TestWindow(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		l := newLocal(t, 1, "one")
		r := newRig(t, nil, l)
		c := r.hello(path{}, l, 0, dataToken)
		replies := map[uint32]string{}
		base, told, executed := uint32(1), uint32(1), 0 // told: the highest first-incomplete that the server has seen
		for range 3000 {
			seq := base + rng.Uint32N(wire.WindowSize)
			if rng.IntN(4) == 0 && base > 3 {
				seq = 1 + rng.Uint32N(base-1)
			}
			c.first = base
			if rng.IntN(3) == 0 {
				c.first = 1 + rng.Uint32N(base) // an old datagram knows an old first
			}
			told = max(told, c.first)
			out := c.path.open(t, r.process(c.path.frame(t, c.datagram(seq, 0, all(opIncr("n", 1), opPing(strings.Repeat("p", int(seq%300)))))))[0])
			h, ops := parseReply(t, out)
			body := string(out[wire.HeaderSize:])
			before, again := replies[seq]
			switch {
			case seq < told:
				if h.Status() != wire.StatusStale {
					t.Fatalf("seed %d: %d below %d: %v", seed, seq, told, h.Status())
				}
			case again:
				if h.Status() != wire.StatusOK || body != before {
					t.Fatalf("seed %d: duplicate of %d: %v, another reply: %v", seed, seq, h.Status(), body != before)
				}
			default:
				executed++
				if h.Status() != wire.StatusOK || int(ops[0].Word(1)) != executed {
					t.Fatalf("seed %d: %d executed as %d, want %d", seed, seq, ops[0].Word(1), executed)
				}
				replies[seq] = body
			}
			for replies[base] != "" && rng.IntN(3) > 0 {
				base++
			}
		}
		if got := stored(l, "n", r.now.UnixMillis); got != fmt.Sprint(executed) {
			t.Fatalf("seed %d: counter %s, executed %d", seed, got, executed)
		}
		c.first = base + 1000
		c.one(opPing(""))
		if r.p.n.RecordBytes != 0 || r.p.tenantByID(1).recordSize != 0 {
			t.Fatalf("seed %d: %d bytes of records left", seed, r.p.n.RecordBytes)
		}
	}
}

// TestWindowMoves: a client that runs ahead of its window loses records, not
// at-most-once.
func TestWindowMoves(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	for seq := uint32(1); seq < 300; seq += 7 {
		r.process(c.path.frame(t, c.datagram(seq, 0, opIncr("n", 1))))
	}
	for seq := uint32(1); seq < 300; seq += 7 {
		h, _ := c.reply(r.process(c.path.frame(t, c.datagram(seq, 0, opIncr("n", 1))))[0])
		want := wire.StatusOK
		if seq < 295-63 {
			want = wire.StatusStale
		}
		if h.Status() != want {
			t.Fatalf("%d: %v, want %v", seq, h.Status(), want)
		}
	}
	if got := stored(l, "n", r.now.UnixMillis); got != "43" {
		t.Fatalf("counter %s", got)
	}
	for seq, want := range map[uint32]wire.Status{1<<31 - 1: wire.StatusOK, 1 << 31: wire.StatusMalformed, 0: wire.StatusMalformed} {
		if h, _ := c.reply(r.process(c.path.frame(t, c.datagram(seq, 0, opIncr("n", 1))))[0]); h.Status() != want {
			t.Fatalf("%d: %v", seq, h.Status())
		}
	}
}

// TestRecordsBounded: without room the reply is not recorded, and the
// duplicate STALE but not executed.
func TestRecordsBounded(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, func(c *Config) { c.Limits.RecordsPerTenant = 3 * 32 }, l)
	c := r.hello(path{}, l, 0, dataToken)
	for range 5 {
		c.one(opIncr("n", 1))
	}
	for seq := uint32(1); seq <= 5; seq++ {
		h, _ := c.reply(r.process(c.path.frame(t, c.datagram(seq, 0, opIncr("n", 1))))[0])
		want := wire.StatusOK
		if seq > 3 {
			want = wire.StatusStale
		}
		if h.Status() != want {
			t.Fatalf("%d: %v", seq, h.Status())
		}
	}
	if stored(l, "n", r.now.UnixMillis) != "5" || r.p.n.Unrecorded != 2 {
		t.Fatalf("counter %s, %d unrecorded", stored(l, "n", r.now.UnixMillis), r.p.n.Unrecorded)
	}
}

// TestReadsNeedNoNumber: reads are executed every time.
func TestReadsNeedNoNumber(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	put(t, l, "k", "1")
	f := c.path.frame(t, c.datagram(1<<31|5, 0, opGet("k")))
	for _, v := range []string{"1", "2", "3"} {
		put(t, l, "k", v)
		_, ops := c.reply(r.process(f)[0])
		if string(ops[0].Value()) != v {
			t.Fatalf("%q, want %q", ops[0].Value(), v)
		}
	}
}

func TestSlabs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	s := newSlabs(1 << 20)
	live := map[recordRef]byte{}
	full := false
	for i := range 50_000 {
		if rng.IntN(2) == 0 || full {
			for ref, want := range live {
				for _, b := range s.at(ref) {
					if b != want {
						t.Fatalf("slot %x holds %d, want %d", ref, b, want)
					}
				}
				s.release(ref)
				delete(live, ref)
				full = false
				break
			}
			continue
		}
		ref, slot := s.alloc(1 + rng.IntN(1456))
		if ref == 0 {
			full = true
			continue
		}
		if _, twice := live[ref]; twice {
			t.Fatalf("slot %x given out twice", ref)
		}
		for j := range slot {
			slot[j] = byte(i)
		}
		live[ref] = byte(i)
	}
	if s.size > 1<<20 {
		t.Fatalf("%d bytes", s.size)
	}
}
