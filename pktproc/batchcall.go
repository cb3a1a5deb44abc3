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

// Call calls a function with arguments in wire encoding, both borrowed, for the
// batch's current command. Other than BatchDone it has done nothing, or nothing that lasts: Run returns that
// step and makes the call again when it is run again. readOnly: a call that wrote
// something is undone and ends DENIED.
func (x *Exec) Call(function, args []byte, readOnly bool) (CallResult, BatchStep) {
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
	if len(function) == 0 || len(function) > wire.MaxKeyLen {
		return CallResult{Status: wire.StatusNoFunction}, BatchDone
	}
	op := x.callOp(function)
	if x.since == 0 {
		x.since = p.now.MonoNanos
	}
	x.function = function
	r := &k.r
	r.w = wire.NewWriter(k.reply[:])
	r.spare, r.failed = r.w.Room(), wire.StatusOK
	x.args, x.readOnly, x.answered = args, readOnly, false
	switch p.call(r, op) {
	case stepPreempted:
		return CallResult{}, BatchLong
	case stepTurn:
		return CallResult{}, BatchTurn
	case stepJob:
		return CallResult{}, BatchJob
	}
	x.function, x.since = nil, 0
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

// TakeResult gives the last call's value away, so that it outlives Run.
func (x *Exec) TakeResult() []byte {
	x.task.result = nil
	return x.result.Value
}

// Running is the call under way of a tenant.
type Running struct {
	Name   string // empty: there is none, or it came by a datagram
	Millis int64
}

// Running says which call of a batch runs for the tenant.
func (x *Exec) Running() Running {
	k := x.t.current
	if k == nil || k == x.task || k.x.function == nil {
		return Running{}
	}
	return Running{string(k.x.function), (x.p.now.MonoNanos - k.x.since) / 1e6}
}

// callOp spells the call as an operation, whose value the arguments are too long for.
func (x *Exec) callOp(function []byte) wire.Op {
	w := wire.NewWriter(x.task.request[:])
	w.Begin(wire.OpCall, 0, 0)
	w.Key(function)
	w.End()
	op, _, _ := wire.FirstOp(x.task.request[wire.HeaderSize:w.Len()])
	return op
}

// answer keeps how a call ended for Call.
func (x *Exec) answer(st wire.Status, out *jit.Outcome, result []byte) {
	x.answered = true
	x.result = CallResult{Status: st, Value: result, Message: out.Message, Line: out.Line, Column: out.Column}
}
