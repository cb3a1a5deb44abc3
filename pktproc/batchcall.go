package pktproc

import (
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// CallResult is how a function ended that a batch called. Its slices are valid
// until the batch's next call or the end of Run.
type CallResult struct {
	Status       wire.Status // DENIED: it wrote, which the caller did not allow
	Value        []byte      // the encoded result if OK
	Message      []byte      // says why not, if anything is known
	Line, Column int
}

// Call executes op, a CALL in the wire format, for the batch's current command.
// Other than BatchDone it has done nothing, or nothing that lasts: Run returns that
// step and makes the call again when it is run again. readOnly: a call that wrote
// something is undone and ends DENIED.
func (x *Exec) Call(op wire.Op, readOnly bool) (CallResult, BatchStep) {
	p, t, k := x.p, x.t, x.task
	if k == nil {
		if l := t.local.Limits; !t.calls.ready(l.CallsPerSecond, p.now.MonoNanos) || !t.fuel.ready(l.FuelPerSecond, p.now.MonoNanos) {
			t.local.Counters[tenants.CounterBusy]++
			return CallResult{Status: wire.StatusBusy}, BatchDone
		}
		return CallResult{}, BatchWait
	}
	if k.yield == nil && p.fuelLeft <= 0 {
		return CallResult{}, BatchTurn
	}
	r := &k.r
	r.w = wire.NewWriter(k.reply[:])
	r.spare, r.failed = r.w.Room(), wire.StatusOK
	x.readOnly, x.answered = readOnly, false
	switch p.call(r, op) {
	case stepPreempted:
		return CallResult{}, BatchLong
	case stepTurn:
		return CallResult{}, BatchTurn
	case stepJob:
		return CallResult{}, BatchJob
	}
	p.countOp(r, op)
	if !x.answered { // it did not come to a call
		x.result = CallResult{Status: r.failed}
		r.w.End()
		if reply, _, ok := wire.FirstOp(r.w.Bytes()[wire.HeaderSize:]); ok {
			x.result.Message = reply.Value()
		}
	}
	return x.result, BatchDone
}

// answer keeps how a call ended for Call.
func (x *Exec) answer(st wire.Status, out *jit.Outcome, result []byte) {
	x.answered = true
	x.result = CallResult{Status: st, Value: result, Message: out.Message, Line: out.Line, Column: out.Column}
}
