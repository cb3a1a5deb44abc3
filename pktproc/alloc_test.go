package pktproc

import (
	"fmt"
	"testing"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// prepared is a burst that can be processed again and again.
type prepared struct {
	r      *rig
	frames [][]byte
	data   [][]byte
	burst  nic.Burst
}

func (r *rig) prepare(frames ...[]byte) *prepared {
	b := &prepared{r: r, frames: frames}
	for range frames {
		b.data = append(b.data, make([]byte, 1600))
	}
	return b
}

func (b *prepared) restore() {
	for i, f := range b.frames {
		copy(b.data[i], f)
		b.burst.Frames[i] = nic.Frame{Data: b.data[i], Len: len(f)}
	}
	b.burst.N = len(b.frames)
}

// run restores the frames and processes them.
func (b *prepared) run() {
	b.restore()
	b.r.p.Process(&b.burst, b.r.now)
}

// TestNoAllocations: the path of a request makes no garbage.
func TestNoAllocations(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.trusted(path{}, 1)
	six := r.trusted(path{v6: true}, 1)
	put(t, l, "k", "value")
	put(t, l, "9", "value")
	s := r.hello(path{}, l, wire.RoleData, nil)
	for name, frame := range map[string][]byte{
		"PING":      c.frame(0, opPing("hello")),
		"GET":       c.frame(0, opGet("k")),
		"GET int":   six.frame(0, opGetInt(9)),
		"GET miss":  c.frame(0, opGet("none")),
		"SET":       c.frame(0, opSet("k", "value")),
		"INCR":      c.frame(0, opIncr("n", 1)),
		"MULTI-GET": c.frame(0, opMultiGet("k", 9, "none")),
		"several":   c.frame(wire.FlagReceipt, all(opGet("k"), opSet("k", "value"), opIncr("n", 1))),
		"CALL":      c.frame(0, opCall("echo", []byte("args"))),
		"duplicate": s.frame(0, opSet("k", "value")),
		"session":   s.frame(0, opGet("k")),
		"foreign":   path{dstPort: 53}.frame(t, c.datagram(1, 0, opPing(""))),
		"HELLO1":    path{}.frame(t, hello1()),
		"refused":   r.trusted(path{}, 99).frame(0, opPing("")),
	} {
		b := r.prepare(frame)
		b.run()
		if n := testing.AllocsPerRun(200, b.run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { r.advance(1); r.p.Housekeep(r.now) }); n != 0 {
		t.Errorf("Housekeep: %v allocations", n)
	}
	// A session's writes, each recorded and acknowledged by the next.
	i := uint32(100)
	b := r.prepare(s.frame(0, opSet("k", "value")))
	at := etherHeader + 28
	if n := testing.AllocsPerRun(300, func() {
		i++
		h := wire.MakeHeader(b.frames[0][at:])
		h.SetSeq(i)
		h.SetFirst(i)
		fixUDP(b.frames[0])
		b.run()
	}); n != 0 {
		t.Errorf("recorded SET: %v allocations", n)
	}
}

// BenchmarkProcess measures a burst of 32 requests. swap is what a program
// that only swaps addresses and ports costs: the floor. ns/op is per frame.
func BenchmarkProcess(b *testing.B) {
	l := newOpenLocal(b, 1, "one")
	r := callRig2(b, l)
	value := string(make([]byte, 128))
	const keys = 10_000
	for i := range keys {
		put(b, l, fmt.Sprint(i), value)
	}
	c := r.trusted(path{noSum: true}, 1)
	summed := r.trusted(path{}, 1)
	s := r.hello(path{noSum: true}, l, wire.RoleData, nil)
	n := uint64(0)
	key := func() uint64 { n = (n*2862933555777941757 + 3037000493) & (1<<62 - 1); return n % keys }
	setInt := func(w *wire.Writer) { w.Begin(wire.OpSet, 0, 0); w.IntKey(key()); w.Value([]byte(value)) }
	for _, x := range []struct {
		name  string
		frame func() []byte
		ops   int
	}{
		{"op=ping", func() []byte { return c.frame(0, opPing("")) }, 1},
		{"op=ping/session", func() []byte { return s.frame(0, opPing("")) }, 1},
		{"op=ping/checksum", func() []byte { return summed.frame(0, opPing("")) }, 1},
		{"op=get/value=128B", func() []byte { return c.frame(0, opGetInt(key())) }, 1},
		{"op=get/value=128B/checksum", func() []byte { return summed.frame(0, opGetInt(key())) }, 1},
		{"op=get-8/value=128B", func() []byte {
			return c.frame(0, func(w *wire.Writer) {
				for range 8 {
					opGetInt(key())(w)
				}
			})
		}, 8},
		{"op=multi-get-8/value=128B", func() []byte {
			return c.frame(0, opMultiGet(int(key()), int(key()), int(key()), int(key()), int(key()), int(key()), int(key()), int(key())))
		}, 8},
		{"op=set/value=128B", func() []byte { return c.frame(0, setInt) }, 1},
		{"op=incr", func() []byte { return c.frame(0, opIncr("n", 1)) }, 1},
		{"op=call", func() []byte { return c.frame(0, opCall("empty", nil)) }, 1},
	} {
		b.Run(x.name, func(b *testing.B) {
			var bursts []*prepared
			for range 8 { // 256 frames: more than the first cache, as with a device's ring
				var frames [][]byte
				for range nic.BurstSize {
					frames = append(frames, x.frame())
				}
				bursts = append(bursts, r.prepare(frames...))
			}
			b.ResetTimer()
			for i := 0; i < b.N; i += nic.BurstSize {
				bursts[i/nic.BurstSize&7].run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*x.ops), "ns/operation")
		})
	}
	b.Run("op=swap", func(b *testing.B) {
		var bursts []*prepared
		for range 8 {
			var frames [][]byte
			for range nic.BurstSize {
				frames = append(frames, c.frame(0, opPing("")))
			}
			bursts = append(bursts, r.prepare(frames...))
		}
		b.ResetTimer()
		for i := 0; i < b.N; i += nic.BurstSize {
			bursts[i/nic.BurstSize&7].swap()
		}
	})
}

// swap only swaps addresses and ports, as testpmd's 5tswap does.
func (b *prepared) swap() {
	b.restore()
	for i := range b.burst.N {
		f := &b.burst.Frames[i]
		swapMACs(f.Data)
		h := f.Data[14:42]
		swapAddrs4(h)
		h[20], h[21], h[22], h[23] = h[22], h[23], h[20], h[21]
		f.Verdict = nic.Reply
	}
}
