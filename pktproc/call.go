package pktproc

import (
	"context"
	"encoding/binary"
	"runtime/pprof"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// unlabelled is what an lcore's goroutines are in a profile outside of calls.
var unlabelled = context.Background()

// writeSetRoom bounds the result and the values that a TRY copies into its reply.
const writeSetRoom = 64 << 10

// call executes CALL and TRY. Straight, within a turn, a function that outruns
// its first slice is dropped without a trace and called again in a coroutine.
func (p *Processor) call(r *request, op wire.Op) step {
	t, k := r.t, r.task
	try := op.Code() == wire.OpTry
	if k == nil || try && r.atomic {
		r.fail(op, wire.StatusUnsupported)
		return stepDone
	}
	if st := p.pause(r); st != stepDone {
		return st
	}
	if r.stop != wire.StatusOK {
		r.fail(op, r.stop)
		return stepDone
	}
	fn := t.local.Function(op.Key())
	invoker, st := p.invoker(t, k, fn)
	switch {
	case st == wire.StatusPending && k.job != nil:
		p.failedJob(r, op)
		return stepDone
	case st == wire.StatusPending:
		return p.awaitRuntime(r, op)
	case st != wire.StatusOK:
		r.fail(op, st)
		return stepDone
	}
	if k.yield == nil && fn.Long() {
		return p.preempt(r, t.shard.Overlay())
	}
	overlay := t.shard.Overlay()
	if !r.atomic {
		p.openOverlay(r)
	}
	inv := p.prepare(k, op, overlay)
	pprof.SetGoroutineLabels(fn.Labels) // of the coroutine, if it runs in one
	out := invoker.Invoke(inv)
	pprof.SetGoroutineLabels(unlabelled)
	inv.Yield = nil
	switch {
	case out.Status == jit.Deopt:
		return p.deopt(r, op, fn, t.local.Engine.Compiled().Missed())
	case out.Status == jit.Preempted:
		fn.MarkLong()
		t.local.Counters[tenants.CounterPreempted]++
		p.n.Preempted++
	case k.settled == 0: // no slice of it has ended
		fn.MarkShort()
	}
	p.charge(k)
	if out.Status == jit.Preempted {
		return p.preempt(r, overlay)
	}
	k.interp, k.tries = k.interp && r.atomic, 0
	p.countCall(t, fn, inv)
	p.finishCall(r, op, &out, try)
	return stepDone
}

func (p *Processor) countCall(t *tenant, fn *tenants.Function, inv *jit.Invocation) {
	c := &t.local.Counters
	c[tenants.CounterCalls]++
	c[tenants.CounterCompiled] += uint64(inv.Cost.Tier)
	p.n.Calls++
	p.n.Compiled += uint64(inv.Cost.Tier)
	fn.Tiering.Ended(&inv.Cost)
}

// prepare fills k's invocation for op.
func (p *Processor) prepare(k *task, op wire.Op, overlay *store.Overlay) *jit.Invocation {
	t := k.t
	k.calling, k.settled = true, 0
	args := op.Value()
	if k.batch != nil {
		args = k.x.args
	}
	k.invocation = jit.Invocation{
		Function: op.Key(), Args: args, ID: uint64(k.r.session)<<32 | uint64(k.r.seq), Tenant: t.local.Name,
		NowMillis: p.now.UnixMillis, Seed: p.entropySeed(), Overlay: overlay, Limits: t.local.Limits,
		Result: k.result[:0], Yield: k.yield, Log: k.log,
	}
	return &k.invocation
}

// entropySeed is a call's random seed: unpredictable enough for functions, at
// the price of a multiplication (splitmix64).
func (p *Processor) entropySeed() uint64 {
	p.seed += 0x9e3779b97f4a7c15
	z := p.seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// charge books what a call cost.
func (p *Processor) charge(k *task) {
	cost := &k.invocation.Cost
	t := k.t
	c := &t.local.Counters
	c[tenants.CounterFuel] += cost.Fuel
	c[tenants.CounterLookups] += cost.Lookups
	c[tenants.CounterBytesRead] += cost.BytesRead
	p.n.Fuel += cost.Fuel
	t.calls.tokens--
	p.settleRun(k)
}

// settleRun charges a run's core time to its tenant's turn.
func (p *Processor) settleRun(k *task) {
	fuel := int64(k.invocation.Cost.Fuel)
	k.t.fuel.tokens -= fuel
	if k.invocation.Cost.Tier == jit.TierCompiled {
		fuel /= jit.CompiledSpeed
	}
	k.burnt += fuel
	k.calling = false
	p.settle(k, fuel-k.settled)
}

// preempt drops what a straight run has done, to go on in a coroutine.
func (p *Processor) preempt(r *request, overlay *store.Overlay) step {
	p.undo(r, overlay)
	return stepPreempted
}

// undo drops what has been done since the overlay was opened: this operation, or
// an atomic datagram from its beginning.
func (p *Processor) undo(r *request, overlay *store.Overlay) {
	if r.overlay || !r.atomic {
		overlay.Discard()
	}
	if r.atomic {
		r.overlay = false
		r.task.lines = r.task.lines[:0]
		r.rest, r.index = r.all, 0
		r.w = wire.NewWriter(r.w.Bytes()[:0:r.room])
	}
}

// pause stands between the calls of one datagram: many short ones together must
// not hold the lcore longer than a long one may.
func (p *Processor) pause(r *request) step {
	k := r.task
	if k.yield != nil {
		if k.burnt >= sliceQuantum {
			k.burnt = 0
			k.yield() // r.stop says why if it is to end
		}
		return stepDone
	}
	if p.fuelLeft > 0 || r.index == 0 {
		return stepDone
	}
	if r.atomic {
		return p.preempt(r, r.t.shard.Overlay())
	}
	return stepTurn
}

// callStatus translates how a call ended.
func callStatus(s jit.Status) wire.Status {
	switch s {
	case jit.OK:
		return wire.StatusOK
	case jit.NoFunction:
		return wire.StatusNoFunction
	case jit.BadArgument:
		return wire.StatusBadArgument
	case jit.Exception:
		return wire.StatusException
	case jit.Fuel:
		return wire.StatusFuel
	case jit.Killed:
		return wire.StatusKilled
	case jit.Deadline:
		return wire.StatusDeadline
	case jit.TooLarge:
		return wire.StatusTooLarge
	case jit.Limit:
		return wire.StatusLimit
	case jit.Full:
		return wire.StatusFull
	case jit.Corrupt:
		return wire.StatusQuarantined
	}
	return wire.StatusLimit
}

// finishCall commits or discards, and replies.
func (p *Processor) finishCall(r *request, op wire.Op, out *jit.Outcome, try bool) {
	t, k := r.t, r.task
	inv := &k.invocation
	overlay := t.shard.Overlay()
	st := callStatus(out.Status)
	if st == wire.StatusKilled && r.stop != wire.StatusOK {
		st = r.stop
	}
	if st == wire.StatusQuarantined {
		t.quarantined = true
	}
	switch {
	case st != wire.StatusOK:
	case k.batch != nil:
		if k.x.readOnly && overlay.Writes() > 0 {
			st = wire.StatusDenied
		}
	case !try && !p.mayReply(r, inv.Result):
		st = wire.StatusTooLarge // before the commit: an error means that nothing was done
	}
	r.cost = wire.Receipt{Fuel: inv.Cost.Fuel, Lookups: inv.Cost.Lookups, BytesRead: inv.Cost.BytesRead, Tier: uint64(inv.Cost.Tier)}
	countEnd(t, st)
	if cap(inv.Result) > cap(k.result) {
		k.result = inv.Result
	}
	if try {
		p.replyTry(r, op, st, out, overlay)
		t.undone()
		return
	}
	if !r.atomic {
		if st == wire.StatusOK {
			writes, size := overlay.Writes(), overlay.Bytes()
			if st = p.status(t, overlay.Commit()); st == wire.StatusOK {
				t.local.Counters[tenants.CounterWrites] += uint64(writes)
				t.local.Counters[tenants.CounterBytesWritten] += size
			}
		}
		if st != wire.StatusOK {
			overlay.Discard()
			t.undone()
		}
	}
	if k.batch != nil {
		k.x.answer(st, out, inv.Result)
		return
	}
	if st != wire.StatusOK {
		r.failCall(op, st, out)
		return
	}
	if p.replyLarge(r, op, inv.Result, true) {
		k.result = nil // it is the kept result's now
	}
}

// undone tells the tenant's runtime that nothing lasts of a call that may have ended well: module
// bindings that it changed must not tell of writes that never were.
func (t *tenant) undone() {
	if rt := t.local.Engine.Runtime(); rt != nil {
		rt.Discarded()
	}
}

// failCall replies how a call ended: with the position where there is one.
func (r *request) failCall(op wire.Op, st wire.Status, out *jit.Outcome) {
	if st == wire.StatusException {
		r.failValue(op, st, out.Message, uint64(out.Line), uint64(out.Column))
		return
	}
	r.failValue(op, st, out.Message)
}

func countEnd(t *tenant, st wire.Status) {
	c := &t.local.Counters
	switch st {
	case wire.StatusException:
		c[tenants.CounterExceptions]++
	case wire.StatusFuel:
		c[tenants.CounterFuelEnded]++
	case wire.StatusLimit, wire.StatusTooLarge:
		c[tenants.CounterLimitEnded]++
	}
}

// replyTry answers what a call would have done: u32 length and bytes of its
// result, then its writes. Nothing is applied.
func (p *Processor) replyTry(r *request, op wire.Op, st wire.Status, out *jit.Outcome, overlay *store.Overlay) {
	receipt := r.receipt
	r.receipt = true
	if st != wire.StatusOK {
		overlay.Discard()
		r.failCall(op, st, out)
		r.receipt = receipt
		return
	}
	result := r.task.invocation.Result
	if len(result) > writeSetRoom {
		overlay.Discard()
		r.fail(op, wire.StatusTooLarge)
		r.receipt = receipt
		return
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, len(result)+256), uint32(len(result)))
	b = append(b, result...)
	fits := true
	overlay.Each(func(key store.Key, e store.Entry, deleted bool) {
		if !fits || len(b)+len(e.Value) > writeSetRoom {
			fits = false
			return
		}
		value := e.Value
		if deleted {
			value = nil
		}
		if key.Bytes == nil {
			b = wire.AppendIntItem(b, key.Int, deleted, value)
		} else {
			b = wire.AppendBytesItem(b, key.Bytes, deleted, value)
		}
	})
	overlay.Discard()
	if fits {
		p.replyLarge(r, op, b, true)
	} else {
		r.fail(op, wire.StatusTooLarge)
	}
	r.receipt = receipt
}

// logLine writes a function's log line into its tenant's ring.
// Those of an atomic datagram, which may begin again, wait for its end.
func (p *Processor) logLine(k *task, level uint8, text []byte) {
	if k.r.atomic {
		text = text[:min(len(text), tenants.MaxLogText+1)] // the log cuts the rest off, at a rune
		k.lines = append(append(k.lines, level, byte(len(text)), byte(len(text)>>8)), text...)
		return
	}
	k.t.local.Log.Append(p.now.UnixMillis, level, text)
	k.t.local.Counters[tenants.CounterLogRecords]++
}

// flushLines writes the lines that waited.
func (p *Processor) flushLines(k *task) {
	for b := k.lines; len(b) > 0; {
		n := 3 + int(b[1]) + int(b[2])<<8
		k.t.local.Log.Append(p.now.UnixMillis, b[0], b[3:n])
		k.t.local.Counters[tenants.CounterLogRecords]++
		b = b[n:]
	}
	k.lines = k.lines[:0]
	if cap(k.lines) > keptBuffer {
		k.lines = nil
	}
}
