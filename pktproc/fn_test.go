package pktproc

import (
	"bytes"
	"testing"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

func opDeploy(name string, source []byte) func(*wire.Writer) {
	return func(w *wire.Writer) {
		w.Begin(wire.OpFn, 0, 0)
		w.Word(wire.FnDeploy)
		w.Word(wire.FnFlagActivate)
		w.Key([]byte(name))
		w.Value(source)
	}
}

// answer ends the one job that waits.
func (r *rig) answer(change func(j *tenants.Job)) {
	r.tb.Helper()
	if len(r.jobs) != 1 {
		r.tb.Fatalf("%d jobs", len(r.jobs))
	}
	j := r.jobs[0]
	r.jobs = nil
	change(j)
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventJobDone, Job: j})
}

// last is the reply that the queue has sent.
func (c *client) last() wire.Op {
	c.r.tb.Helper()
	sent := c.r.takeSent()
	if len(sent) != 1 {
		c.r.tb.Fatalf("%d replies", len(sent))
	}
	_, ops := c.reply(sent[0])
	return ops[0]
}

func TestFn(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	data := r.hello(path{srcPort: 1}, l, wire.RoleData, dataToken)
	must(t, data.one(opDeploy("lib", []byte("src"))), wire.StatusDenied)
	c := r.hello(path{}, l, wire.RoleDeploy, codeToken)
	f := c.frame(0, opDeploy("lib", []byte("src")))
	if r.process(f)[0] != nil {
		t.Fatal("answered before the job was done")
	}
	if h, _ := c.reply(r.process(f)[0]); h.Status() != wire.StatusPending || len(r.jobs) != 1 {
		t.Fatalf("duplicate: %v, %d jobs", h.Status(), len(r.jobs))
	}
	must(t, c.one(opIncr("n", 1)), wire.StatusOK) // a deploy holds nothing up
	r.answer(func(j *tenants.Job) {
		if j.Kind != tenants.JobFn || j.Verb != wire.FnDeploy || !j.Activate || j.Name != "lib" || string(j.Source) != "src" || j.Local != l {
			t.Fatalf("%+v", j)
		}
		j.Value = []byte("hash")
	})
	if op := must(t, c.last(), wire.StatusOK); string(op.Value()) != "hash" {
		t.Fatalf("%q", op.Value())
	}
	r.process(c.frame(0, opDeploy("lib", []byte("bad"))))
	r.answer(func(j *tenants.Job) {
		j.Status, j.Line, j.Column, j.Value = wire.StatusBadLibrary, 4, 2, []byte("no")
	})
	if op := must(t, c.last(), wire.StatusBadLibrary); op.Word(0) != 4 || op.Word(1) != 2 || string(op.Value()) != "no" {
		t.Fatalf("%d %d %q", op.Word(0), op.Word(1), op.Value())
	}
	// Listing is for everybody, and may be large.
	r.process(data.frame(0, func(w *wire.Writer) { w.Begin(wire.OpFn, 0, 0); w.Word(wire.FnList) }))
	r.answer(func(j *tenants.Job) { j.Value = bytes.Repeat([]byte("[]"), 2000) })
	if op := must(t, data.last(), wire.StatusOK); op.Word(0) != 4000 || !bytes.Equal(data.pull(data.seq, 0, 4000), bytes.Repeat([]byte("[]"), 2000)) {
		t.Fatal("a large list came back otherwise")
	}
	_, ops := c.send(0, all(opPing(""), opDeploy("lib", nil)))
	must(t, ops[1], wire.StatusUnsupported) // FN stands alone
}

