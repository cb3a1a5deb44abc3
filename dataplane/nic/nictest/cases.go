package nictest

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"shredder/dataplane/nic"
)

func idle(t *testing.T, f *Fixture) {
	var b nic.Burst
	for range 100 {
		if n := f.Queue.RxBurst(&b); n != 0 || b.N != 0 {
			t.Fatalf("%d frames from an idle wire", n)
		}
		f.Queue.TxBurst(&b)
		f.Queue.Flush()
	}
	if s := f.Queue.Stats(); s != (nic.Stats{}) {
		t.Fatalf("an idle queue counted %+v", s)
	}
	caps := f.Queue.Capabilities()
	if caps.MTU < 576 || caps != f.Queue.Capabilities() {
		t.Fatalf("capabilities %+v", caps)
	}
}

// inject sends n payloads and returns them.
func (f *Fixture) inject(first, n int) [][]byte {
	var all [][]byte
	for i := first; i < first+n; i++ {
		p := payload(i, f.size(i))
		f.Inject(p)
		all = append(all, p)
	}
	return all
}

func receiveInOrder(t *testing.T, f *Fixture) {
	const total = 200
	for first := 0; first < total; first += 50 {
		want := f.inject(first, 50)
		f.each(t, 50, func(i int, frame *nic.Frame) {
			if got := f.Payload(frame.Data[:frame.Len]); !bytes.Equal(got, want[i]) {
				t.Fatalf("frame %d: %d bytes %.16x…, want %d bytes %.16x…", first+i, len(got), got, len(want[i]), want[i])
			}
		})
	}
}

func replyInOrder(t *testing.T, f *Fixture) {
	for round := range 20 {
		sent := f.inject(round*40, 40)
		var want [][]byte
		f.each(t, len(sent), func(i int, frame *nic.Frame) {
			if i%3 == 1 {
				return
			}
			f.reply(i, frame)
			want = append(want, sent[i])
		})
		f.Queue.Flush()
		f.expect(t, want)
	}
	if f.Pending() {
		t.Fatal("a dropped frame was sent")
	}
}

func stagedLeave(t *testing.T, f *Fixture) {
	sent := f.inject(0, 1)
	f.each(t, 1, f.reply)
	if f.Pending() {
		t.Fatal("TxBurst sent by itself")
	}
	f.turns(1)
	f.expect(t, sent)
}

func overflowStage(t *testing.T, f *Fixture) {
	const total = 300 // more than any driver stages
	var want [][]byte
	for i := range total {
		frame, ok := f.Queue.Alloc()
		if !ok {
			t.Fatalf("no buffer for frame %d", i)
		}
		p := payload(i, 64)
		frame.Len = f.Compose(frame.Data, p)
		f.Queue.Send(frame)
		want = append(want, p)
	}
	f.Queue.Flush()
	f.expect(t, want)
}

func allocSend(t *testing.T, f *Fixture) {
	var want [][]byte
	for i := range 100 {
		keep, ok := f.Queue.Alloc()
		free, ok2 := f.Queue.Alloc()
		if !ok || !ok2 {
			t.Fatalf("no buffers in round %d", i)
		}
		if keep.Handle == free.Handle || &keep.Data[0] == &free.Data[0] {
			t.Fatal("one buffer lent twice")
		}
		if keep.Len != 0 || keep.Verdict != nic.Drop {
			t.Fatalf("an empty frame has length %d and verdict %d", keep.Len, keep.Verdict)
		}
		p := payload(i, f.size(i))
		keep.Len = f.Compose(keep.Data, p)
		f.Queue.Free(free)
		f.Queue.Send(keep)
		want = append(want, p)
		if i%10 == 9 {
			f.Queue.Flush()
			f.expect(t, want)
			want = nil
		}
	}
}

