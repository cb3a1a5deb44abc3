package pktproc

import (
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
