package pktproc

import "shredder/pktproc/wire"

// keptResult is a reply's value that is larger than a datagram, kept until
// the client acknowledges its request, or until it is too old.
type keptResult struct {
	next    *keptResult // of the same tenant, newest first
	session uint32
	seq     uint32
	index   int // of the operation
	data    []byte
	expires int64 // mono ns
}

// keptResults is an lcore's pool of them. The data is garbage-collected memory
// without pointers: it is the buffer that the call wrote its result to.
type keptResults struct {
	free  *keptResult
	made  int
	limit int
}

func newKeptResults(limit int) keptResults { return keptResults{limit: limit} }

func (k *keptResults) alloc() *keptResult {
	if e := k.free; e != nil {
		k.free = e.next
		return e
	}
	k.made++
	return new(keptResult)
}

// mayKeep says whether keep will take a result whose buffer is of size bytes:
// not without a session, and not if the tenant or the lcore keeps too much already.
// For a tenant that keeps all the results it may, it gives up the oldest of a read.
func (p *Processor) mayKeep(r *request, size int) bool {
	l := &p.cfg.Limits
	if r.t.resultCount >= l.ResultsPerTenant {
		p.dropOldestRead(r.t)
	}
	return r.session != 0 && r.t.resultCount < l.ResultsPerTenant && r.t.resultSize+size <= l.ResultBytesPerTenant &&
		(p.kept.free != nil || p.kept.made < p.kept.limit)
}

// dropOldestRead drops the oldest result of a request outside of the window (TRY,
// STATS), which no "first incomplete" acknowledges: its client has long pulled it.
func (p *Processor) dropOldestRead(t *tenant) {
	var oldest *keptResult
	for e := t.results; e != nil; e = e.next {
		if e.seq > maxSeq {
			oldest = e
		}
	}
	p.dropKept(t, func(e *keptResult) bool { return e == oldest })
}

// keep takes data, whose owner it becomes, as the result of r's current
// operation; false: it may not. What counts is the buffer, which can be larger.
func (p *Processor) keep(r *request, data []byte) bool {
	if !p.mayKeep(r, cap(data)) {
		return false
	}
	e := p.kept.alloc()
	*e = keptResult{
		next: r.t.results, session: r.session, seq: r.seq, index: r.index, data: data,
		expires: p.now.MonoNanos + p.cfg.Limits.ResultMillis*1e6,
	}
	r.t.results = e
	r.t.resultCount++
	r.t.resultSize += cap(data)
	p.n.KeptResults++
	p.n.KeptBytes += uint64(cap(data))
	return true
}

// dropResults drops t's results of a session below first, or all of them.
func (p *Processor) dropResults(t *tenant, session, first uint32, all bool) {
	p.dropKept(t, func(e *keptResult) bool { return e.session == session && (all || e.seq < first) })
}

func (p *Processor) dropKept(t *tenant, dead func(*keptResult) bool) {
	for at := &t.results; *at != nil; {
		e := *at
		if !dead(e) {
			at = &e.next
			continue
		}
		*at = e.next
		t.resultCount--
		t.resultSize -= cap(e.data)
		p.n.KeptResults--
		p.n.KeptBytes -= uint64(cap(e.data))
		*e = keptResult{next: p.kept.free}
		p.kept.free = e
	}
}

// result answers a piece of a kept result: w0 sequence, w1 offset ‖ length,
// w2 index of the operation.
func (p *Processor) result(r *request, op wire.Op) {
	seq, index := op.Word(0), op.Word(2)
	for e := r.t.results; e != nil; e = e.next {
		if e.session != r.session || uint64(e.seq) != seq || uint64(e.index) != index {
			continue
		}
		off, n := op.Word(1)>>32, op.Word(1)&0xffffffff
		if off > uint64(len(e.data)) {
			r.fail(op, wire.StatusBadArgument)
			return
		}
		data := e.data[off:]
		data = data[:min(n, uint64(len(data)))]
		r.replyValue(op, data, uint64(len(e.data)))
		return
	}
	r.fail(op, wire.StatusNotFound)
}

// replyValue answers OK with words and as much of value as fits; what does not
// fit is marked Partial.
func (r *request) replyValue(op wire.Op, value []byte, words ...uint64) {
	fixed := 8 * len(words)
	if r.spare < fixed {
		r.fail(op, wire.StatusTooLarge)
		return
	}
	n := min(len(value), r.spare-fixed-r.receiptRoom(fixed))
	flags := uint8(0)
	if n < len(value) {
		flags = wire.OpFlagPartial
	}
	r.cost.BytesReturned = uint64(n)
	r.w.Begin(op.Code(), flags, wire.StatusOK)
	for _, v := range words {
		r.w.Word(v)
	}
	r.putReceipt(fixed)
	r.w.Value(value[:n])
	r.w.End()
}

// fits says whether a reply has room for a value of size bytes.
func (r *request) fits(size int) bool { return size <= r.spare-r.receiptRoom(size) }

// mayReply says whether replyLarge will find a way to answer with value.
func (p *Processor) mayReply(r *request, value []byte) bool {
	return r.fits(len(value)) || r.spare >= 8 && p.mayKeep(r, cap(value))
}

// replyLarge answers OK with value, or keeps it for RESULT if it does not fit
// and answers its size. owned: value may be kept as it is, else it is copied.
func (p *Processor) replyLarge(r *request, op wire.Op, value []byte, owned bool) (kept bool) {
	r.cost.BytesReturned = uint64(len(value))
	if r.fits(len(value)) {
		r.replyValue(op, value)
		return false
	}
	if !owned {
		value = append([]byte(nil), value...)
	}
	if r.spare < 8 || !p.keep(r, value) {
		r.fail(op, wire.StatusTooLarge)
		return false
	}
	r.w.Begin(op.Code(), wire.OpFlagPartial, wire.StatusOK)
	r.w.Word(uint64(len(value)))
	r.putReceipt(8)
	r.w.End()
	return true
}
