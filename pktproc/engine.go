package pktproc

import (
	"shredder/dataplane/nic"
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// invoker returns what runs k's call of fn: compiled code unless it is for tier 0.
// PENDING: a control thread has to make a runtime first.
func (p *Processor) invoker(t *tenant, k *task, fn *tenants.Function) (jit.Invoker, wire.Status) {
	e := &t.local.Engine
	if e.Active() == nil || !fn.Known() {
		return nil, wire.StatusNoFunction
	}
	ti := &fn.Tiering
	if ti.Sandboxed || !k.interp && ti.Stays.Text == "" {
		if i := e.Compiled(); i != nil {
			return i, wire.StatusOK
		}
		return nil, wire.StatusPending
	}
	rt := e.Runtime()
	if rt == nil || rt.Dirty() {
		return nil, wire.StatusPending
	}
	return rt, wire.StatusOK
}

// awaitRuntime asks for a runtime; r's task goes on when it comes. One that an
// earlier call asked for, and did not live to see, will do: a tenant whose calls
// end early must not fill the queue that it shares.
func (p *Processor) awaitRuntime(r *request, op wire.Op) step {
	k, t := r.task, r.t
	e := &t.local.Engine
	old := e.DropRuntime()
	if t.making == nil || t.making.Version != e.Active() {
		job := &tenants.Job{Kind: tenants.JobRuntime, Lcore: p.cfg.Lcore, Local: t.local, Version: e.Active(), Old: old}
		if p.cfg.Registry == nil || !p.cfg.Registry.Submit(job) {
			r.fail(op, wire.StatusBusy)
			return stepDone
		}
		t.making = job
	}
	return p.awaitJob(k, t.making)
}

// activate makes a version serve the calls that begin from now on.
func (p *Processor) activate(ev tenants.Event) {
	ev.Local.Engine.Activate(ev.Version, ev.Runtime)
	ev.Local.Engine.SettleCompiled(ev.Version, ev.Compiled)
}

// jobDone takes back a job. Its task may have ended meanwhile.
func (p *Processor) jobDone(job *tenants.Job) {
	k := p.waiterOf(job)
	t := p.tenantByID(job.Local.ID)
	if t != nil && t.local != job.Local {
		t = nil // removed, and its id is another's
	}
	switch job.Kind {
	case tenants.JobRuntime:
		p.runtimeDone(job, t, k)
		return
	case tenants.JobCompile:
		p.compileDone(job, t, k)
		return
	}
	if t != nil {
		t.fnJobs--
	}
	if k != nil {
		p.fnDone(job, k)
	}
}

// runtimeDone takes a runtime and lets the call that asked for it go on. If
// another version has become active meanwhile, that call will ask again.
func (p *Processor) runtimeDone(job *tenants.Job, t *tenant, k *task) {
	if t != nil {
		if t.making == job {
			t.making = nil
		}
		t.local.Engine.Settle(job.Version, job.Runtime)
		t.local.Engine.SettleCompiled(job.Version, job.Compiled)
	}
	if k != nil {
		p.goOn(k, job.Status == wire.StatusOK)
	}
}

// goOn lets a call run that waited for a job. Unless the job is forgotten, its
// outcome is the call's.
func (p *Processor) goOn(k *task, forget bool) {
	k.state = taskReady
	if forget {
		k.job = nil
	}
	p.ring.push(k.t)
}

// failedJob answers a call whose runtime could not be made.
func (p *Processor) failedJob(r *request, op wire.Op) {
	job := r.task.job
	r.task.job = nil
	st := job.Status
	if st == wire.StatusOK {
		st = wire.StatusUnavailable
	}
	p.failJob(r, op, st, job)
}

// failJob answers with what a job says about its failure.
func (p *Processor) failJob(r *request, op wire.Op, st wire.Status, job *tenants.Job) {
	if st == wire.StatusBadLibrary {
		r.failValue(op, st, job.Value, uint64(job.Line), uint64(job.Column))
		return
	}
	r.failValue(op, st, job.Value)
}

// maxFnJobs is how many FNs of one tenant the control threads have at once. Their
// queue is shared, and a deploy can take them long.
const maxFnJobs = 8

// submitFn hands an FN to the control threads.
func (p *Processor) submitFn(k *task, op wire.Op, f *nic.Frame) {
	job := &tenants.Job{Kind: tenants.JobFn, Lcore: p.cfg.Lcore, Local: k.t.local, Verb: uint8(op.Word(0)),
		Activate: op.Word(1)&wire.FnFlagActivate != 0, Name: string(op.Key()), Source: k.source}
	k.state = taskFn
	t := k.t
	if job.Verb == wire.FnExplain {
		job.Version, job.Profiles = t.local.Engine.Active(), t.local.Profiles()
	}
	if t.fnJobs >= maxFnJobs || p.cfg.Registry == nil || !p.cfg.Registry.Submit(job) {
		p.answerFn(k, op, wire.StatusBusy, f)
		return
	}
	t.fnJobs++
	k.job, job.Waiter = job, k
}

// fnDone answers an FN with its outcome.
func (p *Processor) fnDone(job *tenants.Job, k *task) {
	op, _, _ := wire.FirstOp(k.r.all)
	p.n.Ops[wire.OpFn]++
	if job.Status == wire.StatusOK {
		p.replyLarge(&k.r, op, job.Value, true)
	} else {
		p.failJob(&k.r, op, job.Status, job)
	}
	p.complete(k, nil)
}
