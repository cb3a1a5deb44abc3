package pktproc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

type functions = map[string]func(c *fakeCall) jit.Status

// library is what the tests call.
func library() functions {
	write := func(c *fakeCall, key, value string) jit.Status {
		if _, res := c.Overlay.Set(store.BytesKey([]byte(key)), []byte(value), store.SetOptions{}); res != store.OK {
			return jit.Limit
		}
		return jit.OK
	}
	return functions{
		"echo": func(c *fakeCall) jit.Status { c.Result = append(c.Result, c.Args...); return c.burn(3) },
		"throw": func(c *fakeCall) jit.Status {
			write(c, "half", "done")
			c.message = "no luck"
			return jit.Exception
		},
		"write": func(c *fakeCall) jit.Status { return write(c, string(c.Args), "written") },
		"loop":  func(c *fakeCall) jit.Status { write(c, "half", "done"); return c.burn(1 << 60) },
		"long": func(c *fakeCall) jit.Status { // two writes with many slices between
			if st := write(c, "one", "1"); st != jit.OK {
				return st
			}
			if st := c.burn(20 * c.Limits.Slice); st != jit.OK {
				return st
			}
			c.Result = append(c.Result, "done"...)
			return write(c, "two", "2")
		},
		"large": func(c *fakeCall) jit.Status {
			c.Result = append(c.Result, bytes.Repeat([]byte("large"), 1000)...)
			return jit.OK
		},
		"log": func(c *fakeCall) jit.Status { c.Log(jit.LevelInfo, []byte("a line")); return jit.OK },
	}
}

func callRig(t *testing.T, change func(*Config), locals ...*tenants.Local) *rig {
	t.Helper()
	for _, l := range locals {
		withRuntime(l, library())
	}
	return newRig(t, change, locals...)
}

func TestCall(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	if op := must(t, c.one(opCall("echo", []byte("args"))), wire.StatusOK); string(op.Value()) != "args" {
		t.Fatalf("%q", op.Value())
	}
	op := must(t, c.one(opCall("throw", nil)), wire.StatusException)
	if op.Word(0) != 3 || op.Word(1) != 7 || string(op.Value()) != "no luck" || stored(l, "half", r.now.UnixMillis) != "<none>" {
		t.Fatalf("%d %d %q", op.Word(0), op.Word(1), op.Value())
	}
	must(t, c.one(opCall("none", nil)), wire.StatusNoFunction)
	must(t, c.one(opCall("write", []byte("w"))), wire.StatusOK)
	must(t, c.one(opCall("log", nil)), wire.StatusOK)
	if stored(l, "w", r.now.UnixMillis) != "written" || l.Log.Next() != 2 {
		t.Fatal("a write or a line is missing")
	}
	_, ops := c.send(wire.FlagReceipt, opCall("echo", []byte("x")))
	if rc, ok := ops[0].Receipt(); !ok || rc.Fuel != 3 || rc.BytesReturned != 1 {
		t.Fatalf("%+v %v", rc, ok)
	}
	// A duplicate is not called again.
	before := r.p.n.Ops[wire.OpCall]
	h, again := c.reply(r.process(c.path.frame(t, c.datagram(1, 0, opCall("echo", []byte("args")))))[0])
	if h.Status() != wire.StatusOK || string(again[0].Value()) != "args" || r.p.n.Ops[wire.OpCall] != before {
		t.Fatal("a duplicate was called again")
	}
	if r.p.n.Tasks != 0 {
		t.Fatalf("%d tasks left", r.p.n.Tasks)
	}
}

