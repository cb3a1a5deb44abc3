package pktproc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// script is Commands of one word each, whose answers it gathers: "get k", "set k v",
// "call f", "pure f" (a call that must not write), "copy n" (a long command that
// pauses n times), "big n" (spends n bytes), "kill".
type script struct {
	lines   []string
	at      int
	answers []string
}

func (s *script) Run(x *Exec) BatchStep {
	for s.at < len(s.lines) {
		answer, spent, st := s.line(x, strings.Fields(s.lines[s.at]))
		if st != BatchDone {
			return st
		}
		s.answers = append(s.answers, answer)
		s.at++
		if !x.Spend(spent) {
			return BatchTurn
		}
	}
	return BatchDone
}

func (s *script) line(x *Exec, f []string) (answer string, spent int, st BatchStep) {
	switch f[0] {
	case "get":
		e, r := x.Shard().Get(store.BytesKey([]byte(f[1])), x.NowMillis())
		if r == store.Missing {
			return "-", 0, BatchDone
		}
		return string(e.Value), 0, BatchDone
	case "set":
		if !x.MayWrite() {
			return "", 0, BatchWait
		}
		x.Shard().Set(store.BytesKey([]byte(f[1])), []byte(f[2]), store.SetOptions{}, x.NowMillis())
		return "+", 0, BatchDone
	case "call", "pure":
		res, st := x.Call([]byte(f[1]), []byte("x"), f[0] == "pure")
		if st != BatchDone {
			return "", 0, st
		}
		return fmt.Sprintf("%v %s%s", res.Status, res.Value, res.Message), 0, BatchDone
	case "copy":
		if !x.Long() {
			return "", 0, BatchLong
		}
		n := 0
		for fmt.Sscan(f[1], &n); n > 0; n-- {
			if !x.Pause() {
				return x.Stopped().String(), 0, BatchDone
			}
		}
		return "copied", 0, BatchDone
	case "big":
		fmt.Sscan(f[1], &spent)
		return "big", spent, BatchDone
	}
	return fmt.Sprint(x.Kill()), 0, BatchDone
}

func (s *script) Fail(why wire.Status) bool {
	if s.at < len(s.lines) {
		s.answers = append(s.answers, why.String())
		s.at++
	}
	return s.at < len(s.lines)
}

// submit gives the lcore a batch of commands.
func (r *rig) submit(l *tenants.Local, back *Returns, lines ...string) (*Batch, *script) {
	s := &script{lines: lines}
	b := back.NewBatch(s)
	b.Local, b.Count = l, len(lines)
	b.Depart()
	r.p.TakeBatches(b)
	return b, s
}

// turns runs n turns of batches and slices.
func (r *rig) turns(n int) {
	for range n {
		r.p.RunBatches(r.now)
		r.p.RunSlice(r.now)
	}
}

func (s *script) want(t *testing.T, answers ...string) {
	t.Helper()
	if !slices.Equal(s.answers, answers) {
		t.Fatalf("%q gave %q, want %q", s.lines, s.answers, answers)
	}
}

func batchRig(t *testing.T) (*rig, *tenants.Local, *Returns) {
	l := newOpenLocal(t, 1, "one")
	r := callRig(t, nil, l)
	return r, l, &Returns{Ring: func() { t.Error("rang for a waker that is awake") }}
}

// TestBatch: commands are executed in order within the turn, calls too.
func TestBatch(t *testing.T) {
	r, l, back := batchRig(t)
	b, s := r.submit(l, back, "get k", "set k 1", "get k", "call echo", "call throw", "call none", "call write", "get x")
	_, later := r.submit(l, back, "get k")
	r.turns(1)
	s.want(t, "-", "+", "1", "OK x", "EXCEPTION no luck", "NO_FUNCTION ", "OK ", "written")
	later.want(t, "1")
	b.Await()
	if c := l.Counters; c[tenants.CounterRequests] != 9 || c[tenants.CounterCalls] != 3 || r.p.n.Tasks != 0 {
		t.Errorf("%d requests, %d calls, %d tasks left", c[tenants.CounterRequests], c[tenants.CounterCalls], r.p.n.Tasks)
	}
}

