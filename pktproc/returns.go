package pktproc

import (
	"runtime"
	"sync/atomic"
)

// A batch goes back without a lock on the lcore and, as long as somebody is awake
// on the other side, without a system call: its state says that it is done, and
// only an owner that has gone to sleep is named to the one who wakes owners.

// States of a batch.
const (
	batchIdle    uint32 = iota // its owner's
	batchOut                   // the lcore's
	batchAwaited               // the lcore's, and its owner sleeps
)

// Returns collects batches whose owners sleep, for one goroutine to wake them: a
// stack that lcores push on (Treiber 1986). An lcore that finds the waker asleep
// calls Ring.
type Returns struct {
	// Ring ends the waker's sleep. It must not block.
	Ring func()

	top    atomic.Pointer[Batch]
	asleep atomic.Bool
}

// NewBatch makes a batch whose owner is woken through r.
func (r *Returns) NewBatch(c Commands) *Batch {
	return &Batch{Commands: c, ready: make(chan struct{}, 1), back: r}
}

// Depart marks b as the lcore's. Whoever submits it calls this first.
func (b *Batch) Depart() { b.state.Store(batchOut) }

// awaitTurns is how often an owner lets other goroutines run before it sleeps. Under
// load those bring batches of their own, and the answer is there without a wake.
const awaitTurns = 4

// Await returns when b has been given back. Its owner's goroutine calls it.
func (b *Batch) Await() {
	for range awaitTurns {
		if b.state.Load() == batchIdle {
			return
		}
		runtime.Gosched()
	}
	if b.state.CompareAndSwap(batchOut, batchAwaited) {
		<-b.ready
	}
}

// finish gives b back. The lcore calls it and touches b no more.
func (b *Batch) finish() {
	r := b.back
	if b.state.CompareAndSwap(batchOut, batchIdle) {
		return
	}
	for {
		b.next = r.top.Load()
		if r.top.CompareAndSwap(b.next, b) {
			break
		}
	}
	if r.asleep.Load() && r.asleep.CompareAndSwap(true, false) {
		r.Ring()
	}
}

// Wake wakes the owners of all batches that have been given back, and reports
// whether there were any. Only the waker calls it.
func (r *Returns) Wake() bool {
	b := r.top.Swap(nil)
	if b == nil {
		return false
	}
	for b != nil {
		below := b.next
		b.next = nil
		b.state.Store(batchIdle)
		b.ready <- struct{}{} // has room: one wake for each sleep
		b = below
	}
	return true
}

// Doze says that the waker is about to sleep. false: it must not, there is work.
func (r *Returns) Doze() bool {
	r.asleep.Store(true)
	if r.top.Load() == nil {
		return true
	}
	r.asleep.Store(false)
	return false
}

// Inbox is where batches are submitted to one lcore: many senders, one receiver,
// no lock. An empty one costs the loop one load.
type Inbox struct{ top atomic.Pointer[Batch] }

// Put may be called from any thread.
func (i *Inbox) Put(b *Batch) {
	for {
		b.next = i.top.Load()
		if i.top.CompareAndSwap(b.next, b) {
			return
		}
	}
}

// Empty may be called from any thread.
func (i *Inbox) Empty() bool { return i.top.Load() == nil }

// Take takes everything, the newest first. Only the receiver calls it.
func (i *Inbox) Take() *Batch {
	if i.top.Load() == nil {
		return nil
	}
	return i.top.Swap(nil)
}