// TestLongCall: what outruns its slice goes on in a coroutine; meanwhile plain
// reads see the last commit, everything else waits in order, and a duplicate
// is PENDING.
func TestLongCall(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	call := c.frame(0, opCall("long", nil))
	if r.process(call)[0] != nil {
		t.Fatal("a long call was answered at once")
	}
	r.p.RunSlice(r.now)
	if !r.p.tenantByID(1).suspended() {
		t.Fatal("not suspended")
	}
	h, _ := c.reply(r.process(call)[0])
	if h.Status() != wire.StatusPending {
		t.Fatalf("duplicate: %v", h.Status())
	}
	must(t, c.one(opGet("one")), wire.StatusNotFound)
	var frames [][]byte
	for i := range 10 {
		frames = append(frames, c.frame(0, all(opIncr("n", 1), opGet("two"), opSet(fmt.Sprint("k", i), "v"))))
	}
	for i, out := range r.process(frames...) {
		if out != nil {
			t.Fatalf("write %d did not wait", i)
		}
	}
	if op := must(t, c.one(opPing("quick")), wire.StatusOK); string(op.Value()) != "quick" {
		t.Fatal("PING waited")
	}
	n := r.slices(1000)
	if n < 10 {
		t.Fatalf("only %d slices", n)
	}
	sent := r.takeSent()
	if len(sent) != 11 {
		t.Fatalf("%d replies", len(sent))
	}
	for i, b := range sent {
		h, ops := c.reply(b)
		want := uint32(1)
		if i > 0 {
			want = uint32(i + 3) // the GET and the PING had numbers too
			if i > 0 && int(ops[0].Word(1)) != i || string(ops[1].Value()) != "2" {
				t.Fatalf("reply %d: %d, %q: out of order", i, ops[0].Word(1), ops[1].Value())
			}
		}
		_ = want
		if h.Status() != wire.StatusOK {
			t.Fatalf("reply %d: %v", i, h.Status())
		}
	}
	// Remembered as long: it starts in a coroutine.
	before := r.p.n.Preempted
	rt := l.Engine.Runtime().(*fakeRuntime)
	calls := rt.calls
	if _, ops := c.run(0, opCall("long", nil)); string(ops[0].Value()) != "done" || rt.calls != calls+1 || r.p.n.Preempted != before {
		t.Fatalf("%d calls", rt.calls-calls)
	}
	if r.p.n.Tasks != 0 || r.q.lent != 0 {
		t.Fatalf("%d tasks, %d frames left", r.p.n.Tasks, r.q.lent)
	}
}

// TestWaitingLimit: more than Limits.Waiting are BUSY. That is an answer like
// others: a copy that comes later, when there is room, is not executed, for the
// client has been told that nothing was.
func TestWaitingLimit(t *testing.T) {
	l := newLocal(t, 1, "one")
	l.Limits.Waiting = 3
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	r.process(c.frame(0, opCall("long", nil)))
	for range 3 {
		if r.process(c.frame(0, opIncr("n", 1)))[0] != nil {
			t.Fatal("did not wait")
		}
	}
	f := c.frame(0, opIncr("n", 1))
	if h, _ := c.reply(r.process(f)[0]); h.Status() != wire.StatusBusy {
		t.Fatal(h.Status())
	}
	r.slices(1000)
	r.takeSent()
	if h, ops := c.reply(r.process(f)[0]); h.Status() != wire.StatusBusy || len(ops) != 0 {
		t.Fatalf("a copy: %v", h.Status())
	}
	if op := must(t, c.one(opIncr("n", 1)), wire.StatusOK); op.Word(1) != 4 {
		t.Fatalf("n is %d, want 4", op.Word(1))
	}
}

func TestDeadline(t *testing.T) {
	l := newLocal(t, 1, "one")
	l.Limits.Fuel = 1 << 50
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	r.process(c.frame(0, opCall("loop", nil)))
	short := c.frame(0, all(opIncr("n", 1), opIncr("n", 1)))
	h := wire.MakeHeader(short[etherHeader+28:])
	h.SetDeadlineMillis(100)
	fixUDP(short)
	r.process(short, c.frame(0, opIncr("n", 1)))
	r.slices(50)
	if len(r.takeSent()) != 0 {
		t.Fatal("answered too early")
	}
	r.advance(101)
	r.p.Housekeep(r.now)
	sent := r.takeSent()
	if len(sent) != 1 {
		t.Fatalf("%d replies after the client's deadline", len(sent))
	}
	_, ops := c.reply(sent[0])
	must(t, ops[0], wire.StatusDeadline)
	must(t, ops[1], wire.StatusDeadline)
	r.advance(900)
	r.slices(3)
	sent = r.takeSent()
	if len(sent) == 0 {
		t.Fatal("no reply after the deadline")
	}
	_, ops = c.reply(sent[0])
	must(t, ops[0], wire.StatusDeadline)
	r.slices(10)
	r.p.Housekeep(r.now)
	if len(sent)+len(r.takeSent()) != 2 || stored(l, "half", r.now.UnixMillis) != "<none>" || stored(l, "n", r.now.UnixMillis) != "<none>" {
		t.Fatal("a call that ended left something behind")
	}
}

