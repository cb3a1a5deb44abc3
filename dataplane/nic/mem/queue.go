package mem

import (
	"fmt"
	"sync/atomic"
	"time"

	"shredder/dataplane/nic"
)

// poison fills a buffer that was given back, so that a borrow kept too long is seen.
const poison = 0xCC

// Queue is one of the server's queue pairs. It checks ownership: a frame that is
// given back twice, or is not the queue's, panics.
type Queue struct {
	wire   *Wire
	index  int
	mem    []byte // Buffers rooms in a row
	room   int
	state  []state // of each buffer
	free   []int   // buffers to lend
	staged []stagedFrame
	poison []byte
	stats  counters
	inUse  atomic.Int64
	closed bool
}

var _ nic.Queue = (*Queue)(nil)

// state says who has a buffer.
type state uint8

const (
	free state = iota
	lent
	staged
)

type stagedFrame struct{ buffer, frameLen int }

// counters are written by the lcore and read by anyone.
type counters struct {
	rxFrames, rxBytes, txFrames, txBytes, txDropped, noBuffer atomic.Uint64
}

func newQueue(w *Wire, index int) *Queue {
	c := &w.config
	room := (c.MTU + 14 + 8 + 1023) / 1024 * 1024
	q := &Queue{
		wire: w, index: index, room: room,
		mem:    make([]byte, c.Buffers*room),
		state:  make([]state, c.Buffers),
		free:   make([]int, 0, c.Buffers),
		staged: make([]stagedFrame, 0, c.Buffers),
		poison: make([]byte, room),
	}
	for i := range q.poison {
		q.poison[i] = poison
	}
	for i := c.Buffers - 1; i >= 0; i-- {
		q.free = append(q.free, i)
	}
	return q
}

// RxBurst sends what is staged and receives what the wire has.
func (q *Queue) RxBurst(b *nic.Burst) int {
	if b.N != 0 {
		q.TxBurst(b)
	}
	q.wire.mu.Lock()
	q.transmit()
	q.receive(b)
	q.wire.mu.Unlock()
	return b.N
}

// receive takes frames while there are frames, room in the burst and buffers.
func (q *Queue) receive(b *nic.Burst) {
	r := &q.wire.toServer[q.index]
	if q.closed {
		return
	}
	if r.n == 0 {
		r.settle()
		return
	}
	for b.N < nic.BurstSize && r.n > 0 && len(q.free) > 0 {
		bytes := r.take()
		if len(bytes) > q.room {
			q.wire.counts[toServer].TooLong++ // a real port drops it too
			continue
		}
		f := &b.Frames[b.N]
		*f = q.lend()
		f.Len = copy(f.Data, bytes)
		b.N++
		q.stats.rxFrames.Add(1)
		q.stats.rxBytes.Add(uint64(f.Len))
	}
}

// TxBurst stages replies and frees the rest.
func (q *Queue) TxBurst(b *nic.Burst) {
	for i := range b.Frames[:b.N] {
		if f := &b.Frames[i]; f.Verdict == nic.Reply {
			q.Send(*f)
		} else {
			q.Free(*f)
		}
	}
	b.N = 0
}

// Alloc lends a buffer.
func (q *Queue) Alloc() (nic.Frame, bool) {
	if len(q.free) == 0 || q.closed {
		q.stats.noBuffer.Add(1)
		return nic.Frame{}, false
	}
	return q.lend(), true
}

func (q *Queue) lend() nic.Frame {
	last := len(q.free) - 1
	i := q.free[last]
	q.free = q.free[:last]
	q.state[i] = lent
	q.inUse.Add(1)
	start, end := i*q.room, (i+1)*q.room
	return nic.Frame{Data: q.mem[start:end:end], Handle: uintptr(i + 1)}
}

// Send stages f.
func (q *Queue) Send(f nic.Frame) {
	i := q.owned(f)
	if f.Len <= 0 || f.Len > q.room || q.closed {
		q.stats.txDropped.Add(1)
		q.release(i)
		return
	}
	q.state[i] = staged
	q.staged = append(q.staged, stagedFrame{i, f.Len})
}

// Free gives f back.
func (q *Queue) Free(f nic.Frame) { q.release(q.owned(f)) }

// owned checks that the frame is lent by this queue and returns its buffer.
func (q *Queue) owned(f nic.Frame) int {
	i := int(f.Handle) - 1
	if i < 0 || i >= len(q.state) || q.state[i] != lent {
		panic(fmt.Sprintf("mem: frame with handle %d is not lent by queue %d", f.Handle, q.index))
	}
	return i
}

func (q *Queue) release(i int) {
	copy(q.mem[i*q.room:(i+1)*q.room], q.poison)
	q.state[i] = free
	q.free = append(q.free, i)
	q.inUse.Add(-1)
}

// Flush sends what is staged.
func (q *Queue) Flush() {
	q.wire.mu.Lock()
	q.transmit()
	q.wire.mu.Unlock()
}

func (q *Queue) transmit() {
	for _, s := range q.staged {
		bytes := q.mem[s.buffer*q.room:][:s.frameLen]
		if q.wire.send(toHost, &q.wire.toHost, bytes) {
			q.stats.txFrames.Add(1)
			q.stats.txBytes.Add(uint64(s.frameLen))
		} else {
			q.stats.txDropped.Add(1)
		}
		q.release(s.buffer)
	}
	q.staged = q.staged[:0]
}

// Wait sleeps a little unless something has arrived.
func (q *Queue) Wait(nanos int64) {
	q.wire.mu.Lock()
	waiting := q.wire.toServer[q.index].n
	q.wire.mu.Unlock()
	if waiting == 0 && nanos > 0 {
		time.Sleep(min(time.Duration(nanos), 100*time.Microsecond))
	}
}

// Capabilities are the wire's.
func (q *Queue) Capabilities() nic.Capabilities { return q.wire.config.Capabilities }

// Stats may be called from any goroutine.
func (q *Queue) Stats() nic.Stats {
	s := &q.stats
	return nic.Stats{
		RxFrames: s.rxFrames.Load(), RxBytes: s.rxBytes.Load(),
		TxFrames: s.txFrames.Load(), TxBytes: s.txBytes.Load(),
		TxDropped: s.txDropped.Load(), NoBuffer: s.noBuffer.Load(),
	}
}

// InUse is the number of buffers that are lent or staged: 0 when nothing leaked.
func (q *Queue) InUse() int { return int(q.inUse.Load()) }

// Close frees what is staged; frames still lent can be given back afterwards.
func (q *Queue) Close() error {
	q.closed = true
	for _, s := range q.staged {
		q.release(s.buffer)
	}
	q.staged = q.staged[:0]
	return nil
}