// TestBatchReadOnlyCall: a call that must not write and does is undone.
func TestBatchReadOnlyCall(t *testing.T) {
	r, l, back := batchRig(t)
	_, s := r.submit(l, back, "pure echo", "pure write", "get x")
	r.turns(1)
	s.want(t, "OK x", "DENIED ", "-")
}

// TestBatchWaits: behind a suspended call plain reads go on and see the last
// commit, what changes something waits, and so does all that follows it.
func TestBatchWaits(t *testing.T) {
	r, l, back := batchRig(t)
	_, call := r.submit(l, back, "set k 0", "call long", "get k")
	r.turns(2)
	_, read := r.submit(l, back, "get k", "get nothing")
	_, write := r.submit(l, back, "get k", "set k 2", "get k")
	r.turns(1)
	read.want(t, "0", "-")
	write.want(t, "0")
	call.want(t, "+")
	r.turns(100)
	write.want(t, "0", "+", "2")
	if len(call.answers) != 3 || r.p.n.Tasks != 0 || r.p.HasBatches() {
		t.Fatalf("%q, %d tasks left", call.answers, r.p.n.Tasks)
	}
}

// TestBatchBusy: as many wait as may; a command too many is BUSY and the batch goes on.
func TestBatchBusy(t *testing.T) {
	r, l, back := batchRig(t)
	l.Limits.Waiting = 1
	r.submit(l, back, "call long")
	_, first := r.submit(l, back, "set k 1")
	_, second := r.submit(l, back, "set k 2", "get k")
	r.turns(2)
	second.want(t, "BUSY", "-")
	first.want(t)
	r.turns(100)
	first.want(t, "+")
}

// TestBatchDeadline: what waits too long is answered DEADLINE, and given back so
// that the rest can be submitted again.
func TestBatchDeadline(t *testing.T) {
	r, l, back := batchRig(t)
	l.Limits.Fuel = 1 << 50
	_, call := r.submit(l, back, "call loop", "get k")
	b, waiting := r.submit(l, back, "set k 1", "get k")
	r.turns(2)
	r.advance(l.Limits.DeadlineMillis)
	r.turns(4)
	waiting.want(t, "DEADLINE")
	call.want(t, "DEADLINE ")
	b.Await()
	b.Depart()
	r.p.TakeBatches(b)
	r.turns(1)
	waiting.want(t, "DEADLINE", "-")
}

// TestBatchKill: a call and a long command are killed by another connection, half-done work is undone.
func TestBatchKill(t *testing.T) {
	for _, long := range []string{"call loop", "copy 1000000"} {
		r, l, back := batchRig(t)
		l.Limits.Fuel = 1 << 50
		_, victim := r.submit(l, back, long)
		r.turns(3)
		_, killer := r.submit(l, back, "kill", "kill")
		r.turns(1)
		killer.want(t, "true", "false")
		if len(victim.answers) != 1 || !strings.HasPrefix(victim.answers[0], "KILLED") {
			t.Fatalf("%q", victim.answers)
		}
	}
}

// TestBatchLong: a command that pauses leaves the turns in between to others.
func TestBatchLong(t *testing.T) {
	r, l, back := batchRig(t)
	other := newOpenLocal(t, 2, "other")
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventInstall, Local: other})
	_, long := r.submit(l, back, "copy 20", "get k")
	r.turns(1)
	for i := range 20 {
		_, s := r.submit(other, back, "set k 1")
		r.turns(1)
		s.want(t, "+")
		if i < 18 {
			long.want(t)
		}
	}
	r.turns(2)
	long.want(t, "copied", "-")
}

