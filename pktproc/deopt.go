package pktproc

import (
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// deopt decides about a call that compiled code gave up: nothing of it is left. A
// trusted tenant's runs again on tier 0 at once, a sandboxed one's waits for the
// code that it needs.
func (p *Processor) deopt(r *request, op wire.Op, fn *tenants.Function, missed *jit.Miss) step {
	t, k := r.t, r.task
	p.settleRun(k)
	t.local.Counters[tenants.CounterDeopts]++
	p.n.Deopts++
	ti := &fn.Tiering
	if ti.Sandboxed && t.compiling != nil { // asked for by a call that has ended: one at a time
		return p.awaitCode(r)
	}
	d := ti.Missed(*missed, k.tries)
	switch d.Verdict {
	case jit.VerdictRefuse:
		p.dropCall(r)
		r.failValue(op, wire.StatusNotCompiled, []byte(d.Why.Text), uint64(d.Why.Line), uint64(d.Why.Column))
		return stepDone
	case jit.VerdictCompile:
		k.tries++
		if p.compile(t, fn, op, d) {
			return p.awaitCode(r)
		}
		p.dropCall(r)
		r.fail(op, wire.StatusBusy)
		return stepDone
	case jit.VerdictTierUp:
		p.compile(t, fn, op, d) // or at a later call
	}
	p.undo(r, t.shard.Overlay())
	k.interp = true
	if r.atomic {
		return stepAgain
	}
	return p.call(r, op)
}

// dropCall drops what a call did that ends without its function's end. That of an
// atomic datagram is dropped with all of it.
func (p *Processor) dropCall(r *request) {
	r.task.interp, r.task.tries = false, 0
	if !r.atomic {
		r.t.shard.Overlay().Discard()
	}
}

// awaitCode undoes r's call, which begins anew when its tenant's code is there.
func (p *Processor) awaitCode(r *request) step {
	p.undo(r, r.t.shard.Overlay())
	return p.awaitJob(r.task, r.t.compiling)
}

// awaitJob lets k's call wait for a job.
func (p *Processor) awaitJob(k *task, job *tenants.Job) step {
	k.job, job.Waiter = job, k
	return stepJob
}

// compile asks the control threads for code. false: they have too much to do.
func (p *Processor) compile(t *tenant, fn *tenants.Function, op wire.Op, d jit.Decision) bool {
	if t.compiling != nil || p.cfg.Registry == nil {
		return false
	}
	job := &tenants.Job{Kind: tenants.JobCompile, Lcore: p.cfg.Lcore, Local: t.local, Version: t.local.Engine.Active(),
		Function: string(op.Key()), Kinds: d.Form.Kinds, Wide: d.Wide}
	if !p.cfg.Registry.Submit(job) {
		return false
	}
	d.Form.Making()
	t.compiling = job
	return true
}

// compileDone takes compiled code, unless another version has become active
// meanwhile, and lets the call that waits for it go on.
func (p *Processor) compileDone(job *tenants.Job, t *tenant, k *task) {
	if t != nil {
		t.compiling = nil
		t.local.Counters[tenants.CounterCompilations]++
		e := &t.local.Engine
		if fn := t.local.Function([]byte(job.Function)); fn.Known() && e.Active() == job.Version {
			fn.Tiering.Made(job.Kinds, job.Wide, job.CodeSize, job.Refusal)
			if job.Form != nil && e.Compiled() != nil {
				e.Compiled().Install(job.Form)
			}
		}
	}
	if k != nil {
		p.goOn(k, true)
	}
}

// waiterOf returns the task that waits for a job, if it has not ended.
func (p *Processor) waiterOf(job *tenants.Job) *task {
	if k, ok := job.Waiter.(*task); ok && k.job == job {
		return k
	}
	return nil
}