// TestDeployPushed: a source above a datagram is copied chunk by chunk.
func TestDeployPushed(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, wire.RoleDeploy, codeToken)
	source := bytes.Repeat([]byte("source;\n"), 20_000)
	push := func(source []byte) uint64 {
		id := must(t, c.one(opPushBegin(len(source), wire.MaxSegment)), wire.StatusOK).Word(0)
		for off := 0; off < len(source); off += wire.MaxSegment {
			must(t, c.one(opPush(id, off, source[off:min(off+wire.MaxSegment, len(source))])), wire.StatusOK)
			c.first = c.seq
		}
		return id
	}
	deploy := func(id uint64) func(*wire.Writer) {
		return func(w *wire.Writer) {
			w.Begin(wire.OpFn, wire.OpFlagPushed, 0)
			w.Word(wire.FnDeploy)
			w.Word(0)
			w.Word(id)
			w.Key([]byte("lib"))
		}
	}
	id := push(source)
	r.process(c.frame(0, deploy(id)))
	if n := r.slices(100); n != 10 || len(r.jobs) != 1 {
		t.Fatalf("%d slices for 160,000 bytes, %d jobs", n, len(r.jobs))
	}
	r.answer(func(j *tenants.Job) {
		if !bytes.Equal(j.Source, source) || j.Activate {
			t.Fatalf("%d bytes of source", len(j.Source))
		}
	})
	must(t, c.last(), wire.StatusOK)
	if r.p.n.Pushes != 0 {
		t.Fatal("the push is still there")
	}
	must(t, c.one(deploy(id)), wire.StatusNoPush)
	l.Limits.SourceSize = 1000
	must(t, c.one(deploy(push(source[:1001]))), wire.StatusTooLarge)
	// The tenant goes while its source is copied.
	l.Limits.SourceSize = 1 << 20
	r.process(c.frame(0, deploy(push(source))))
	r.p.RunSlice(r.now)
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventRemove, Local: l})
	must(t, c.last(), wire.StatusKilled)
	if r.p.Runnable() || r.p.n.Pushes != 0 {
		t.Fatal("something is left")
	}
}

// TestFnDeadline: an FN that has not taken effect by its deadline never does; for
// one that does just then, the outcome is the answer, and is recorded.
func TestFnDeadline(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, wire.RoleDeploy, codeToken)
	late := func() {
		r.advance(1001)
		r.p.Housekeep(r.now)
	}
	r.process(c.frame(0, opDeploy("lib", []byte("one"))))
	late()
	must(t, c.last(), wire.StatusDeadline)
	if r.jobs[0].Cancel() {
		t.Fatal("it may still take effect")
	}
	r.answer(func(*tenants.Job) {})
	frame := c.frame(0, opDeploy("lib", []byte("two")))
	r.process(frame)
	r.jobs[0].Cancel() // stands for its beginning: the lcore comes too late
	late()
	if len(r.q.sent) != 0 {
		t.Fatal("answered before its outcome is known")
	}
	r.answer(func(j *tenants.Job) { j.Value = []byte("hash") })
	must(t, c.last(), wire.StatusOK)
	_, again := c.reply(r.process(frame)[0])
	if string(must(t, again[0], wire.StatusOK).Value()) != "hash" {
		t.Fatal("the record says something else")
	}
	if r.p.n.Tasks != 0 || r.p.tenantByID(1).fns != nil || r.p.tenantByID(1).fnJobs != 0 {
		t.Fatal("something is left")
	}
}

// TestRuntimes: a call waits for its runtime, and the rest of the tenant for
// the call; a dirty one is replaced; one that cannot be made says why.
func TestRuntimes(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	rt := l.Engine.Runtime().(*fakeRuntime)
	v := l.Engine.Active()
	c := r.hello(path{}, l, wire.RoleData, dataToken)
	l.Engine.DropRuntime()
	r.process(c.frame(0, opCall("echo", []byte("x"))), c.frame(0, opIncr("n", 1)))
	must(t, c.one(opGet("none")), wire.StatusNotFound)
	if r.slices(10) != 0 || len(r.q.sent) != 0 {
		t.Fatal("something ran without a runtime")
	}
	r.answer(func(j *tenants.Job) {
		if j.Kind != tenants.JobRuntime || j.Version != v || j.Local != l {
			t.Fatalf("%+v", j)
		}
		j.Runtime = rt
	})
	r.slices(10)
	sent := r.takeSent()
	if len(sent) != 2 {
		t.Fatalf("%d replies", len(sent))
	}
	_, ops := c.reply(sent[0])
	if must(t, ops[0], wire.StatusOK); string(ops[0].Value()) != "x" {
		t.Fatalf("%q", ops[0].Value())
	}
	rt.dirty = true
	r.process(c.frame(0, opCall("echo", nil)))
	r.answer(func(j *tenants.Job) {
		if j.Old != tenants.Runtime(rt) {
			t.Fatal("the old runtime was not given away")
		}
		j.Status, j.Value = wire.StatusFuel, []byte("too much")
	})
	r.slices(10)
	if op := must(t, c.last(), wire.StatusFuel); string(op.Value()) != "too much" {
		t.Fatalf("%q", op.Value())
	}
	// Another version becomes active while the runtime is made.
	r.process(c.frame(0, opCall("echo", nil)))
	next := &tenants.Version{Functions: []string{"echo"}}
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventVersion, Local: l, Version: next})
	fresh := &fakeRuntime{functions: functions{"echo": func(c *fakeCall) jit.Status { c.Result = append(c.Result, "new"...); return jit.OK }}}
	r.answer(func(j *tenants.Job) { j.Runtime = &fakeRuntime{} })
	r.slices(10)
	r.answer(func(j *tenants.Job) { j.Runtime = fresh })
	r.slices(10)
	if op := must(t, c.last(), wire.StatusOK); string(op.Value()) != "new" {
		t.Fatalf("%q", op.Value())
	}
	// The call's deadline does not wait for the control threads.
	l.Engine.DropRuntime()
	r.process(c.frame(0, opCall("echo", nil)))
	r.advance(1001)
	r.p.Housekeep(r.now)
	must(t, c.last(), wire.StatusDeadline)
	r.answer(func(j *tenants.Job) { j.Runtime = fresh })
	must(t, c.one(opCall("echo", nil)), wire.StatusOK)
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventVersion, Local: l})
	must(t, c.one(opCall("echo", nil)), wire.StatusNoFunction)
}