// fixUDP writes an IPv4 frame's UDP checksum anew.
func fixUDP(b []byte) {
	b[40], b[41] = 0, 0
	n := int(b[38])<<8 | int(b[39])
	binary.BigEndian.PutUint16(b[40:], ^naiveSum(uint32(naiveSum(0, b[26:34]))+17+uint32(n), b[34:34+n]))
}

func TestKill(t *testing.T) {
	l := newLocal(t, 1, "one")
	l.Limits.Fuel = 1 << 50
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	must(t, c.one(opKill(0, 0)), wire.StatusNotFound)
	for slices := range 5 {
		r.process(c.frame(0, opCall("loop", nil)))
		call := c.seq
		r.process(c.frame(0, opIncr("n", 1)), c.frame(0, opIncr("n", 1)))
		r.slices(slices)
		must(t, c.one(opKill(c.id, call+1)), wire.StatusOK) // one that waits
		must(t, c.one(opKill(c.id, call+77)), wire.StatusNotFound)
		if slices%2 == 0 {
			must(t, c.one(opKill(c.id, call)), wire.StatusOK)
		} else {
			must(t, c.one(opKill(0, 0)), wire.StatusOK)
		}
		r.slices(100)
		sent := r.takeSent()
		if len(sent) != 3 {
			t.Fatalf("%d replies", len(sent))
		}
		for i, want := range []wire.Status{wire.StatusKilled, wire.StatusKilled, wire.StatusOK} {
			_, ops := c.reply(sent[i])
			must(t, ops[0], want)
		}
		c.first = c.seq
	}
	if stored(l, "half", r.now.UnixMillis) != "<none>" || stored(l, "n", r.now.UnixMillis) != "5" {
		t.Fatal("a killed call left something behind")
	}
	if r.p.n.Coroutines != 1 || r.p.n.Tasks != 0 {
		t.Fatalf("%d coroutines, %d tasks", r.p.n.Coroutines, r.p.n.Tasks)
	}
}

func TestTry(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	_, ops := c.run(0, func(w *wire.Writer) { w.Begin(wire.OpTry, 0, 0); w.Key([]byte("long")) })
	op := must(t, ops[0], wire.StatusOK)
	v := op.Value()
	n := binary.LittleEndian.Uint32(v)
	if string(v[4:4+n]) != "done" {
		t.Fatalf("%q", v)
	}
	var writes []string
	for b := v[4+n:]; len(b) > 0; {
		it, rest, st := wire.FirstItem(b)
		if st != wire.StatusOK {
			t.Fatal(st)
		}
		b = rest
		writes = append(writes, fmt.Sprintf("%s=%s", it.Bytes, it.Value))
	}
	if fmt.Sprint(writes) != "[one=1 two=2]" || stored(l, "one", r.now.UnixMillis) != "<none>" {
		t.Fatalf("%v", writes)
	}
	if rc, ok := op.Receipt(); !ok || rc.Fuel == 0 {
		t.Fatal("no receipt")
	}
	// What the call changed in its module must not outlive it.
	if rt := l.Engine.Runtime().(*fakeRuntime); rt.undone != 1 {
		t.Fatalf("the runtime was told %d times that the call was undone", rt.undone)
	}
	c.run(0, func(w *wire.Writer) { w.Begin(wire.OpCall, 0, 0); w.Key([]byte("long")) })
	if rt := l.Engine.Runtime().(*fakeRuntime); rt.undone != 1 {
		t.Fatal("a call that was committed counts as undone")
	}
}

