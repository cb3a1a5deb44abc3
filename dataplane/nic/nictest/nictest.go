// Package nictest is the conformance suite of the nic contract: each driver's
// tests open Fixtures and run every case on them. It is test code: it runs on
// the goroutine of the test, which stands in for the lcore.
package nictest

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"shredder/dataplane/nic"
)

// Fixture is a fresh queue and the other end of its wire. The suite closes the
// queue; whatever else there is, the driver's test closes in t.Cleanup.
//
// The suite speaks in payloads: for a driver of bare frames the payload is the
// frame, for one of datagrams it is what stands behind the headers.
type Fixture struct {
	Queue nic.Queue
	// Shortest and Longest are the payload lengths, in bytes, that the wire can carry.
	Shortest, Longest int
	// Inject sends a payload to the queue.
	Inject func(payload []byte)
	// Collect returns the next n payloads that the queue sent, fewer if they do
	// not come within its patience (Patience for a device that may take its time).
	Collect func(n int) [][]byte
	// Pending tells, without waiting, whether Collect would find a payload.
	Pending func() bool
	// Payload is the part of a received frame that was injected.
	Payload func(frame []byte) []byte
	// Answer turns a received frame around, so that it reaches the other end.
	Answer func(frame []byte)
	// Compose writes a frame with a payload for the other end into room and returns its length.
	Compose func(room, payload []byte) int
	// InUse is the number of buffers that are not free. With the queue closed it must be 0.
	InUse func() int
}

// Patience is how long anything may take that a healthy driver does at once.
const Patience = 30 * time.Second

// Case is one statement of the contract.
type Case struct {
	Name string
	Run  func(t *testing.T, f *Fixture)
}

// Cases are all statements. Each wants a fixture of its own.
var Cases = []Case{
	{"idle", idle},
	{"receive in order", receiveInOrder},
	{"reply in order, drop the rest", replyInOrder},
	{"staged frames leave with the next receive", stagedLeave},
	{"more replies than a stage holds", overflowStage},
	{"alloc, send, flush", allocSend},
	{"alloc until empty", allocUntilEmpty},
	{"full bursts", fullBursts},
	{"longest and shortest", longestAndShortest},
	{"impossible lengths", impossibleLengths},
	{"receive with a burst not given back", receiveTwice},
	{"close with staged frames", closeStaged},
	{"close with frames in hand", closeInHand},
	{"counters", countersExact},
	{"no allocation", noAllocation},
	{"wait", wait},
}

// Run runs every case on a fixture of its own. open must fail the test if it cannot make one.
func Run(t *testing.T, open func(t *testing.T) *Fixture) {
	for _, c := range Cases {
		t.Run(c.Name, func(t *testing.T) {
			f := open(t)
			c.Run(t, f)
			f.closeAndCheck(t)
		})
	}
}

// closeAndCheck closes the queue and finds every buffer free.
func (f *Fixture) closeAndCheck(t *testing.T) {
	t.Helper()
	if err := f.Queue.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := f.Queue.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if n := f.InUse(); n != 0 {
		t.Errorf("%d buffers leaked", n)
	}
}

// payload i of a case: seeded bytes that begin with i, so that order shows.
func payload(i, size int) []byte {
	random := rand.New(rand.NewPCG(uint64(i), uint64(size)))
	b := make([]byte, size)
	for j := range b {
		b[j] = byte(random.Uint32())
	}
	if size > 1 {
		b[0], b[1] = byte(i), byte(i>>8)
	}
	return b
}

// size spreads payload lengths over what the wire carries.
func (f *Fixture) size(i int) int {
	const usual = 400
	return f.Shortest + (i*37)%(min(f.Longest, usual)-f.Shortest+1)
}

// each receives n payloads and calls visit for every frame with its index; then
// the burst goes back by TxBurst.
func (f *Fixture) each(t *testing.T, n int, visit func(i int, frame *nic.Frame)) {
	t.Helper()
	var b nic.Burst
	deadline := time.Now().Add(Patience)
	for seen := 0; seen < n; {
		got := f.Queue.RxBurst(&b)
		if got != b.N || got < 0 || got > nic.BurstSize {
			t.Fatalf("RxBurst returned %d with N=%d", got, b.N)
		}
		if got == 0 {
			if time.Now().After(deadline) {
				t.Fatalf("received %d of %d frames", seen, n)
			}
			runtime.Gosched()
			continue
		}
		for i := range b.Frames[:b.N] {
			frame := &b.Frames[i]
			f.sane(t, frame)
			if seen < n {
				visit(seen, frame)
			}
			seen++
		}
		f.Queue.TxBurst(&b)
		if b.N != 0 {
			t.Fatal("TxBurst left the burst with frames")
		}
	}
}

// sane checks what holds for every received frame.
func (f *Fixture) sane(t *testing.T, frame *nic.Frame) {
	t.Helper()
	if frame.Verdict != nic.Drop {
		t.Fatalf("a received frame has verdict %d", frame.Verdict)
	}
	if frame.Len <= 0 || frame.Len > len(frame.Data) {
		t.Fatalf("length %d in room of %d", frame.Len, len(frame.Data))
	}
	if room := f.Queue.Capabilities().MTU + 14; len(frame.Data) < room {
		t.Fatalf("room %d for frames of %d", len(frame.Data), room)
	}
	if frame.Checksum == nic.ChecksumBad {
		t.Fatal("a good frame is marked bad")
	}
}

// discard is for frames whose content does not matter.
func discard(int, *nic.Frame) {}

// reply answers a frame with what it brought.
func (f *Fixture) reply(_ int, frame *nic.Frame) {
	f.Answer(frame.Data[:frame.Len])
	frame.Verdict = nic.Reply
}

// expect collects len(want) payloads and compares them in order.
func (f *Fixture) expect(t *testing.T, want [][]byte) {
	t.Helper()
	got := f.Collect(len(want))
	if len(got) != len(want) {
		t.Fatalf("collected %d payloads, want %d; counted %+v", len(got), len(want), f.Queue.Stats())
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("payload %d of %d: got %d bytes %.16x…, want %d bytes %.16x…", i, len(want), len(got[i]), got[i], len(want[i]), want[i])
		}
	}
}

// turns lets a driver settle: receive a few times, dropping what comes.
func (f *Fixture) turns(n int) {
	var b nic.Burst
	for range n {
		f.Queue.RxBurst(&b)
		f.Queue.TxBurst(&b)
	}
}