// TestVersionDuringCall: a call in flight ends on the version it began with.
func TestVersionDuringCall(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, wire.RoleData, dataToken)
	r.process(c.frame(0, opCall("long", nil)))
	r.slices(4)
	fresh := &fakeRuntime{functions: functions{"long": func(c *fakeCall) jit.Status { c.Result = append(c.Result, "new"...); return jit.OK }}}
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventVersion, Local: l, Version: &tenants.Version{Functions: []string{"long"}}, Runtime: fresh})
	r.slices(100)
	if op := must(t, c.last(), wire.StatusOK); string(op.Value()) != "done" {
		t.Fatalf("%q", op.Value())
	}
	if op := must(t, c.one(opCall("long", nil)), wire.StatusOK); string(op.Value()) != "new" {
		t.Fatalf("%q", op.Value())
	}
}

// TestOneRuntimeJob: calls that end while a runtime is made do not each have
// another one made, and an atomic datagram that waits for it holds the arena.
func TestOneRuntimeJob(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	rt := l.Engine.DropRuntime()
	c := r.hello(path{}, l, wire.RoleData, dataToken)
	for range 5 {
		r.process(c.frame(0, opCall("echo", nil)))
		r.advance(1001)
		r.p.Housekeep(r.now)
		must(t, c.last(), wire.StatusDeadline)
	}
	r.process(c.frame(wire.FlagAtomic, all(opSet("k", "v"), opCall("echo", nil))))
	if !r.p.tenantByID(1).suspended() {
		t.Fatal("the arena may change under an open overlay")
	}
	r.answer(func(j *tenants.Job) { j.Runtime = rt }) // wants that there is one job
	r.slices(10)
	if stored(l, "k", r.now.UnixMillis) != "v" || r.p.tenantByID(1).suspended() || r.p.tenantByID(1).making != nil {
		t.Fatal("the datagram did not go on")
	}
}

// TestFnJobs: one tenant cannot fill the queue of the control threads.
func TestFnJobs(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, wire.RoleDeploy, codeToken)
	list := func(w *wire.Writer) { w.Begin(wire.OpFn, 0, 0); w.Word(wire.FnList) }
	for range maxFnJobs {
		r.process(c.frame(0, list))
	}
	if h, _ := c.send(0, list); h.Status() != wire.StatusOK || len(r.jobs) != maxFnJobs {
		t.Fatalf("%v, %d jobs", h.Status(), len(r.jobs))
	}
	r.advance(1001) // the requests end, their jobs do not
	r.p.Housekeep(r.now)
	if _, ops := c.send(0, list); ops[0].Status() != wire.StatusBusy {
		t.Fatal(ops[0].Status())
	}
	for _, j := range r.jobs {
		r.p.HandleEvent(tenants.Event{Kind: tenants.EventJobDone, Job: j})
	}
	r.jobs = nil
	r.process(c.frame(0, list))
	if len(r.jobs) != 1 {
		t.Fatalf("%d jobs", len(r.jobs))
	}
}
