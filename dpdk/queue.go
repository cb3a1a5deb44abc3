//go:build dpdk

package dpdk

import (
	"fmt"
	"sync/atomic"
	"time"

	"shredder/dataplane/nic"
)

// maxWait bounds Wait: there is no wake-up from most devices, so an idle lcore
// looks again this often.
const maxWait = 100 * time.Microsecond

// queue is one queue pair of a port; its C half is in queue_unsafe.go. It
// belongs to one lcore.
type queue struct {
	view     queueView
	caps     nic.Capabilities
	noBuffer atomic.Uint64
	bad      atomic.Uint64 // frames sent with a length they cannot have
	final    nic.Stats
	lost     uint64 // unfit frames, once closed
	closed   bool
}

var _ nic.Queue = (*queue)(nil)

func newQueue(p *Port, i int, caps nic.Capabilities) (*queue, error) {
	q := &queue{caps: caps}
	if !q.view.open(p, i, caps.TxChecksumIPv4 || caps.TxChecksumUDP) {
		return nil, fmt.Errorf("dpdk: no memory for queue %d of port %s", i, p.config.Name)
	}
	return q, nil
}

// RxBurst is one crossing into C: send, free, restock, receive.
func (q *queue) RxBurst(b *nic.Burst) int {
	if b.N != 0 {
		q.TxBurst(b)
	}
	if q.closed {
		return 0
	}
	b.N = q.view.turn(&b.Frames)
	return b.N
}

// TxBurst stages replies and marks the rest to be freed, without crossing into C.
func (q *queue) TxBurst(b *nic.Burst) {
	n := 0
	if !q.closed {
		n = q.view.stageReplies(b.Frames[:b.N])
	}
	for i := n; i < b.N; i++ {
		f := &b.Frames[i]
		if f.Verdict == nic.Reply && q.valid(f) {
			q.stage(f)
		} else {
			q.drop(f.Handle)
		}
	}
	b.N = 0
}

// Alloc takes a frame from the queue's stock. When the stock is used up within
// one turn it crosses into C for more.
func (q *queue) Alloc() (nic.Frame, bool) {
	if !q.closed {
		if f, ok := q.view.takeSpare(); ok {
			return f, true
		}
		q.view.flush()
		if f, ok := q.view.takeSpare(); ok {
			return f, true
		}
	}
	q.noBuffer.Add(1)
	return nic.Frame{}, false
}

// Send stages f.
func (q *queue) Send(f nic.Frame) {
	if q.valid(&f) {
		q.stage(&f)
	} else {
		q.drop(f.Handle)
	}
}

// Free gives f back.
func (q *queue) Free(f nic.Frame) { q.drop(f.Handle) }

// Flush sends what is staged now.
func (q *queue) Flush() {
	if !q.closed {
		q.view.flush()
	}
}

// Wait sleeps for at most maxWait.
func (q *queue) Wait(nanos int64) {
	sleep(min(nanos, int64(maxWait)))
}

// Capabilities is constant.
func (q *queue) Capabilities() nic.Capabilities { return q.caps }

// Stats may be called from any thread until Close.
func (q *queue) Stats() nic.Stats {
	s := q.final
	if !q.closed {
		s = q.view.stats()
	}
	s.TxDropped += q.bad.Load()
	s.NoBuffer = q.noBuffer.Load()
	return s
}

func (q *queue) unfit() uint64 {
	if q.closed {
		return q.lost
	}
	return q.view.unfit()
}

// Close frees what is staged, dropped or in stock. The port must not be
// receiving on this queue any more, and frames in the caller's hands are to be
// given back before.
func (q *queue) Close() error {
	if q.closed {
		return nil
	}
	q.final, q.lost = q.view.stats(), q.view.unfit()
	q.closed = true
	q.view.close()
	return nil
}

// valid tells whether a frame's length fits its room; else it is dropped and counted.
func (q *queue) valid(f *nic.Frame) bool {
	if f.Len > 0 && f.Len <= len(f.Data) {
		return true
	}
	q.bad.Add(1)
	return false
}

func (q *queue) stage(f *nic.Frame) {
	if q.closed {
		q.view.freeNow(f.Handle)
		return
	}
	q.view.stage(f.Handle, f.Len)
}

func (q *queue) drop(handle uintptr) {
	if q.closed {
		q.view.freeNow(handle)
		return
	}
	q.view.drop(handle)
}