// allocUntilEmpty takes every buffer, gives them back and does so again.
func allocUntilEmpty(t *testing.T, f *Fixture) {
	most := 0
	for round := range 3 {
		var held []nic.Frame
		for {
			frame, ok := f.Queue.Alloc()
			if !ok {
				break
			}
			held = append(held, frame)
			if len(held) > 1<<20 {
				t.Fatal("buffers without end")
			}
		}
		if got := f.Queue.Stats().NoBuffer; got != uint64(round+1) {
			t.Fatalf("NoBuffer %d after %d failures", got, round+1)
		}
		// A receive with no buffers must do no harm.
		f.turns(2)
		for _, frame := range held {
			f.Queue.Free(frame)
		}
		f.turns(2)
		// What a driver refills in batches may leave less than a batch behind.
		if most = max(most, len(held)); len(held) < most-64 || len(held) < nic.BurstSize {
			t.Fatalf("round %d: %d buffers, %d before", round, len(held), most)
		}
	}
	sent := f.inject(0, 20)
	f.each(t, len(sent), f.reply)
	f.Queue.Flush()
	f.expect(t, sent)
}

func fullBursts(t *testing.T, f *Fixture) {
	const total = 3*nic.BurstSize + 1
	sent := f.inject(0, total)
	f.each(t, total, f.reply)
	f.Queue.Flush()
	f.expect(t, sent)
}

func longestAndShortest(t *testing.T, f *Fixture) {
	for i, size := range []int{f.Shortest, f.Longest, f.Shortest + 1, f.Longest - 1} {
		p := payload(i, size)
		f.Inject(p)
		f.each(t, 1, func(_ int, frame *nic.Frame) {
			if got := f.Payload(frame.Data[:frame.Len]); !bytes.Equal(got, p) {
				t.Fatalf("payload of %d bytes came as %d", size, len(got))
			}
			f.reply(0, frame)
		})
		f.Queue.Flush()
		f.expect(t, [][]byte{p})
	}
	// A reply may be longer than its request.
	short, long := payload(9, f.Shortest), payload(10, f.Longest)
	f.Inject(short)
	f.each(t, 1, func(_ int, frame *nic.Frame) {
		frame.Len = f.Compose(frame.Data, long)
		frame.Verdict = nic.Reply
	})
	f.Queue.Flush()
	f.expect(t, [][]byte{long})
}

// impossibleLengths: a frame that cannot be is dropped and counted, and those
// behind it leave.
func impossibleLengths(t *testing.T, f *Fixture) {
	var want [][]byte
	for i, bad := range []int{0, -1, 1 << 20} {
		frame, ok := f.Queue.Alloc()
		good, ok2 := f.Queue.Alloc()
		if !ok || !ok2 {
			t.Fatal("no buffer")
		}
		frame.Len = bad
		f.Queue.Send(frame)
		p := payload(i, f.size(i))
		good.Len = f.Compose(good.Data, p)
		f.Queue.Send(good)
		want = append(want, p)
	}
	f.Queue.Flush()
	f.expect(t, want)
	if got := f.Queue.Stats().TxDropped; got != 3 {
		t.Fatalf("TxDropped %d, want 3", got)
	}
}

// receiveTwice: RxBurst empties a burst that the caller forgot to give back.
func receiveTwice(t *testing.T, f *Fixture) {
	var b nic.Burst
	const total = 64
	f.inject(0, total)
	deadline := time.Now().Add(Patience)
	for seen := 0; seen < total; {
		seen += f.Queue.RxBurst(&b)
		if time.Now().After(deadline) {
			t.Fatalf("received %d of %d", seen, total)
		}
		runtime.Gosched()
	}
	f.Queue.TxBurst(&b)
}

func closeStaged(t *testing.T, f *Fixture) {
	f.inject(0, 20)
	f.each(t, 20, f.reply)
	for i := range 20 {
		frame, ok := f.Queue.Alloc()
		if !ok {
			t.Fatal("no buffer")
		}
		frame.Len = f.Compose(frame.Data, payload(i, f.Shortest))
		f.Queue.Send(frame)
	}
}