// TestBatchTurn: a turn moves a bounded number of bytes and executes a bounded number of commands.
func TestBatchTurn(t *testing.T) {
	r, l, back := batchRig(t)
	_, s := r.submit(l, back, fmt.Sprint("big ", batchBytes/2), fmt.Sprint("big ", batchBytes/2), "big 1")
	_, other := r.submit(l, back, "get k")
	r.p.RunBatches(r.now)
	s.want(t, "big", "big")
	other.want(t)
	r.p.RunBatches(r.now)
	s.want(t, "big", "big", "big")
	other.want(t, "-")
	_, many := r.submit(l, back, slices.Repeat([]string{"get k"}, batchCommands+1)...)
	r.p.RunBatches(r.now)
	if len(many.answers) != batchCommands {
		t.Fatalf("%d commands in a turn", len(many.answers))
	}
}

// TestBatchRuntime: a call whose tenant has no runtime waits for one.
func TestBatchRuntime(t *testing.T) {
	r, l, back := batchRig(t)
	rt := l.Engine.DropRuntime()
	_, s := r.submit(l, back, "call echo")
	_, write := r.submit(l, back, "set k 1")
	r.turns(1)
	s.want(t)
	write.want(t)
	if len(r.jobs) != 1 {
		t.Fatalf("%d jobs", len(r.jobs))
	}
	r.jobs[0].Runtime = rt
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventJobDone, Job: r.jobs[0]})
	r.turns(2)
	s.want(t, "OK x")
	write.want(t, "+")
	l.Engine.DropRuntime()
	_, s = r.submit(l, back, "call echo")
	r.turns(1)
	r.jobs[1].Status, r.jobs[1].Value = wire.StatusBadLibrary, []byte("no good")
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventJobDone, Job: r.jobs[1]})
	r.turns(1)
	s.want(t, "BAD_LIBRARY no good")
}

// TestBatchEnds: a tenant's deletion, a quarantine and the server's end answer everything that is under way.
func TestBatchEnds(t *testing.T) {
	for name, end := range map[string]func(*rig, *tenants.Local){
		"KILLED":   func(r *rig, l *tenants.Local) { r.p.HandleEvent(tenants.Event{Kind: tenants.EventRemove, Local: l}) },
		"SHUTDOWN": func(r *rig, _ *tenants.Local) { r.p.Close() },
	} {
		r, l, back := batchRig(t)
		l.Limits.Fuel = 1 << 50
		called, call := r.submit(l, back, "call loop", "get k")
		waited, waiting := r.submit(l, back, "set k 1", "get k")
		r.turns(3)
		queued, last := r.submit(l, back, "get k")
		end(r, l)
		r.turns(1)
		for _, b := range []*Batch{called, waited, queued} {
			b.Await()
		}
		if len(call.answers) != 1 || !strings.HasPrefix(call.answers[0], name) || waiting.answers[0] != name || len(last.answers) != 1 {
			t.Errorf("%s: %q, %q, %q", name, call.answers, waiting.answers, last.answers)
		}
		called.Depart()
		r.p.TakeBatches(called)
		r.turns(1)
		if called.Await(); len(call.answers) != 2 {
			t.Errorf("%s: the rest of the batch gave %q", name, call.answers)
		}
	}
	r, l, back := batchRig(t)
	r.p.tenantByID(1).quarantined = true
	_, s := r.submit(l, back, "get k", "get k")
	r.turns(1)
	s.want(t, "QUARANTINED", "QUARANTINED")
}

// TestBatchRates: calls are limited, other commands are not.
func TestBatchRates(t *testing.T) {
	r, l, back := batchRig(t)
	l.Limits.CallsPerSecond = 2
	_, s := r.submit(l, back, "call echo", "get k")
	_, s2 := r.submit(l, back, "call echo")
	_, s3 := r.submit(l, back, "call echo", "get k")
	r.turns(2)
	s.want(t, "OK x", "-")
	s2.want(t, "OK x")
	s3.want(t, "BUSY ", "-")
}

