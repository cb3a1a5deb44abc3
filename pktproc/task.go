package pktproc

import (
	"shredder/dataplane/nic"
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// taskState says where a task is.
type taskState uint8

const (
	taskFree      taskState = iota
	taskWaiting             // in its tenant's line
	taskReady               // its tenant's current one, to be run
	taskSuspended           // its tenant's current one, in a coroutine
	taskRuntime             // its tenant's current one, until a control thread has made a runtime
	taskFn                  // beside the line, until a control thread has answered
	taskCopy                // beside the line, while the source of its deploy is copied
)

// task is a request that may outlast its turn: a copy of its headers and
// datagram, and the reply as far as it is made.
type task struct {
	next     *task // in its tenant's line, the list of copies, or of free tasks
	fnNext   *task // in its tenant's list of FNs
	t        *tenant
	state    taskState
	long     bool // outran its slice: needs a coroutine
	recorded bool
	deadline int64 // mono ns
	calling  bool  // a call is under way
	interp   bool  // its call runs on tier 0; of an atomic datagram all that follow, too
	tries    int   // how often its call has waited for compiled code
	settled  int64 // of its fuel, what its tenant's turn was charged
	burnt    int64 // fuel since it last gave way to others, between its calls

	l       offsets
	headers [maxHeaders]byte // in front of the request's datagram
	request [bufferSize]byte
	reply   [bufferSize]byte
	r       request

	invocation jit.Invocation
	result     []byte // the buffer that the next call writes its result to
	log        func(level uint8, text []byte)
	lines      []byte      // log lines of an atomic datagram: level, u16 length, text
	yield      func() bool // set inside a coroutine
	worker     *worker
	job        *tenants.Job
	source     []byte // of a deploy, copied so far
	push       *push
	batch      *Batch // instead of a datagram
	x          Exec   // what its commands are given
	again      bool   // it goes on in a later turn
}

// resultRoom is how much a result may take before its buffer grows.
const resultRoom = 2 << 10

// keptBuffer is the largest result buffer that a free task holds on to.
const keptBuffer = 64 << 10

// taskPool is the lcore's tasks, made when first needed, never given back.
type taskPool struct {
	all  []*task
	free *task
	hand int
}

func (p *Processor) allocTask() *task {
	k := p.tasks.free
	if k != nil {
		p.tasks.free = k.next
		k.next = nil
	} else {
		if len(p.tasks.all) >= p.cfg.Limits.Tasks {
			return nil
		}
		k = &task{result: make([]byte, 0, resultRoom)}
		k.log = func(level uint8, text []byte) { p.logLine(k, level, text) }
		p.tasks.all = append(p.tasks.all, k)
	}
	p.n.Tasks++
	return k
}

func (p *Processor) freeTask(k *task) {
	if cap(k.result) > keptBuffer || k.result == nil {
		k.result = make([]byte, 0, resultRoom)
	}
	k.state, k.t, k.worker, k.job, k.source, k.push = taskFree, nil, nil, nil, nil, nil
	k.batch, k.x, k.again = nil, Exec{}, false
	k.long, k.burnt, k.settled = false, 0, 0
	k.interp, k.tries = false, 0
	k.r.t = nil // the next request overwrites the rest
	k.invocation.Overlay, k.invocation.Limits = nil, nil
	k.next = p.tasks.free
	p.tasks.free = k
	p.n.Tasks--
}

// newTask copies a request out of its frame.
func (p *Processor) newTask(f *nic.Frame, pf *parsed, recorded bool) *task {
	k := p.allocTask()
	if k == nil {
		return nil
	}
	t := pf.t
	k.t, k.l, k.recorded = t, pf.l, recorded
	at := int(pf.l.l4) + udpHeader
	copy(k.headers[:], f.Data[:at])
	n := copy(k.request[:], f.Data[at:pf.l.end])
	k.r.begin(pf, k.request[wire.HeaderSize:n])
	k.r.task = k
	k.r.room = len(p.payload(f, &pf.l))
	k.r.w = wire.NewWriter(k.reply[:0:k.r.room])
	wait := t.local.Limits.DeadlineMillis
	if own := int64(pf.h.DeadlineMillis()); own != 0 && own < wait {
		wait = own
	}
	k.deadline = p.now.MonoNanos + wait*1e6
	return k
}

// serveTask begins a request that calls functions, or that has to wait. It
// returns a status if the whole datagram is refused unexecuted.
func (p *Processor) serveTask(f *nic.Frame, pf *parsed, mask uint32, recorded bool) wire.Status {
	t := pf.t
	l := t.local.Limits
	c := &t.local.Counters
	if t.busy() && pf.single != wire.OpFn && t.waiting >= l.Waiting {
		c[tenants.CounterBusy]++
		return wire.StatusBusy
	}
	if mask&maskCalls != 0 && (!t.calls.ready(l.CallsPerSecond, p.now.MonoNanos) || !t.fuel.ready(l.FuelPerSecond, p.now.MonoNanos)) {
		c[tenants.CounterBusy]++
		return wire.StatusBusy
	}
	k := p.newTask(f, pf, recorded)
	if k == nil {
		c[tenants.CounterBusy]++
		return wire.StatusBusy
	}
	switch {
	case pf.single == wire.OpFn:
		p.startFn(k, f)
	case t.busy():
		k.state = taskWaiting
		t.push(k)
	default:
		t.current, k.state = k, taskReady
		if p.fuelLeft <= 0 || t.inRing {
			p.ring.push(t)
		} else {
			p.runStraight(k, f)
		}
	}
	return wire.StatusOK
}

// push puts k at the end of t's line; pop takes its first.
func (t *tenant) push(k *task) {
	if t.tail == nil {
		t.head = k
	} else {
		t.tail.next = k
	}
	t.tail = k
	t.waiting++
}

func (t *tenant) pop() *task {
	k := t.head
	if k == nil {
		return nil
	}
	t.head = k.next
	if t.head == nil {
		t.tail = nil
	}
	k.next = nil
	t.waiting--
	return k
}

// unlink takes k out of t's line.
func (t *tenant) unlink(k *task) {
	var before *task
	for e := t.head; e != nil; before, e = e, e.next {
		if e != k {
			continue
		}
		if before == nil {
			t.head = k.next
		} else {
			before.next = k.next
		}
		if t.tail == k {
			t.tail = before
		}
		k.next = nil
		t.waiting--
		return
	}
}

// complete sends k's reply and lets go of it. f is the frame
// that the request came in, if this is still its turn, else nil.
func (p *Processor) complete(k *task, f *nic.Frame) {
	if k.batch != nil {
		p.completeBatch(k)
		return
	}
	t := k.t
	status := k.r.close()
	body := k.reply[wire.HeaderSize:k.r.w.Len()]
	if k.recorded {
		if s := p.sessions.live(k.r.session); s != nil {
			p.record(s, t, k.r.seq, status, k.r.w.Ops(), body)
		}
	}
	p.flushLines(k)
	p.publisher.Touch(t.local)
	p.sendTask(k, f, status, body)
	p.release(k)
}

// release frees k and lets the next in line go on.
func (p *Processor) release(k *task) {
	t := k.t
	current := t.current == k
	t.unlinkFn(k)
	p.freeTask(k)
	if current {
		t.current = nil
		if next := t.pop(); next != nil {
			t.current, next.state = next, taskReady
			p.ring.push(t)
		}
	}
}

// sendTask puts a task's reply into f, or into a frame of the queue's.
func (p *Processor) sendTask(k *task, f *nic.Frame, status wire.Status, body []byte) {
	at := int(k.l.l4) + udpHeader
	if f != nil {
		copy(f.Data[at+wire.HeaderSize:], body)
		p.finish(f, &k.l, k.r.w.Ops(), status, len(body))
		return
	}
	own, ok := p.cfg.Queue.Alloc()
	if !ok {
		p.n.Drops[DropNoBuffer]++
		return
	}
	if len(own.Data) < at+wire.HeaderSize+len(body) {
		p.n.Drops[DropNoBuffer]++
		p.cfg.Queue.Free(own)
		return
	}
	copy(own.Data, k.headers[:at])
	copy(own.Data[at:], k.request[:wire.HeaderSize])
	copy(own.Data[at+wire.HeaderSize:], body)
	p.finish(&own, &k.l, k.r.w.Ops(), status, len(body))
	p.cfg.Queue.Send(own)
}
