package pktproc

import (
	"sync/atomic"

	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// Batches are the way to the lcore for what comes by a stream and not by
// datagrams: a run of one connection's commands for one tenant, executed in
// order under the rules that datagrams have. What the commands are is their
// owner's business; the Processor says when they may run.

// BatchStep is how far Commands.Run came.
type BatchStep uint8

const (
	BatchDone BatchStep = iota // give the batch back: nothing is left, or its owner has to do something first
	BatchTurn                  // its share of the turn is used up: go on in a later one
	BatchWait                  // the next command changes something or calls: it waits for the tenant's line
	BatchLong                  // the next command goes on in a coroutine, from its beginning
	BatchJob                   // a control thread has to make a runtime first
)

// Commands is what a batch executes. The lcore that has the batch calls it.
type Commands interface {
	// Run executes commands from the one where it stopped on.
	Run(x *Exec) BatchStep
	// Fail answers the command where Run stopped with why it is not executed and
	// moves on behind it. It reports whether commands are left.
	Fail(why wire.Status) bool
}

// Batch is a connection's commands on their way. From Submit until it is given
// back (Await) everything in it is the lcore's.
type Batch struct {
	// Local says whose commands they are; only its constant fields are read.
	Local *tenants.Local
	// Count is how many commands there are, for the tenant's counters.
	Count    int
	Commands Commands

	next  *Batch // in a stack or a queue of batches
	state atomic.Uint32
	ready chan struct{}
	back  *Returns
}

// Exec is what Commands.Run is given of the lcore.
type Exec struct {
	p    *Processor
	t    *tenant
	task *task // nil: within the turn that took the batch up

	args     []byte // of the call under way
	readOnly bool
	answered bool
	result   CallResult
	function []byte // of the call under way, borrowed
	since    int64  // when it began, mono ns

	exclusive bool
}

// Shard is the tenant's data.
func (x *Exec) Shard() *store.Shard { return x.t.shard }

// Local is the tenant.
func (x *Exec) Local() *tenants.Local { return x.t.local }

// NowMillis is the turn's time, which judges expiry.
func (x *Exec) NowMillis() int64 { return x.p.now.UnixMillis }

// NowNanos is the turn's monotonic time.
func (x *Exec) NowNanos() int64 { return x.p.now.MonoNanos }

// MayWrite says whether the next command may change something now. Else it has to
// wait: Run returns BatchWait.
func (x *Exec) MayWrite() bool { return x.task != nil || !x.t.busy() }

// Spend books what a command cost: value bytes that were moved. It reports
// whether there may be another in this turn: if not, Run returns BatchTurn, which
// after a command that was ended from outside gives the batch back.
func (x *Exec) Spend(bytes int) bool {
	p := x.p
	p.batches.commands--
	p.batches.bytes -= bytes
	return p.batches.commands > 0 && p.batches.bytes > 0 && x.Stopped() == wire.StatusOK
}

// Long says whether the command runs in a coroutine and may Pause.
func (x *Exec) Long() bool { return x.task != nil && x.task.yield != nil }

// Pause gives the lcore to others for the rest of the turn, in the middle of a
// command. Writes and calls of the tenant wait meanwhile. false: the command is to
// end; what it answers is not looked at.
func (x *Exec) Pause() bool {
	k := x.task
	x.p.settle(k, sliceQuantum)
	return k.yield() && k.r.stop == wire.StatusOK
}

// Held says whether the batch has the tenant to itself: everything else of the
// tenant that changes something waits for it.
func (x *Exec) Held() bool { return x.task != nil }

// Exclude makes reads of other batches wait too while this one is Held.
func (x *Exec) Exclude() {
	if x.task != nil {
		x.exclusive = true
	}
}

// Stopped says why the command under way was ended from outside, OK if it was not.
func (x *Exec) Stopped() wire.Status {
	if x.task == nil {
		return wire.StatusOK
	}
	return x.task.r.stop
}

// Damaged closes the tenant: its arena is damaged.
func (x *Exec) Damaged() { x.t.quarantined = true }

// Kill ends the call or long command that runs for the tenant. false: none does.
func (x *Exec) Kill() bool {
	k := x.t.current
	if k == nil || k == x.task {
		return false
	}
	x.p.endTask(k, wire.StatusKilled)
	return true
}

// What batches may take of one turn: value bytes that are moved, and commands.
const (
	batchBytes    = 64 << 10
	batchCommands = 512
)

// batches is the queue of those that can run.
type batches struct {
	head, tail *Batch
	bytes      int // left of this turn
	commands   int
	x          Exec // of what runs without a task
	serial     uint32
}

func (q *batches) push(b *Batch) {
	b.next = nil
	if q.tail == nil {
		q.head = b
	} else {
		q.tail.next = b
	}
	q.tail = b
}

func (q *batches) pop() *Batch {
	b := q.head
	if b == nil {
		return nil
	}
	if q.head = b.next; q.head == nil {
		q.tail = nil
	}
	b.next = nil
	return b
}

// TakeBatches takes a list of submitted batches, the newest first.
func (p *Processor) TakeBatches(newest *Batch) {
	var oldest *Batch
	for b := newest; b != nil; {
		below := b.next
		b.next = oldest
		oldest, b = b, below
	}
	for b := oldest; b != nil; {
		above := b.next
		p.batches.push(b)
		b = above
	}
}

// HasBatches says whether RunBatches has anything to do.
func (p *Processor) HasBatches() bool { return p.batches.head != nil }

// RunBatches executes what a turn has room for of the batches that can run.
func (p *Processor) RunBatches(now Clock) {
	p.beginTurn(now)
	p.batches.bytes, p.batches.commands = batchBytes, batchCommands
	last := p.batches.tail
	for b := p.batches.pop(); b != nil; b = p.batches.pop() {
		p.runBatch(b)
		if b == last || p.batches.bytes <= 0 || p.batches.commands <= 0 {
			return
		}
	}
}

// runBatch executes what it can of b without a task.
func (p *Processor) runBatch(b *Batch) {
	t := p.tenantByID(b.Local.ID)
	if t == nil || t.local != b.Local {
		p.failBatch(b, wire.StatusNoTenant)
		return
	}
	t.local.Counters[tenants.CounterRequests] += uint64(b.Count)
	b.Count = 0
	p.publisher.Touch(t.local)
	for {
		switch {
		case p.closed:
			p.failBatch(b, wire.StatusShutdown)
			return
		case t.quarantined:
			p.failBatch(b, wire.StatusQuarantined)
			return
		}
		x := &p.batches.x
		*x = Exec{p: p, t: t}
		st := BatchWait
		if k := t.current; k == nil || !k.x.exclusive {
			st = b.Commands.Run(x)
		}
		switch st {
		case BatchDone:
			b.finish()
			return
		case BatchTurn:
			p.batches.push(b)
			return
		default: // it needs a task: of its own, or a place in the line
			if p.queueBatch(t, b) {
				return
			}
			t.local.Counters[tenants.CounterBusy]++
			if !b.Commands.Fail(wire.StatusBusy) {
				b.finish()
				return
			}
		}
	}
}

// failBatch answers all that is left of b with why.
func (p *Processor) failBatch(b *Batch, why wire.Status) {
	for b.Commands.Fail(why) {
	}
	b.finish()
}

// queueBatch gives b a task: the tenant's current one, which begins to run, or
// one in its line. false: too many wait.
func (p *Processor) queueBatch(t *tenant, b *Batch) bool {
	l := t.local.Limits
	if t.busy() && t.waiting >= l.Waiting {
		return false
	}
	k := p.allocTask()
	if k == nil {
		return false
	}
	k.t, k.batch, k.recorded = t, b, false
	p.batches.serial++
	k.r = request{t: t, task: k, seq: p.batches.serial}
	k.x = Exec{p: p, t: t, task: k}
	k.deadline = p.now.MonoNanos + l.DeadlineMillis*1e6
	if t.busy() {
		k.state = taskWaiting
		t.push(k)
		return true
	}
	t.current, k.state = k, taskReady
	if p.fuelLeft <= 0 || t.inRing {
		p.ring.push(t)
	} else {
		p.runStraight(k, nil)
	}
	return true
}

// runTask executes the commands of a batch that has a task.
func (p *Processor) runTask(k *task) step {
	b := k.batch
	if k.r.stop != wire.StatusOK {
		b.Commands.Fail(k.r.stop)
		return stepDone
	}
	switch b.Commands.Run(&k.x) {
	case BatchLong:
		return stepPreempted
	case BatchJob:
		return stepJob
	case BatchTurn:
		k.again = true
	}
	return stepDone
}

// completeBatch lets go of a batch's task: the batch is given back, or goes on
// behind the others that can run.
func (p *Processor) completeBatch(k *task) {
	b, again := k.batch, k.again && k.r.stop == wire.StatusOK && !p.closed
	p.publisher.Touch(k.t.local)
	p.release(k)
	if again {
		p.batches.push(b)
	} else {
		b.finish()
	}
}

// closeBatches answers everything that still waits for a turn.
func (p *Processor) closeBatches() {
	for b := p.batches.pop(); b != nil; b = p.batches.pop() {
		p.failBatch(b, wire.StatusShutdown)
	}
}