// TestBatchAllocs: executing a batch and giving it back allocates nothing.
func TestBatchAllocs(t *testing.T) {
	r, l, back := batchRig(t)
	c := &counted{}
	b := back.NewBatch(c)
	b.Local = l
	n := testing.AllocsPerRun(100, func() {
		b.Count = 16
		b.Depart()
		r.p.TakeBatches(b)
		r.p.RunBatches(r.now)
		b.Await()
	})
	if n != 0 || c.runs != 101 {
		t.Errorf("%v allocations a batch, %d runs", n, c.runs)
	}
}

type counted struct{ runs int }

func (c *counted) Run(*Exec) BatchStep   { c.runs++; return BatchDone }
func (c *counted) Fail(wire.Status) bool { return false }

// TestReturns: owners that sleep are woken, each once, and the bell is rung only for a waker that sleeps.
func TestReturns(t *testing.T) {
	const owners, rounds = 8, 2000
	bell := make(chan struct{}, 1)
	r := &Returns{Ring: func() { bell <- struct{}{} }}
	var inbox Inbox
	stop := make(chan struct{})
	lcore, waker := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(lcore)
		for left := owners * rounds; left > 0; {
			for b := inbox.Take(); b != nil; left-- {
				below := b.next
				b.finish()
				b = below
			}
		}
	}()
	go func() {
		defer close(waker)
		for {
			for r.Wake() {
			}
			if r.Doze() {
				select {
				case <-bell:
				case <-stop:
					return
				}
			}
		}
	}()
	done := make(chan int)
	for range owners {
		go func() {
			b := r.NewBatch(nil)
			for range rounds {
				b.Depart()
				inbox.Put(b)
				b.Await()
			}
			done <- rounds
		}()
	}
	for range owners {
		<-done
	}
	<-lcore
	close(stop)
	<-waker
	if !inbox.Empty() {
		t.Error("something is left")
	}
}

// TestBatchExclusive: what excludes others lets no read in between either, and a
// result taken away outlives the call.
func TestBatchExclusive(t *testing.T) {
	r, l, back := batchRig(t)
	var taken []byte
	var running Running
	s := &steps{todo: []func(x *Exec) BatchStep{
		func(x *Exec) BatchStep {
			if !x.Long() {
				return BatchLong
			}
			x.Exclude()
			x.Pause()
			res, st := x.Call([]byte("echo"), []byte("kept"), false)
			if st == BatchDone && res.Status == wire.StatusOK {
				taken = x.TakeResult()
			}
			return st
		},
		func(x *Exec) BatchStep { // a second call must not write where the first one's result is
			_, st := x.Call([]byte("echo"), []byte("lost"), false)
			return st
		},
	}}
	b := back.NewBatch(s)
	b.Local = l
	b.Depart()
	r.p.TakeBatches(b)
	r.turns(1)
	_, read := r.submit(l, back, "get k")
	r.p.RunBatches(r.now)
	read.want(t)
	if r.p.n.Tasks != 2 {
		t.Fatalf("%d tasks", r.p.n.Tasks)
	}
	r.turns(4)
	read.want(t, "-")
	if string(taken) != "kept" {
		t.Fatalf("the result became %q", taken)
	}
	l.Limits.Fuel = 1 << 50
	r.submit(l, back, "call loop")
	r.turns(2)
	r.advance(7)
	ask := &steps{todo: []func(x *Exec) BatchStep{func(x *Exec) BatchStep { running = x.Running(); return BatchDone }}}
	b = back.NewBatch(ask)
	b.Local = l
	b.Depart()
	r.p.TakeBatches(b)
	r.turns(1)
	if running.Name != "loop" || running.Millis != 7 {
		t.Fatalf("running: %+v", running)
	}
}

// steps is Commands of Go functions.
type steps struct{ todo []func(x *Exec) BatchStep }

func (s *steps) Run(x *Exec) BatchStep {
	for len(s.todo) > 0 {
		if st := s.todo[0](x); st != BatchDone {
			return st
		}
		s.todo = s.todo[1:]
	}
	return BatchDone
}

func (s *steps) Fail(wire.Status) bool { s.todo = nil; return false }
