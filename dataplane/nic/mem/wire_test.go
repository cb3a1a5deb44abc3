package mem

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"shredder/dataplane/nic"
)

// frame is n as the first two of 60 bytes that depend on it.
func frame(n int) []byte {
	b := bytes.Repeat([]byte{byte(n)}, 60)
	binary.BigEndian.PutUint16(b, uint16(n))
	return b
}

// echo steps queue 0 until the wire is quiet, replying to everything, and
// returns what the host collects.
func echo(w *Wire) [][]byte {
	var b nic.Burst
	var got [][]byte
	for {
		w.Queue(0).RxBurst(&b)
		n := b.N
		for i := range b.Frames[:b.N] {
			b.Frames[i].Verdict = nic.Reply
		}
		w.Queue(0).TxBurst(&b)
		w.Queue(0).Flush()
		got = append(got, w.CollectAll()...)
		if n == 0 && w.Quiet() {
			return got
		}
	}
}

func TestPerfectWire(t *testing.T) {
	w := NewWire(Config{})
	for i := range 500 {
		w.Inject(frame(i))
	}
	got := echo(w)
	for i := range 500 {
		if !bytes.Equal(got[i], frame(i)) {
			t.Fatalf("frame %d is %x", i, got[i])
		}
	}
	if len(got) != 500 || w.Queue(0).InUse() != 0 {
		t.Fatalf("%d frames, %d in use", len(got), w.Queue(0).InUse())
	}
}

func TestSameSeedSameRun(t *testing.T) {
	all := Faults{Loss: .1, Duplicate: .1, Reorder: .2, Truncate: .1, Corrupt: .1, Full: .1}
	run := func(seed uint64) string {
		w := NewWire(Config{Seed: seed, ToServer: all, ToHost: all})
		for i := range 800 {
			w.Inject(frame(i))
		}
		got := echo(w)
		server, host := w.Counts()
		return fmt.Sprintf("%x %+v %+v %+v", got, server, host, w.Queue(0).Stats())
	}
	if run(1) != run(1) {
		t.Error("two runs of seed 1 differ")
	}
	if run(1) == run(2) {
		t.Error("seeds 1 and 2 run alike")
	}
}

// TestFaults turns each fault on alone and finds its mark and no other.
func TestFaults(t *testing.T) {
	const total = 1000
	cases := []struct {
		name   string
		faults Faults
		check  func(got [][]byte, c Counts) bool
	}{
		{"loss", Faults{Loss: .2}, func(got [][]byte, c Counts) bool {
			return c.Lost > 150 && c.Lost < 250 && len(got) == total-int(c.Lost) && inOrder(got)
		}},
		{"duplicate", Faults{Duplicate: .2}, func(got [][]byte, c Counts) bool {
			return c.Duplicated > 150 && len(got) == total+int(c.Duplicated)
		}},
		{"reorder", Faults{Reorder: .2}, func(got [][]byte, c Counts) bool {
			return c.Reordered > 150 && len(got) == total && !inOrder(got) && distinct(got) == total
		}},
		{"truncate", Faults{Truncate: .2}, func(got [][]byte, c Counts) bool {
			short := 0
			for _, b := range got {
				if len(b) < 60 {
					short++
				}
			}
			return c.Truncated > 150 && short == int(c.Truncated)
		}},
		{"corrupt", Faults{Corrupt: .2}, func(got [][]byte, c Counts) bool {
			wrong := 0
			for i, b := range got {
				if !bytes.Equal(b, frame(i)) {
					wrong++
				}
			}
			return c.Corrupted > 150 && wrong == int(c.Corrupted) && len(got) == total
		}},
		{"full", Faults{Full: .2}, func(got [][]byte, c Counts) bool {
			return c.Full > 150 && len(got) == total-int(c.Full) && inOrder(got)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := NewWire(Config{Seed: 7, RxRing: 4 * total, ToServer: c.faults})
			for i := range total {
				w.Inject(frame(i))
			}
			got := echo(w)
			if server, _ := w.Counts(); !c.check(got, server) {
				t.Errorf("%d frames, %+v", len(got), server)
			}
		})
	}
}

func inOrder(got [][]byte) bool {
	for i := 1; i < len(got); i++ {
		if bytes.Compare(got[i-1][:2], got[i][:2]) > 0 {
			return false
		}
	}
	return true
}

func distinct(got [][]byte) int {
	seen := map[string]bool{}
	for _, b := range got {
		seen[string(b)] = true
	}
	return len(seen)
}

