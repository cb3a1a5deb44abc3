package pktproc

import (
	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// copyChunk is how many bytes of a pushed source one turn copies: with a burst
// of full frames (46 KiB) that stays below 64 KiB.
const copyChunk = 16 << 10

// startFn begins an FN, which stands alone in its datagram: a control thread
// does it and answers with an event. Other requests of the tenant go on.
func (p *Processor) startFn(k *task, f *nic.Frame) {
	r := &k.r
	k.fnNext, k.t.fns = k.t.fns, k
	op, _, _ := wire.FirstOp(r.all)
	r.spare = r.w.Room()
	st := wire.CheckOp(op)
	if st == wire.StatusOK && r.atomic {
		st = wire.StatusUnsupported
	}
	if st == wire.StatusOK && !mayDeploy(r, op) {
		r.t.local.Counters[counterDenied]++
		st = wire.StatusDenied
	}
	if st != wire.StatusOK {
		p.answerFn(k, op, st, f)
		return
	}
	source := op.Value()
	if op.Flags()&wire.OpFlagPushed != 0 {
		e := p.pushed(r, op.Word(2))
		switch {
		case e == nil:
			p.answerFn(k, op, wire.StatusNoPush, f)
			return
		case int(e.total) > r.t.local.Limits.SourceSize:
			p.answerFn(k, op, wire.StatusTooLarge, f)
			return
		}
		e.held = true
		k.push, k.source = e, make([]byte, 0, e.total)
		k.state = taskCopy
		k.next, p.copies = p.copies, k
		return
	}
	k.source = append([]byte(nil), source...)
	p.submitFn(k, op, f)
}

// mayDeploy says whether r's session may change the tenant's library: listing
// is for everybody, the rest for the deploy role, or for all if the tenant was
// made without a deploy token.
func mayDeploy(r *request, op wire.Op) bool {
	return op.Word(0) == wire.FnList || r.role == wire.RoleDeploy || len(r.t.local.DeployToken) == 0
}

// copyStep copies one chunk of the source of the first deploy in the list, and
// submits it when that was the last.
func (p *Processor) copyStep() {
	k := p.copies
	if k == nil {
		return
	}
	e := k.push
	from := len(k.source)
	to := min(from+copyChunk, int(e.total))
	k.source = append(k.source, e.block.Bytes()[from:to]...)
	if to < int(e.total) {
		return
	}
	p.copies, k.next, k.push = k.next, nil, nil
	op, _, _ := wire.FirstOp(k.r.all)
	e.held, e.deadline = false, 0 // it is not needed any more, and goes when the arena may change
	p.pushes.drop(p, e)
	p.submitFn(k, op, nil)
}

// uncopy takes k out of the list of copies.
func (p *Processor) uncopy(k *task) {
	for at := &p.copies; *at != nil; at = &(*at).next {
		if *at == k {
			*at = k.next
			break
		}
	}
	k.push.held = false
	k.next, k.push = nil, nil
}

// unlinkFn takes k off its tenant's list of FNs, if it is on it.
func (t *tenant) unlinkFn(k *task) {
	for at := &t.fns; *at != nil; at = &(*at).fnNext {
		if *at == k {
			*at, k.fnNext = k.fnNext, nil
			return
		}
	}
}

// answerFn replies with a status and ends k.
func (p *Processor) answerFn(k *task, op wire.Op, st wire.Status, f *nic.Frame) {
	k.r.fail(op, st)
	p.n.Ops[wire.OpFn]++
	p.complete(k, f)
}

// endFn ends an FN from outside. Its job is cancelled, or its tenant goes.
func (p *Processor) endFn(k *task) {
	if k.state == taskCopy {
		p.uncopy(k)
	}
	op, _, _ := wire.FirstOp(k.r.all)
	p.answerFn(k, op, k.r.stop, nil)
}
