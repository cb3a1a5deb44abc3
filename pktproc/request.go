package pktproc

import (
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// step is how far runOps came.
type step uint8

const (
	stepDone      step = iota
	stepPreempted      // a call outran its slice: go on in a coroutine, from the same operation
	stepTurn           // its share of the turn is used up: go on from the same operation
	stepJob            // a control thread has to make a runtime or to compile first
	stepAgain          // everything is undone: execute the atomic datagram from its beginning
)

// request is a datagram being executed. One that ends within its turn lives in
// Processor.inline, others in their task.
type request struct {
	t       *tenant
	task    *task  // nil within a turn
	session uint32 // 0: trusted source
	seq     uint32
	role    uint8
	receipt bool // each reply carries a cost receipt
	atomic  bool // on one overlay
	overlay bool // it is open
	// readOnly: nothing changes, so an atomic datagram needs no overlay, which
	// may be a suspended call's: reads of one turn see one commit anyway.
	readOnly bool

	all, rest []byte // the operations, and those not executed yet
	index     int    // of the first of rest
	w         wire.Writer
	room      int          // of the reply's buffer
	replyAt   int          // where this operation's reply begins
	spare     int          // bytes that the reply to this operation may take behind its header
	failed    wire.Status  // the last operation's status
	cost      wire.Receipt // of this operation
	stop      wire.Status  // set by what ends a call from outside: kill, deadline, shutdown
	hashed    bool         // Processor.wanted has the hashes of the operations' keys
}

// begin makes r the request that pf parsed, with ops as its operations.
func (r *request) begin(pf *parsed, ops []byte) {
	flags := pf.h.Flags()
	*r = request{
		t: pf.t, seq: pf.h.Seq(), all: ops, rest: ops,
		receipt: flags&wire.FlagReceipt != 0, atomic: flags&wire.FlagAtomic != 0 && pf.h.Ops() > 1,
	}
	if pf.s != nil {
		r.session, r.role = pf.s.id, pf.s.role
	}
}

// close ends the reply and gives the datagram's status.
func (r *request) close() wire.Status {
	r.w.End()
	if r.w.Overflow() { // the MTU is smaller than the client's: some replies are missing
		r.w.Rewind()
		return wire.StatusTooLarge
	}
	return wire.StatusOK
}

// runOps executes what is left of r, in order.
func (p *Processor) runOps(r *request) step {
	if k := r.task; k != nil && k.batch != nil {
		return p.runTask(k)
	}
	if r.atomic && !r.overlay && !r.readOnly && r.stop == wire.StatusOK {
		p.openOverlay(r)
		r.overlay = true
	}
	for {
		op, rest, ok := wire.FirstOp(r.rest)
		if !ok {
			break
		}
		// What is left for this reply when each of the others gets the size of
		// its request, which is enough for all that change something.
		r.w.End()
		r.spare = r.w.Room() - len(rest)
		r.replyAt = r.w.Len()
		r.failed, r.cost = wire.StatusOK, wire.Receipt{}
		if r.stop != wire.StatusOK {
			r.fail(op, r.stop)
		} else if st := p.exec(r, op); st == stepAgain {
			return p.runOps(r) // once: the task's calls are for tier 0 now
		} else if st != stepDone {
			return st
		}
		p.countOp(r, op)
		if r.atomic && r.failed != wire.StatusOK && (r.failed != wire.StatusNotFound || !isRead(op)) {
			p.abort(r, r.failed, true)
			return stepDone
		}
		r.rest = rest
		r.index++
	}
	if r.overlay {
		p.commitAtomic(r)
	}
	return stepDone
}

func (p *Processor) countOp(r *request, op wire.Op) {
	r.t.local.Counters[tenants.CounterOperations]++
	code := op.Code()
	if int(code) >= wire.Opcodes {
		code = 0
	}
	p.n.Ops[code]++
}

// isRead says whether a miss of op is an answer and no failure.
func isRead(op wire.Op) bool {
	switch op.Code() {
	case wire.OpGet, wire.OpMultiGet, wire.OpScan:
		return true
	case wire.OpTTL:
		return op.Flags()&wire.OpFlagTTL == 0
	}
	return false
}

// openOverlay begins the tenant's overlay for a call or an atomic datagram.
func (p *Processor) openOverlay(r *request) *store.Overlay {
	l := r.t.local.Limits
	o := r.t.shard.Overlay()
	o.Begin(p.now.UnixMillis, store.OverlayLimits{Writes: l.OverlayWrites, Bytes: l.OverlayBytes})
	return o
}

func (p *Processor) commitAtomic(r *request) {
	r.overlay = false
	o := r.t.shard.Overlay()
	writes, size := o.Writes(), o.Bytes()
	st := p.status(r.t, o.Commit())
	if st != wire.StatusOK {
		o.Discard()
		r.t.undone()
		p.abort(r, st, false)
		return
	}
	r.t.local.Counters[tenants.CounterWrites] += uint64(writes)
	r.t.local.Counters[tenants.CounterBytesWritten] += size
}

// abort drops an atomic datagram's overlay and makes its reply anew: ABORTED for
// every operation but one, which says why. That is the one that failed
// (current), or the last if it was the commit.
func (p *Processor) abort(r *request, why wire.Status, current bool) {
	if r.overlay {
		r.overlay = false
		r.t.shard.Overlay().Discard()
		r.t.undone()
	}
	kept := p.scratchReply[:copy(p.scratchReply[:], r.w.Bytes()[r.replyAt:])]
	r.w.End()
	failed := r.index
	if !current {
		failed = -1
	}
	r.w = wire.NewWriter(r.w.Bytes()[:0:r.room])
	rest := r.all
	for i := 0; ; i++ {
		op, next, ok := wire.FirstOp(rest)
		if !ok {
			break
		}
		rest = next
		switch {
		case i == failed:
			copyReply(&r.w, kept)
		case !current && len(next) == 0:
			r.fail(op, why)
		default:
			r.fail(op, wire.StatusAborted)
		}
	}
	r.rest = nil
}

// copyReply appends a reply's operation that another writer made.
func copyReply(w *wire.Writer, b []byte) {
	op, _, ok := wire.FirstOp(b)
	if !ok {
		return
	}
	w.Begin(op.Code(), op.Flags()&^wire.OpFlagReceipt, op.Status())
	for i := range op.Words() {
		w.Word(op.Word(i))
	}
	if rc, ok := op.Receipt(); ok {
		w.Receipt(rc)
	}
	w.Value(op.Value())
	w.End()
}

// fail replies to op with a status and nothing else.
func (r *request) fail(op wire.Op, st wire.Status) {
	r.failed = st
	r.w.Begin(op.Code(), 0, st)
	r.w.End()
}

// failValue replies with a status, words and as much of a reason as fits.
func (r *request) failValue(op wire.Op, st wire.Status, reason []byte, words ...uint64) {
	fixed := 8 * len(words)
	if r.spare < fixed {
		r.fail(op, st)
		return
	}
	r.failed = st
	r.w.Begin(op.Code(), 0, st)
	for _, v := range words {
		r.w.Word(v)
	}
	fixed += r.putReceipt(fixed)
	r.w.Value(reason[:min(len(reason), r.spare-fixed)])
	r.w.End()
}

const receiptSize = 8 * wire.ReceiptWords

// putReceipt appends the cost receipt to the open operation, which has taken
// fixed bytes, if one is asked for and fits. It returns what it took.
func (r *request) putReceipt(fixed int) int {
	if !r.receipt || r.spare < fixed+receiptSize {
		return 0
	}
	r.w.Receipt(r.cost)
	return receiptSize
}

// receiptRoom is what putReceipt will take behind fixed bytes.
func (r *request) receiptRoom(fixed int) int {
	if !r.receipt || r.spare < fixed+receiptSize {
		return 0
	}
	return receiptSize
}

// reply1 and reply2 answer op with words and no value.
func (r *request) reply1(op wire.Op, st wire.Status, w0 uint64) {
	if r.spare < 8 {
		r.fail(op, st)
		return
	}
	r.failed = st
	r.w.Begin(op.Code(), 0, st)
	r.w.Word(w0)
	r.putReceipt(8)
	r.w.End()
}

func (r *request) reply2(op wire.Op, st wire.Status, w0, w1 uint64) {
	if r.spare < 16 {
		r.fail(op, st)
		return
	}
	r.failed = st
	r.w.Begin(op.Code(), 0, st)
	r.w.Word(w0)
	r.w.Word(w1)
	r.putReceipt(16)
	r.w.End()
}

// status translates the store's results. A damaged arena closes the tenant.
func (p *Processor) status(t *tenant, res store.Result) wire.Status {
	switch res {
	case store.OK:
		return wire.StatusOK
	case store.Missing:
		return wire.StatusNotFound
	case store.Conflict:
		return wire.StatusConflict
	case store.NotInteger:
		return wire.StatusNotInteger
	case store.Overflow:
		return wire.StatusOverflow
	case store.TooLarge:
		return wire.StatusTooLarge
	case store.Full:
		t.local.Counters[tenants.CounterFull]++
		return wire.StatusFull
	case store.Limit:
		return wire.StatusLimit
	}
	t.quarantined = true
	return wire.StatusQuarantined
}
