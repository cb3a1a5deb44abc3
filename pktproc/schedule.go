package pktproc

import (
	"shredder/dataplane/nic"
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// Calls that outrun their first slice go on in coroutines, a slice a turn,
// tenants by turns: deficit round robin (Shreedhar and Varghese, SIGCOMM 1995)
// with fuel for bytes.

// sliceQuantum is the fuel that a tenant gets each time its turn comes, and
// the unit of Limits.TurnSlices: the fuel of a slice by default, about 50 µs.
const sliceQuantum = 512

// drainTasks bounds the requests that one RunSlice looks at.
const drainTasks = 8

// ring is the queue of tenants whose current task can run.
type ring struct {
	head, tail *tenant
}

func (q *ring) push(t *tenant) {
	if t.inRing {
		return
	}
	t.inRing = true
	t.ringNext = nil
	if q.tail == nil {
		q.head = t
	} else {
		q.tail.ringNext = t
	}
	q.tail = t
}

func (q *ring) pop() *tenant {
	t := q.head
	if t == nil {
		return nil
	}
	q.head = t.ringNext
	if q.head == nil {
		q.tail = nil
	}
	t.ringNext, t.inRing = nil, false
	return t
}

// worker is a coroutine and the task that it runs.
type worker struct {
	next *worker
	p    *Processor
	co   *jit.Coroutine
	k    *task
	step step
	body func(yield func() bool)
}

type workers struct {
	free *worker
	made int
}

func (p *Processor) takeWorker() *worker {
	if w := p.workers.free; w != nil {
		p.workers.free = w.next
		w.next = nil
		return w
	}
	if p.workers.made >= p.cfg.Limits.Coroutines {
		return nil
	}
	w := &worker{p: p, co: jit.NewCoroutine()}
	w.body = w.run
	p.workers.made++
	p.n.Coroutines++
	return w
}

func (w *worker) run(yield func() bool) {
	w.k.yield = yield
	w.step = w.p.runOps(&w.k.r)
	w.k.yield = nil
}

// Runnable says whether RunSlice has anything to do.
func (p *Processor) Runnable() bool { return p.ring.head != nil || p.copies != nil }

// RunSlice gives the tenants whose turn it is the fuel of one slice in all: a
// long call resumed for a slice uses it up, short ones that waited share it.
func (p *Processor) RunSlice(now Clock) {
	p.beginTurn(now)
	p.fuelLeft = sliceQuantum
	p.copyStep()
	for n := 0; n < drainTasks && p.fuelLeft > 0; {
		t := p.ring.pop()
		if t == nil {
			return
		}
		n += p.runTenant(t, drainTasks-n)
	}
}

// runTenant resumes t's suspended call, or executes up to most of the requests
// that waited for one, and returns how many it looked at, at least one.
func (p *Processor) runTenant(t *tenant, most int) (n int) {
	if t.deficit <= 0 {
		if t.deficit += sliceQuantum; p.ring.head == nil {
			t.deficit = sliceQuantum // nobody else wants the time
		}
	}
	for n < most && p.fuelLeft > 0 && t.deficit > 0 && t.current != nil && t.current.state != taskRuntime {
		n++
		k := t.current
		if p.now.MonoNanos >= k.deadline {
			p.endTask(k, wire.StatusDeadline)
			continue
		}
		if k.state == taskSuspended || k.long {
			p.resume(k)
			break
		}
		p.runStraight(k, nil)
	}
	if t.current == nil {
		t.deficit = 0 // what an idle tenant has saved would let it burst past the others
	} else if t.current.state != taskRuntime {
		p.ring.push(t) // JobDone brings back one that waits for its runtime
	}
	return max(n, 1)
}

// runStraight executes k without a coroutine. f is the frame of its request if
// this is still its turn.
func (p *Processor) runStraight(k *task, f *nic.Frame) {
	p.after(k, p.runOps(&k.r), f)
}

// resume runs k for one slice in its coroutine. If there is none to be had, k
// keeps its place in line.
func (p *Processor) resume(k *task) {
	w := k.worker
	if w == nil {
		if w = p.takeWorker(); w == nil {
			return
		}
		w.k, k.worker = k, w
		w.co.Start(w.body)
	}
	k.state = taskSuspended
	p.n.Slices++
	done := w.co.Resume()
	p.settleSlice(k)
	if done {
		p.leave(k, w)
	}
}

// settleSlice charges what a slice burnt of a call that goes on. An engine that
// tells the cost at the end only is taken to have burnt a whole slice.
func (p *Processor) settleSlice(k *task) {
	if !k.calling {
		return
	}
	burnt := int64(k.invocation.Cost.Fuel) - k.settled
	if burnt <= 0 {
		burnt = k.t.local.Limits.Slice
	}
	p.settle(k, burnt)
}

// settle takes fuel off the turn of k's tenant.
func (p *Processor) settle(k *task, fuel int64) {
	k.settled += fuel
	k.t.deficit -= fuel
	p.fuelLeft -= fuel
}

// leave takes k out of its coroutine, whose body has ended.
func (p *Processor) leave(k *task, w *worker) {
	w.k, k.worker = nil, nil
	w.next = p.workers.free
	p.workers.free = w
	k.state = taskReady
	p.after(k, w.step, nil)
}

// after looks at how far k came.
func (p *Processor) after(k *task, s step, f *nic.Frame) {
	switch s {
	case stepDone:
		p.complete(k, f)
	case stepPreempted:
		k.long = true
		p.ring.push(k.t)
	case stepTurn:
		p.ring.push(k.t)
	case stepJob:
		k.state = taskRuntime
	}
}

// endTask ends k with a status for every operation that it has not executed
// yet: a suspended call by resuming it with the kill flag.
func (p *Processor) endTask(k *task, why wire.Status) {
	if k.state == taskFn && !k.job.Cancel() && why == wire.StatusDeadline {
		return // it takes effect: what came of it is the answer, in a moment
	}
	k.r.stop = why
	switch why {
	case wire.StatusDeadline:
		k.t.local.Counters[tenants.CounterDeadlineEnded]++
	case wire.StatusKilled:
		k.t.local.Counters[tenants.CounterKilled]++
	}
	switch k.state {
	case taskWaiting:
		k.t.unlink(k)
		p.runOps(&k.r)
		p.complete(k, nil)
	case taskSuspended:
		w := k.worker
		w.co.Kill()
		p.leave(k, w)
	case taskFn, taskCopy:
		p.endFn(k)
	default:
		p.runOps(&k.r)
		p.complete(k, nil)
	}
}

// killTenant ends everything of t that is under way.
func (p *Processor) killTenant(t *tenant, why wire.Status) {
	for t.head != nil {
		p.endTask(t.head, why)
	}
	if t.current != nil {
		p.endTask(t.current, why)
	}
	for t.fns != nil {
		p.endTask(t.fns, why)
	}
	p.unring(t)
}

// unring takes t out of the ring.
func (p *Processor) unring(t *tenant) {
	if !t.inRing {
		return
	}
	var q ring
	for e := p.ring.pop(); e != nil; e = p.ring.pop() {
		if e != t {
			q.push(e)
		}
	}
	p.ring = q
}

// sweepTasks ends, of the next count tasks, those whose deadline has passed.
func (p *Processor) sweepTasks(count int) {
	pool := &p.tasks
	for range min(count, len(pool.all)) {
		if pool.hand++; pool.hand >= len(pool.all) {
			pool.hand = 0
		}
		if k := pool.all[pool.hand]; k.state != taskFree && p.now.MonoNanos >= k.deadline {
			p.endTask(k, wire.StatusDeadline)
		}
	}
}

// kill executes KILL: w0 session, w1 sequence number; both 0: whatever call of
// the tenant runs.
func (p *Processor) kill(r *request, op wire.Op) {
	t := r.t
	session, seq := op.Word(0), op.Word(1)
	if session == 0 && seq == 0 {
		if k := t.current; k != nil && k != r.task {
			p.endTask(k, wire.StatusKilled)
			r.fail(op, wire.StatusOK)
			return
		}
		r.fail(op, wire.StatusNotFound)
		return
	}
	if k := t.current; k != nil && k != r.task && uint64(k.r.session) == session && uint64(k.r.seq) == seq {
		p.endTask(k, wire.StatusKilled)
		r.fail(op, wire.StatusOK)
		return
	}
	for k := t.head; k != nil; k = k.next {
		if uint64(k.r.session) == session && uint64(k.r.seq) == seq {
			p.endTask(k, wire.StatusKilled)
			r.fail(op, wire.StatusOK)
			return
		}
	}
	r.fail(op, wire.StatusNotFound)
}