// TestFullRings: rings that are full in fact lose what comes after, and count it.
func TestFullRings(t *testing.T) {
	w := NewWire(Config{RxRing: 10, TxRing: 5})
	for i := range 12 {
		w.Inject(frame(i))
	}
	var b nic.Burst
	if n := w.Queue(0).RxBurst(&b); n != 10 {
		t.Fatalf("received %d of a ring of 10", n)
	}
	for i := range b.Frames[:b.N] {
		b.Frames[i].Verdict = nic.Reply
	}
	w.Queue(0).TxBurst(&b)
	w.Queue(0).Flush()
	if got := len(w.CollectAll()); got != 5 {
		t.Errorf("collected %d of a ring of 5", got)
	}
	server, host := w.Counts()
	if s := w.Queue(0).Stats(); server.Full != 2 || host.Full != 5 || s.TxDropped != 5 || s.TxFrames != 5 {
		t.Errorf("%+v %+v %+v", server, host, s)
	}
	w.Inject(make([]byte, 5000))
	if n := w.Queue(0).RxBurst(&b); n != 0 {
		t.Error("received a frame that is longer than a buffer")
	}
}

func udpFrame(vlans int, ipv6 bool, port uint16) []byte {
	b := make([]byte, 12)
	for range vlans {
		b = append(b, 0x81, 0, 0, 7)
	}
	if ipv6 {
		b = append(b, 0x86, 0xdd)
		ip := make([]byte, 40)
		ip[0], ip[6] = 0x60, protoUDP
		b = append(b, ip...)
	} else {
		b = append(b, 8, 0)
		ip := make([]byte, 24) // with an option
		ip[0], ip[9] = 0x46, protoUDP
		b = append(b, ip...)
	}
	return append(b, 0, 1, byte(port>>8), byte(port), 0, 8, 0, 0)
}

func TestSteering(t *testing.T) {
	w := NewWire(Config{Queues: 3, BasePort: 9000})
	for _, c := range []struct {
		frame []byte
		queue int
	}{
		{udpFrame(0, false, 9000), 0},
		{udpFrame(0, false, 9001), 1},
		{udpFrame(1, true, 9002), 2},
		{udpFrame(2, false, 9001), 1},
		{udpFrame(0, true, 9003), 0},  // no such queue
		{udpFrame(0, false, 8999), 0}, // below the base
		{udpFrame(3, false, 9001), 0}, // too many tags
		{udpFrame(0, false, 9001)[:38], 0},
		{[]byte{1}, 0},
	} {
		w.Inject(c.frame)
		var b nic.Burst
		for i := range 3 {
			n := w.Queue(i).RxBurst(&b)
			w.Queue(i).TxBurst(&b)
			if (n == 1) != (i == c.queue) {
				t.Errorf("%x: queue %d received %d, want all on %d", c.frame, i, n, c.queue)
			}
		}
	}
	w = NewWire(Config{Queues: 2, Steer: func(f []byte) int { return int(f[0]) }})
	w.Inject([]byte{1, 2, 3})
	var b nic.Burst
	if w.Queue(1).RxBurst(&b) != 1 {
		t.Error("the function's choice was not followed")
	}
}

// TestOwnership: giving a frame back twice, or a foreign one, is our own bug and panics.
func TestOwnership(t *testing.T) {
	q := NewWire(Config{}).Queue(0)
	f, _ := q.Alloc()
	borrowed := f.Data[:4]
	copy(borrowed, "data")
	q.Free(f)
	if !bytes.Equal(borrowed, []byte{poison, poison, poison, poison}) {
		t.Error("a freed buffer keeps its bytes")
	}
	for name, again := range map[string]func(){
		"free":    func() { q.Free(f) },
		"send":    func() { q.Send(f) },
		"foreign": func() { q.Free(nic.Frame{Handle: 1 << 40}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			again()
		}()
	}
}

// FuzzSteering: no bytes make the steering read outside the frame.
func FuzzSteering(f *testing.F) {
	f.Add(udpFrame(0, false, 9001))
	f.Add(udpFrame(2, true, 9001))
	f.Fuzz(func(t *testing.T, b []byte) {
		udpDestination(b[:len(b):len(b)])
	})
}

// TestRandomTurns holds the buffers to account through any order of calls.
func TestRandomTurns(t *testing.T) {
	all := Faults{Loss: .1, Duplicate: .1, Reorder: .2, Truncate: .1, Corrupt: .1, Full: .1}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := NewWire(Config{Seed: seed, ToServer: all, ToHost: all, Buffers: 48, RxRing: 16, TxRing: 16})
		q := w.Queue(0)
		var b nic.Burst
		var lent []nic.Frame
		for range 300 {
			switch random.IntN(7) {
			case 0, 1:
				w.Inject(frame(random.IntN(1000)))
			case 2:
				q.RxBurst(&b)
				for i := range b.Frames[:b.N] {
					b.Frames[i].Verdict = nic.Verdict(random.IntN(2))
				}
			case 3:
				q.TxBurst(&b)
			case 4:
				if f, ok := q.Alloc(); ok {
					lent = append(lent, f)
				}
			case 5:
				if len(lent) > 0 {
					lent[0].Len = random.IntN(100)
					q.Send(lent[0])
					lent = lent[1:]
				}
			case 6:
				w.Collect()
			}
		}
		q.TxBurst(&b)
		for _, f := range lent {
			q.Free(f)
		}
		q.Close()
		if n := q.InUse(); n != 0 {
			t.Fatalf("seed %d: %d buffers leaked", seed, n)
		}
	}
}