// closeInHand: frames that outlive their queue are given back to no harm, and
// a closed queue does nothing.
func closeInHand(t *testing.T, f *Fixture) {
	f.inject(0, 4)
	var b nic.Burst
	for deadline := time.Now().Add(Patience); b.N == 0 && time.Now().Before(deadline); runtime.Gosched() {
		f.Queue.RxBurst(&b)
	}
	if b.N == 0 {
		t.Fatal("nothing received")
	}
	drained := b
	b.N = 0
	f.turnsInto(&nic.Burst{}, 4-drained.N)
	lent, ok := f.Queue.Alloc()
	if !ok {
		t.Fatal("no buffer")
	}
	if err := f.Queue.Close(); err != nil {
		t.Fatal(err)
	}
	drained.Frames[0].Verdict = nic.Reply
	f.Queue.TxBurst(&drained)
	f.Queue.Free(lent)
	f.Queue.Flush()
	if n := f.Queue.RxBurst(&b); n != 0 {
		t.Fatalf("a closed queue received %d", n)
	}
	if _, ok := f.Queue.Alloc(); ok {
		t.Fatal("a closed queue lent a buffer")
	}
}

// turnsInto receives and drops n more frames.
func (f *Fixture) turnsInto(b *nic.Burst, n int) {
	for deadline := time.Now().Add(Patience); n > 0 && time.Now().Before(deadline); runtime.Gosched() {
		n -= f.Queue.RxBurst(b)
		f.Queue.TxBurst(b)
	}
}

func countersExact(t *testing.T, f *Fixture) {
	var want nic.Stats
	for round := range 10 {
		sent := f.inject(round*30, 30)
		var replies [][]byte
		f.each(t, len(sent), func(i int, frame *nic.Frame) {
			want.RxFrames++
			want.RxBytes += uint64(frame.Len)
			if i%2 == 0 {
				f.reply(i, frame)
				want.TxFrames++
				want.TxBytes += uint64(frame.Len)
				replies = append(replies, sent[i])
			}
		})
		f.Queue.Flush()
		f.expect(t, replies)
	}
	if got := f.Queue.Stats(); got != want {
		t.Fatalf("counted %+v, want %+v", got, want)
	}
}

// noAllocation: turns with and without frames, and the way of a frame of one's
// own, touch no Go heap. The least of some tries counts, since the runtime
// itself may allocate beside us.
func noAllocation(t *testing.T, f *Fixture) {
	p := payload(1, 64)
	var b nic.Burst
	turn := func() {
		f.Queue.RxBurst(&b)
		for i := range b.Frames[:b.N] {
			f.reply(i, &b.Frames[i])
		}
		f.Queue.TxBurst(&b)
		if frame, ok := f.Queue.Alloc(); ok {
			frame.Len = f.Compose(frame.Data, p)
			f.Queue.Send(frame)
		}
		if frame, ok := f.Queue.Alloc(); ok {
			f.Queue.Free(frame)
		}
		f.Queue.Stats()
	}
	least := 1.0
	for range 5 {
		f.inject(0, 96)
		least = min(least, testing.AllocsPerRun(1, func() {
			for range 20 {
				turn()
			}
		}))
		f.Queue.Flush()
		for f.Pending() {
			f.Collect(1)
		}
	}
	if least != 0 {
		t.Fatalf("%v allocations in 20 turns", least)
	}
	if f.Queue.Stats().RxFrames == 0 {
		t.Fatal("the turns received nothing")
	}
}

func wait(t *testing.T, f *Fixture) {
	f.Queue.Wait(0)
	f.Queue.Wait(-1)
	f.Queue.Wait(int64(time.Millisecond))
	sent := f.inject(0, 1)
	f.Queue.Wait(int64(Patience)) // returns because of the frame, or early
	f.each(t, 1, f.reply)
	f.Queue.Flush()
	f.expect(t, sent)
}
