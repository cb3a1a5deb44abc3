package pktproc

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"shredder/dataplane/nic"
	"shredder/jit"
	"shredder/pktproc/wire"
)

// hostile is a Processor with sessions, trusted sources and functions, and the
// frames that belong to it, to be mutated.
type hostile struct {
	r     *rig
	seeds [][]byte
}

func newHostile(tb testing.TB) *hostile {
	l, open := newLocal(tb, 1, "one"), newOpenLocal(tb, 2, "open")
	fns := library()
	fns["loop"] = func(c *fakeCall) jit.Status { return c.burn(5000) }
	withRuntime(l, fns)
	withRuntime(open, fns)
	r := newRig(tb, func(c *Config) {
		c.Limits.Sessions, c.Limits.Tasks, c.Limits.Results, c.Limits.Pushes = 64, 128, 16, 16
		c.Limits.RecordBytes, c.Limits.ResultBytesPerTenant = 1<<20, 1<<16
		c.Limits.Hello1Burst = 1 << 20
	}, l, open)
	h := &hostile{r: r}
	put(tb, l, "k", "value")
	put(tb, open, "7", "seven")
	for i, a := range []path{{}, {v6: true}, {vlans: []uint16{5}}, {noSum: true}, {vlans: []uint16{5, 6}, v6: true}} {
		a.srcPort = uint16(2000 + i)
		c := r.hello(a, l, uint64(i&1), [][]byte{dataToken, codeToken}[i&1])
		id := c.one(opPushBegin(2000, 512)).Word(0)
		for _, ops := range []func(*wire.Writer){
			opPing("ping"), opGet("k"), opGetInt(7), opSet("k", "v"), opIncr("n", 1), opDelete("k"), opMultiGet("k", 7, "none"),
			all(opGet("k"), opSet("a", "b"), opIncr("n", 2)), opCall("echo", []byte("a")), opCall("loop", nil), opCall("large", nil),
			opPush(id, 512, make([]byte, 512)), opSetPushed("p", id), opKill(0, 0), opPushBegin(700, 512),
			func(w *wire.Writer) { w.Begin(wire.OpStats, 0, 0) },
			func(w *wire.Writer) { w.Begin(wire.OpScan, 0, 0); w.Word(0); w.Word(50) },
			func(w *wire.Writer) { w.Begin(wire.OpLogs, 0, 0); w.Word(0); w.Word(50) },
			func(w *wire.Writer) { w.Begin(wire.OpTry, 0, 0); w.Key([]byte("long")) },
			func(w *wire.Writer) { w.Begin(wire.OpFn, 0, 0); w.Word(wire.FnList) },
			func(w *wire.Writer) { w.Begin(wire.OpResult, 0, 0); w.Word(12); w.Word(100); w.Word(0) },
		} {
			h.seeds = append(h.seeds, c.frame(0, ops), c.frame(wire.FlagAtomic|wire.FlagReceipt, all(ops, ops)), r.trusted(a, 2).frame(0, ops))
		}
		h.seeds = append(h.seeds, a.frame(tb, hello1()), a.frame(tb, hello2(make([]byte, 24), [2]uint64{1, 2}, 0, "one", dataToken)))
	}
	return h
}

// mutate makes a frame from a seed: bytes changed, cut, repeated; checksums
// mended more often than not, so that the mutation reaches the depths.
func (h *hostile) mutate(rng *rand.Rand, dst []byte) int {
	seed := h.seeds[rng.IntN(len(h.seeds))]
	n := copy(dst, seed)
	for range rng.IntN(4) {
		switch rng.IntN(6) {
		case 0:
			n = rng.IntN(n + 1)
		case 1:
			n = min(n+rng.IntN(100), len(dst))
		case 2:
			other := h.seeds[rng.IntN(len(h.seeds))]
			at := rng.IntN(n + 1)
			n = at + copy(dst[at:], other[min(at, len(other)):])
		default:
			if n > 0 {
				at := rng.IntN(n)
				if rng.IntN(2) == 0 && n > 42 {
					at = 42 + rng.IntN(n-42) // the datagram rather than the headers
				}
				dst[at] = [4]byte{byte(rng.Uint32()), dst[at] ^ 1<<rng.IntN(8), 0, 0xff}[rng.IntN(4)]
			}
		}
		if n == 0 {
			return 0
		}
	}
	if rng.IntN(4) > 0 {
		mend(dst[:n])
	}
	return n
}

// mend writes lengths and checksums that fit, where there are plain headers.
func mend(b []byte) {
	if len(b) > 42 && b[12] == 8 && b[13] == 0 && b[14] == 0x45 {
		b[16], b[17] = byte((len(b)-14)>>8), byte(len(b)-14)
		b[38], b[39] = byte((len(b)-34)>>8), byte(len(b)-34)
		fixIPv4(b, 14)
		b[40], b[41] = 0, 0
		if len(b) > 42+wire.HeaderSize {
			wire.MakeHeader(b[42:]).SetBodyLen(len(b) - 42 - wire.HeaderSize)
		}
	}
}

