package pktproc

import "shredder/pktproc/wire"

// exec executes one operation and appends its reply. Other than stepDone it
// has done nothing, and is to be called again.
func (p *Processor) exec(r *request, op wire.Op) step {
	if st := wire.CheckOp(op); st != wire.StatusOK {
		r.fail(op, st)
		return stepDone
	}
	if r.atomic && maskAtomic>>op.Code()&1 == 0 {
		r.fail(op, wire.StatusUnsupported)
		return stepDone
	}
	switch op.Code() {
	case wire.OpPing:
		r.ping(op)
	case wire.OpGet:
		p.get(r, op)
	case wire.OpSet:
		p.set(r, op)
	case wire.OpDelete:
		p.delete(r, op)
	case wire.OpIncr:
		p.incr(r, op)
	case wire.OpCAS:
		p.cas(r, op)
	case wire.OpTTL:
		if op.Flags()&wire.OpFlagTTL != 0 {
			p.setTTL(r, op)
		} else {
			p.readTTL(r, op)
		}
	case wire.OpMultiGet:
		p.multiGet(r, op)
	case wire.OpScan:
		p.scan(r, op)
	case wire.OpCall, wire.OpTry:
		return p.call(r, op)
	default:
		p.execRare(r, op)
	}
	return stepDone
}

// execRare executes what does not touch the store.
func (p *Processor) execRare(r *request, op wire.Op) {
	switch op.Code() {
	case wire.OpLogs:
		p.logs(r, op)
	case wire.OpKill:
		p.kill(r, op)
	case wire.OpStats:
		p.stats(r, op)
	case wire.OpPushBegin:
		p.pushBegin(r, op)
	case wire.OpPush:
		p.pushSegment(r, op)
	case wire.OpResult:
		p.result(r, op)
	default: // HELLO, and FN that shares its datagram
		r.fail(op, wire.StatusUnsupported)
	}
}