// TestLargeResult: kept until acknowledged, or until it is too old.
func TestLargeResult(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, func(c *Config) { c.Limits.ResultBytesPerTenant = 11_000; c.Limits.ResultMillis = 1000 }, l)
	c := r.hello(path{}, l, 0, dataToken)
	want := strings.Repeat("large", 1000)
	_, ops := c.send(0, all(opCall("large", nil), opCall("large", nil), opCall("large", nil), opIncr("n", 1)))
	seq := c.seq
	for i := range 2 {
		if op := must(t, ops[i], wire.StatusOK); op.Flags()&wire.OpFlagPartial == 0 || op.Word(0) != 5000 {
			t.Fatalf("flags %x, %d", op.Flags(), op.Word(0))
		}
		if got := c.pull(seq, i, 5000); string(got) != want {
			t.Fatal("the result came back otherwise")
		}
	}
	must(t, ops[2], wire.StatusTooLarge) // above the tenant's share
	must(t, ops[3], wire.StatusOK)
	result := func(seq uint32) wire.Status {
		return c.one(func(w *wire.Writer) { w.Begin(wire.OpResult, 0, 0); w.Word(uint64(seq)); w.Word(10); w.Word(0) }).Status()
	}
	c.first = seq + 1
	if st := result(seq); st != wire.StatusNotFound || r.p.n.KeptBytes != 0 {
		t.Fatalf("after it was acknowledged: %v, %d bytes", st, r.p.n.KeptBytes)
	}
	c.send(0, opCall("large", nil))
	seq = c.seq
	if st := result(seq); st != wire.StatusOK {
		t.Fatal(st)
	}
	r.advance(1001)
	r.p.Housekeep(r.now)
	if st := result(seq); st != wire.StatusNotFound || r.p.n.KeptResults != 0 {
		t.Fatalf("when it is too old: %v", st)
	}
}

// TestAtomicCall: a call in an atomic datagram shares its overlay, also when
// it is preempted and everything begins again.
func TestAtomicCall(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	_, ops := c.run(wire.FlagAtomic, all(opIncr("n", 1), opCall("long", nil), opIncr("n", 1)))
	if len(ops) != 3 || ops[2].Word(1) != 2 || stored(l, "n", r.now.UnixMillis) != "2" || stored(l, "two", r.now.UnixMillis) != "2" {
		t.Fatalf("%d operations, n=%s", len(ops), stored(l, "n", r.now.UnixMillis))
	}
	_, ops = c.run(wire.FlagAtomic, all(opIncr("n", 1), opCall("throw", nil), opIncr("n", 1)))
	must(t, ops[0], wire.StatusAborted)
	if op := must(t, ops[1], wire.StatusException); string(op.Value()) != "no luck" {
		t.Fatalf("%q", op.Value())
	}
	must(t, ops[2], wire.StatusAborted)
	if stored(l, "n", r.now.UnixMillis) != "2" {
		t.Fatal("an aborted datagram left writes")
	}
}

// TestRemove: deleting a tenant ends its calls and waiting requests.
func TestRemove(t *testing.T) {
	l := newLocal(t, 1, "one")
	l.Limits.Fuel = 1 << 50
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	must(t, c.one(opPushBegin(600, 512)), wire.StatusOK)
	r.process(c.frame(0, opCall("loop", nil)), c.frame(0, opIncr("n", 1)))
	r.slices(3)
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventRemove, Local: l})
	sent := r.takeSent()
	if len(sent) != 2 {
		t.Fatalf("%d replies", len(sent))
	}
	for _, b := range sent {
		_, ops := c.reply(b)
		must(t, ops[0], wire.StatusKilled)
	}
	if r.p.Runnable() || r.p.n.Tasks != 0 || r.p.n.Pushes != 0 {
		t.Fatal("something is left of a deleted tenant")
	}
	for range 100 {
		r.p.Housekeep(r.now)
	}
	if r.p.n.Sessions != 0 {
		t.Fatalf("%d sessions left", r.p.n.Sessions)
	}
}

func TestShutdown(t *testing.T) {
	l := newLocal(t, 1, "one")
	l.Limits.Fuel = 1 << 50
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	r.process(c.frame(0, opCall("loop", nil)), c.frame(0, opIncr("n", 1)))
	r.slices(3)
	r.p.Close()
	sent := r.takeSent()
	if len(sent) != 2 {
		t.Fatalf("%d replies", len(sent))
	}
	for _, b := range sent {
		_, ops := c.reply(b)
		must(t, ops[0], wire.StatusShutdown)
	}
}

// TestQuarantine: a damaged arena closes its tenant and no other.
func TestQuarantine(t *testing.T) {
	l, other := newOpenLocal(t, 1, "one"), newOpenLocal(t, 2, "two")
	r := callRig(t, nil, l, other)
	withRuntime(l, functions{"hurt": func(*fakeCall) jit.Status { return jit.Corrupt }})
	must(t, r.trusted(path{}, 1).one(opCall("hurt", nil)), wire.StatusQuarantined)
	if h, _ := r.trusted(path{}, 1).send(0, opGet("k")); h.Status() != wire.StatusQuarantined {
		t.Fatal(h.Status())
	}
	must(t, r.trusted(path{}, 2).one(opGet("k")), wire.StatusNotFound)
}