// feed processes a burst of mutants and checks what comes of them.
func (h *hostile) feed(tb testing.TB, rng *rand.Rand, frames *[nic.BurstSize][]byte, lens *[nic.BurstSize]int) {
	r := h.r
	b := &r.burst
	b.N = 1 + rng.IntN(nic.BurstSize)
	for i := range b.N {
		lens[i] = h.mutate(rng, frames[i])
		b.Frames[i] = nic.Frame{Data: frames[i], Len: lens[i], Checksum: nic.Checksum(rng.IntN(8) / 7)}
	}
	established := r.p.n.Sessions
	r.p.Process(b, r.now)
	for i := range b.N {
		f := &b.Frames[i]
		if f.Len > len(f.Data) || f.Len < 0 {
			tb.Fatalf("a frame of %d bytes in %d", f.Len, len(f.Data))
		}
		if f.Verdict == nic.Reply && f.Len > lens[i] && !h.authentic(f, established) {
			tb.Fatalf("a reply of %d bytes to %d without a session: % x", f.Len, lens[i], f.Data[:f.Len])
		}
	}
	for range rng.IntN(4) {
		r.p.RunSlice(r.now)
	}
	if rng.IntN(16) == 0 {
		r.advance(int64(rng.IntN(400)))
		r.p.Housekeep(r.now)
	}
	h.answerJobs(rng)
	if r.q.lent != 0 {
		tb.Fatalf("%d frames of the queue are lost", r.q.lent)
	}
	r.q.sent = r.q.sent[:0]
}

// answerJobs ends the jobs that were submitted, as a registry would.
func (h *hostile) answerJobs(rng *rand.Rand) {
	for _, j := range h.r.jobs {
		j.Value = []byte("[]")
		if rng.IntN(2) == 0 {
			j.Status = wire.StatusBadLibrary
		}
		h.r.p.jobDone(j)
	}
	h.r.jobs = h.r.jobs[:0]
}

// authentic says whether a longer reply is to a live session or to a trusted
// source, which alone may get one.
func (h *hostile) authentic(f *nic.Frame, _ uint64) bool {
	off, _ := splitEthernet(f.Data[:f.Len])
	at := off + int(f.Data[off]&15)*4 + udpHeader
	if f.Data[off]>>4 == 6 {
		at = off + ipv6Header + udpHeader
	}
	w := wire.MakeHeader(f.Data[at:f.Len])
	if w == nil || w.Status() != wire.StatusOK && w.Ops() == 0 {
		return false
	}
	return w.Flags()&wire.FlagTrusted != 0 && h.r.p.tenantByID(w.Session()) != nil || h.r.p.sessions.live(w.Session()) != nil
}

// TestMutatedFrames feeds mutated frames: no crash, no frame lost, no memory
// beyond the limits, no reply longer than a request without a session.
// SOAK_FRAMES sets their number; 10^7 is the acceptance run.
func TestMutatedFrames(t *testing.T) {
	want := 300_000
	if s := os.Getenv("SOAK_FRAMES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		want = n
	}
	rng := rand.New(rand.NewPCG(2026, 11))
	h := newHostile(t)
	var frames [nic.BurstSize][]byte
	var lens [nic.BurstSize]int
	for i := range frames {
		frames[i] = make([]byte, 1600)
	}
	for n := 0; n < want; n += h.r.burst.N {
		h.feed(t, rng, &frames, &lens)
	}
	p := h.r.p
	replies := p.n.Replies
	if replies < uint64(want/10) {
		t.Errorf("only %d replies for %d frames: the mutants do not get far", replies, want)
	}
	h.r.advance(10_000_000)
	for range 10_000 {
		if !p.Runnable() && p.n.Tasks == 0 && p.n.Pushes == 0 && p.n.KeptResults == 0 && p.n.Sessions == 0 {
			break
		}
		p.RunSlice(h.r.now)
		h.answerJobs(rng)
		p.Housekeep(h.r.now)
	}
	if p.n.Tasks != 0 || p.n.Pushes != 0 || p.n.KeptBytes != 0 || p.n.RecordBytes != 0 || p.n.Sessions != 0 {
		t.Errorf("left over: %d tasks, %d pushes, %d kept bytes, %d record bytes, %d sessions", p.n.Tasks, p.n.Pushes, p.n.KeptBytes, p.n.RecordBytes, p.n.Sessions)
	}
	t.Logf("%d replies, drops %v", replies, p.n.Drops)
}

// FuzzFrame gives one frame to a Processor that is in use. One goroutine takes all
// inputs, as the Processor and its coroutines belong to one thread.
func FuzzFrame(f *testing.F) {
	ready, inputs, faults := make(chan *hostile), make(chan []byte), make(chan string)
	go func() {
		defer close(ready)
		h := newHostile(f)
		ready <- h
		for b := range inputs {
			faults <- h.try(b)
		}
	}()
	h := <-ready
	if h == nil {
		f.FailNow()
	}
	f.Cleanup(func() { close(inputs) })
	for _, s := range h.seeds[:40] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1514 {
			return
		}
		inputs <- b
		if fault := <-faults; fault != "" {
			t.Fatal(fault)
		}
	})
}

// try processes one frame and says what was wrong with the answer.
func (h *hostile) try(b []byte) (fault string) {
	data := make([]byte, 1600)
	copy(data, b)
	h.r.burst.N = 1
	h.r.burst.Frames[0] = nic.Frame{Data: data, Len: len(b)}
	h.r.p.Process(&h.r.burst, h.r.now)
	fr := &h.r.burst.Frames[0]
	if fr.Verdict == nic.Reply && fr.Len > len(b) && !h.authentic(fr, 0) {
		fault = fmt.Sprintf("a reply of %d bytes to %d", fr.Len, len(b))
	}
	h.r.p.RunSlice(h.r.now)
	h.answerJobs(rand.New(rand.NewPCG(1, 1)))
	h.r.q.sent = h.r.q.sent[:0]
	return fault
}
