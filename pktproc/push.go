package pktproc

import (
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// A push brings a value that is larger than a datagram: PUSH-BEGIN reserves
// and charges its final block, each PUSH copies one segment to its place there,
// and a SET or FN with OpFlagPushed takes the block. A segment starts at a
// multiple of the segment size and is full, unless it is the last, so it is one
// bit of the bitmap and no overlap can hide a hole.

type push struct {
	id       uint64 // counter ‖ slot + 1; 0: free
	session  uint32
	t        *tenant
	total    uint32
	segment  uint32
	missing  uint32 // segments
	block    store.Block
	bitmap   []uint64
	deadline int64 // mono ns
	held     bool  // a deploy is copying it
}

// pushes is an lcore's table of them.
type pushes struct {
	slots   []push
	free    []uint32
	counter uint64
	hand    int
}

const pushSlotBits = 20

func newPushes(l *Limits) pushes {
	t := pushes{slots: make([]push, min(l.Pushes, 1<<pushSlotBits)), free: make([]uint32, 0, l.Pushes)}
	for i := len(t.slots) - 1; i >= 0; i-- {
		t.free = append(t.free, uint32(i))
	}
	return t
}

// find returns session's push id, or nil.
func (t *pushes) find(id uint64, session uint32) *push {
	slot := id & (1<<pushSlotBits - 1)
	if slot == 0 || slot > uint64(len(t.slots)) {
		return nil
	}
	if e := &t.slots[slot-1]; e.id == id && e.session == session {
		return e
	}
	return nil
}

// forget frees e's slot. Its block is released or has another owner already.
func (t *pushes) forget(p *Processor, e *push) {
	e.t.pushes--
	if s := p.sessions.live(e.session); s != nil {
		s.pushes--
	}
	t.free = append(t.free, uint32(e.id&(1<<pushSlotBits-1))-1)
	*e = push{bitmap: e.bitmap[:0]}
	p.n.Pushes--
}

// drop releases e's block and forgets it. While a call is suspended the block
// must stay: drop says whether it could.
func (t *pushes) drop(p *Processor, e *push) bool {
	if e.t.suspended() {
		return false
	}
	e.t.shard.Release(e.block)
	t.forget(p, e)
	return true
}

// dropSession ends the pushes of a session. Those of a tenant whose call is
// suspended time out later.
func (t *pushes) dropSession(p *Processor, session uint32) {
	for i := range t.slots {
		if e := &t.slots[i]; e.id != 0 && e.session == session {
			e.deadline = 0
			t.drop(p, e)
		}
	}
}

// dropTenant forgets the pushes of a tenant whose shard is going away.
func (t *pushes) dropTenant(p *Processor, gone *tenant) {
	for i := range t.slots {
		if e := &t.slots[i]; e.id != 0 && e.t == gone {
			t.forget(p, e)
		}
	}
}

// sweep ends, of the next count slots, the pushes that wait too long.
func (t *pushes) sweep(p *Processor, count int) {
	if p.n.Pushes == 0 {
		return
	}
	for range min(count, len(t.slots)) {
		e := &t.slots[t.hand]
		if t.hand++; t.hand == len(t.slots) {
			t.hand = 0
		}
		if e.id != 0 && !e.held && p.now.MonoNanos >= e.deadline {
			t.drop(p, e)
		}
	}
}

// pushBegin reserves a block: w0 total size, w1 segment size.
func (p *Processor) pushBegin(r *request, op wire.Op) {
	t := &p.pushes
	s := p.sessions.live(r.session)
	if s == nil { // a trusted source cannot be told from another that knows its address
		r.fail(op, wire.StatusDenied)
		return
	}
	l := &p.cfg.Limits
	if len(t.free) == 0 || r.t.pushes >= l.PushesPerTenant || int(s.pushes) >= l.PushesPerSession {
		r.fail(op, wire.StatusBusy)
		return
	}
	total, segment := uint32(op.Word(0)), uint32(op.Word(1))
	block, res := r.t.shard.Reserve(total)
	if res != store.OK {
		r.fail(op, p.status(r.t, res))
		return
	}
	slot := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.counter++
	segments := (total + segment - 1) / segment
	e := &t.slots[slot]
	words := int(segments+63) / 64
	bitmap := e.bitmap
	if cap(bitmap) < words {
		bitmap = make([]uint64, words)
	}
	bitmap = bitmap[:words]
	clear(bitmap)
	*e = push{
		id: t.counter<<pushSlotBits | uint64(slot+1), session: r.session, t: r.t, total: total, segment: segment,
		missing: segments, block: block, bitmap: bitmap, deadline: p.now.MonoNanos + l.PushMillis*1e6,
	}
	r.t.pushes++
	s.pushes++
	p.n.Pushes++
	r.reply1(op, wire.StatusOK, e.id)
}

// pushSegment copies one segment: w0 push, w1 offset. Sent twice, it is copied twice.
func (p *Processor) pushSegment(r *request, op wire.Op) {
	e := p.pushes.find(op.Word(0), r.session)
	if e == nil || r.session == 0 {
		r.fail(op, wire.StatusNoPush)
		return
	}
	off, value := op.Word(1), op.Value()
	if off >= uint64(e.total) || off%uint64(e.segment) != 0 || uint64(len(value)) != min(uint64(e.segment), uint64(e.total)-off) {
		r.fail(op, wire.StatusBadArgument)
		return
	}
	copy(e.block.Bytes()[off:], value)
	i := off / uint64(e.segment)
	if bit := uint64(1) << (i & 63); e.bitmap[i>>6]&bit == 0 {
		e.bitmap[i>>6] |= bit
		e.missing--
	}
	e.deadline = p.now.MonoNanos + p.cfg.Limits.PushMillis*1e6
	r.cost.BytesRead = uint64(len(value))
	r.reply1(op, wire.StatusOK, uint64(e.missing))
}

// pushed returns the push named by word, if nothing of it is missing.
func (p *Processor) pushed(r *request, id uint64) *push {
	e := p.pushes.find(id, r.session)
	if e == nil || r.session == 0 || e.missing != 0 || e.held {
		return nil
	}
	return e
}

// setPushed executes a SET whose value is a push's block. Its bytes are not
// touched: only the table's link changes. If the SET fails the push stays.
func (p *Processor) setPushed(r *request, op wire.Op, o store.SetOptions) {
	if r.overlay {
		r.fail(op, wire.StatusUnsupported) // an overlay would have to copy it, in one turn
		return
	}
	e := p.pushed(r, op.Word(2))
	if e == nil {
		r.fail(op, wire.StatusNoPush)
		return
	}
	version, res := r.t.shard.SetBlock(keyOf(op), e.block, o, p.now.UnixMillis)
	if res == store.OK {
		r.t.local.Counters[tenants.CounterBytesWritten] += uint64(e.total)
		p.pushes.forget(p, e)
	}
	p.answerVersion(r, op, version, res, 0)
}