// TestShortAgain: a function that outran its slice once, but then ends within
// it every time, runs straight again, with its reply in the request's frame.
func TestShortAgain(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	fuel := int64(0)
	withRuntime(l, functions{"f": func(c *fakeCall) jit.Status { return c.burn(fuel) }})
	r := newRig(t, nil, l)
	c := r.trusted(path{}, 1)
	fuel = 3 * l.Limits.Slice
	if b := r.process(c.frame(0, opCall("f", nil)))[0]; b != nil || r.slices(100) == 0 || len(r.takeSent()) != 1 {
		t.Fatal("a long call was answered at once, or never")
	}
	fuel = 1
	for n := 1; ; n++ {
		if b := r.process(c.frame(0, opCall("f", nil)))[0]; b != nil {
			if n != 9 {
				t.Fatalf("call %d after the long one ran straight", n)
			}
			break
		}
		r.slices(100)
		if len(r.takeSent()) != 1 || n > 9 {
			t.Fatalf("short call %d had no answer, or was still in a coroutine", n)
		}
	}
	if got := r.p.n.Preempted; got != 1 {
		t.Fatalf("%d calls outran their slice", got)
	}
}

// TestTooLargeCommitsNothing: a result that can neither be sent nor kept is an
// error, and an error leaves no trace in the store.
func TestTooLargeCommitsNothing(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	lib := library()
	lib["writeLarge"] = func(c *fakeCall) jit.Status {
		if st := lib["write"](c); st != jit.OK {
			return st
		}
		return lib["large"](c)
	}
	withRuntime(l, lib)
	r := newRig(t, func(c *Config) { c.Limits.ResultsPerTenant = 2 }, l)
	must(t, r.trusted(path{}, 1).one(opCall("writeLarge", []byte("trusted"))), wire.StatusTooLarge) // no session to keep it for
	c := r.hello(path{}, l, 0, nil)
	for _, k := range []string{"first", "second"} {
		must(t, c.one(opCall("writeLarge", []byte(k))), wire.StatusOK)
	}
	must(t, c.one(opCall("writeLarge", []byte("third"))), wire.StatusTooLarge)
	for k, want := range map[string]string{"trusted": "<none>", "first": "written", "second": "written", "third": "<none>"} {
		if got := stored(l, k, r.now.UnixMillis); got != want {
			t.Errorf("%s: %s, want %s", k, got, want)
		}
	}
	c.first = c.seq // acknowledges the first two
	must(t, c.one(opCall("writeLarge", []byte("fourth"))), wire.StatusOK)
}

// TestLargeReads: results that no sequence number acknowledges make room for
// new ones of their kind, not for those of others.
func TestLargeReads(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, func(c *Config) { c.Limits.ResultsPerTenant = 3 }, l)
	c := r.hello(path{}, l, 0, dataToken)
	must(t, c.one(opCall("large", nil)), wire.StatusOK)
	call := c.seq
	try := func(w *wire.Writer) { w.Begin(wire.OpTry, 0, 0); w.Key([]byte("large")) }
	for i := range 10 {
		c.seq = 1<<31 + uint32(i)
		must(t, c.one(try), wire.StatusOK)
		if got := c.pull(c.seq, 0, 4+5000); len(got) != 4+5000 {
			t.Fatalf("read %d: %d bytes", i, len(got))
		}
	}
	if n := r.p.n.KeptResults; n != 3 {
		t.Fatalf("%d results kept", n)
	}
	c.seq = call
	if got := c.pull(call, 0, 5000); len(got) != 5000 {
		t.Fatal("the call's result is gone")
	}
}

// TestAtomicLog: a datagram that begins again leaves no line of its first run.
func TestAtomicLog(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := callRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	_, ops := c.run(wire.FlagAtomic, all(opCall("log", nil), opCall("long", nil), opCall("log", nil)))
	for _, op := range ops {
		must(t, op, wire.StatusOK)
	}
	if n := l.Log.Next() - l.Log.First(); n != 2 || l.Counters[tenants.CounterLogRecords] != 2 {
		t.Errorf("%d lines, want 2", n)
	}
	c.run(wire.FlagAtomic, all(opCall("log", nil), opCall("throw", nil))) // what failed may say why
	if n := l.Log.Next() - l.Log.First(); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
}
