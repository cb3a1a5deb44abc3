package pktproc

import (
	"context"
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store/arena"
	"shredder/tenants"
)

// tierRig is a rig whose tenant came from a registry with control threads, which
// compile for it.
type tierRig struct {
	*rig
	registry *tenants.Registry
	l        *tenants.Local
	c        *client
	mu       sync.Mutex
	events   []tenants.Event
}

const tierLibrary = `
export function add(a, b) { return a + b; }
export function zero(a) { return -a; }
export function four(a, b, c, d) { return [-a, -b, -c, -d].length; }
export function half(n, k) { store.set(1, 'touched'); console.log('half'); let s = 0; for (let i = 0; i < n; i++) s += i; return s % k; }
export function spin(n) { let s = 0; for (let i = 0; i < n; i++) s += i; return s; }
export function put(k, n) { store.set(k, n); return n; }
export function bytes(v) { return v; }
`

const dynamic = `
let calls = 0;
export function count() { return ++calls; }
export function pattern(s) { return /x/.test(s); }
`

func newTierRig(t testing.TB, trust tenants.Trust, library string) *tierRig {
	t.Helper()
	r := &tierRig{}
	r.registry = tenants.NewRegistry(tenants.Config{Lcores: 1, Budget: arena.NewBudget(1 << 30), Loader: tenants.Interpreter{},
		Post: func(_ int, ev tenants.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, ev)
		}})
	r.rig = newRig(t, func(c *Config) { c.Registry = r.registry })
	spec := tenants.Spec{Name: "one", NoToken: true, NoDeployToken: true, Trust: trust, Home: -1, Limits: jit.DevelopmentLimits(),
		TrustedSources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}
	spec.Libraries = []tenants.Source{{Name: "library", Text: []byte(library)}}
	var err error
	if r.l, err = r.registry.Create(spec); err != nil {
		t.Fatal(err)
	}
	r.pump()
	r.c = r.hello(path{}, r.l, wire.RoleData, nil)
	t.Cleanup(func() {
		r.p.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		ended := make(chan error)
		go func() { ended <- r.registry.Close(ctx) }()
		for {
			r.pump()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	return r
}

// pump hands the lcore what has been posted and says whether there was anything.
func (r *tierRig) pump() bool {
	r.mu.Lock()
	events := r.events
	r.events = nil
	r.mu.Unlock()
	for _, ev := range events {
		r.p.HandleEvent(ev)
	}
	return len(events) > 0
}

// until turns the lcore until something holds that control threads bring about.
func (r *tierRig) until(what string, holds func() bool) {
	r.tb.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(end) {
			r.tb.Fatalf("not within a minute: %s", what)
		}
		if !r.pump() {
			time.Sleep(100 * time.Microsecond)
		}
		r.slices(1000)
	}
}

// settled waits until no code is being compiled.
func (r *tierRig) settled() {
	r.tb.Helper()
	r.until("compilations", func() bool { return r.p.tenantByID(r.l.ID).compiling == nil })
}

// call calls a function and waits for the reply, which has a receipt.
func (r *tierRig) call(flags uint8, ops func(*wire.Writer)) []wire.Op {
	r.tb.Helper()
	if b := r.process(r.c.frame(flags|wire.FlagReceipt, ops))[0]; b != nil {
		_, replies := r.c.reply(b)
		return replies
	}
	r.until("the reply", func() bool { return len(r.q.sent) > 0 })
	_, replies := r.c.reply(r.takeSent()[0])
	return replies
}

// on calls a function and wants it to end OK on a tier.
func (r *tierRig) on(tier uint64, function string, args ...int64) wire.Op {
	r.tb.Helper()
	op := r.call(0, opCall(function, wantInts(args...)))[0]
	if op.Status() != wire.StatusOK {
		r.tb.Fatalf("%s%v: %v %q", function, args, op.Status(), op.Value())
	}
	if rc, ok := op.Receipt(); !ok || rc.Tier != tier {
		r.tb.Fatalf("%s%v ran on tier %d, want %d", function, args, rc.Tier, tier)
	}
	return op
}

func wantInts(args ...int64) (b []byte) {
	for _, n := range args {
		b = wire.AppendInt(b, n)
	}
	return b
}

func (r *tierRig) tiering(function string) *jit.Tiering {
	return &r.l.Function([]byte(function)).Tiering
}

// TestTierUp: a trusted tenant's first call of some types runs on tier 0, and
// those after the compilation on tier 1.
func TestTierUp(t *testing.T) {
	r := newTierRig(t, tenants.TrustTrusted, tierLibrary)
	r.on(0, "add", 2, 3)
	r.settled()
	if op := r.on(1, "add", 2, 3); string(op.Value()) != string(wantInts(5)) {
		t.Fatalf("%q", op.Value())
	}
	text := wire.AppendString(wire.AppendString(nil, "a"), "b")
	if op := r.call(0, opCall("add", text))[0]; string(op.Value()) != string(wire.AppendString(nil, "ab")) {
		t.Fatalf("%v %q", op.Status(), op.Value())
	}
	r.settled()
	r.on(1, "add", 2, 3)
	c := &r.l.Counters
	if c[tenants.CounterCalls] != 4 || c[tenants.CounterCompiled] != 2 || c[tenants.CounterDeopts] != 2 || c[tenants.CounterCompilations] != 2 {
		t.Fatalf("%d calls, %d compiled, %d deopts, %d compilations", c[tenants.CounterCalls], c[tenants.CounterCompiled],
			c[tenants.CounterDeopts], c[tenants.CounterCompilations])
	}
	if r.p.n.Tasks != 0 {
		t.Fatalf("%d tasks", r.p.n.Tasks)
	}
}

// TestTrustedDeopt: a call whose guard fails runs on tier 0 in the same turn, and
// nothing is left of its first run; the fourth failure widens.
func TestTrustedDeopt(t *testing.T) {
	r := newTierRig(t, tenants.TrustTrusted, tierLibrary)
	r.on(0, "half", 10, 7)
	r.settled()
	r.on(1, "half", 10, 7)
	logged := r.l.Counters[tenants.CounterLogRecords]
	for i := range 4 {
		b := r.process(r.c.frame(wire.FlagReceipt, opCall("half", wantInts(10, 0))))[0]
		if b == nil {
			t.Fatal("not answered within its turn")
		}
		_, ops := r.c.reply(b)
		op := must(t, ops[0], wire.StatusOK)
		if rc, _ := op.Receipt(); rc.Tier != 0 || string(op.Value()) != string(wire.AppendDouble(nil, math.NaN())) {
			t.Fatalf("tier %d, %x", rc.Tier, op.Value())
		}
		if n := r.l.Counters[tenants.CounterLogRecords]; n != logged+uint64(i)+1 {
			t.Fatalf("%d lines after %d calls", n-logged, i+1)
		}
	}
	r.settled()
	r.on(1, "half", 10, 0)
	if ti := r.tiering("half"); len(ti.Forms) != 1 || len(ti.Forms[0].Wide) != 1 || ti.Forms[0].Guards[0].Failed != 4 {
		t.Fatalf("%+v", ti.Forms[0])
	}
}

// TestSandboxedCall: it waits for its code, and again for wider code, and never
// runs on tier 0.
func TestSandboxedCall(t *testing.T) {
	r := newTierRig(t, tenants.TrustSandboxed, tierLibrary)
	if r.l.Engine.Runtime() != nil {
		t.Fatal("a sandboxed tenant has a runtime of tier 0")
	}
	r.on(1, "add", 2, 3)
	r.on(1, "zero", 0) // −0: the guard is widened under way
	if c := &r.l.Counters; c[tenants.CounterCompilations] != 3 || c[tenants.CounterCalls] != 2 {
		t.Fatalf("%d compilations, %d calls", c[tenants.CounterCompilations], c[tenants.CounterCalls])
	}
	op := r.call(0, opCall("four", wantInts(0, 0, 0, 0)))[0]
	if op.Status() != wire.StatusNotCompiled || op.Word(0) != 4 || !strings.Contains(string(op.Value()), "three times") {
		t.Fatalf("%v %d:%d %q", op.Status(), op.Word(0), op.Word(1), op.Value())
	}
	r.on(1, "four", 0, 0, 0, 0) // what it had compiled is there
	op = r.call(0, opCall("add", wire.AppendJSON(nil, []byte("[1]"))))[0]
	if op.Status() != wire.StatusNotCompiled {
		t.Fatalf("%v %q", op.Status(), op.Value())
	}
	// An idle tenant's code goes away, and comes back with what was learned.
	r.l.Engine.Drop()
	r.on(1, "zero", 0)
	if n := r.tiering("zero").Forms[0].Guards[0].Failed; n != 1 {
		t.Fatalf("the guard failed %d times", n)
	}
}

// TestAtomicDeopt: a deopt in an atomic datagram takes it back to its beginning.
func TestAtomicDeopt(t *testing.T) {
	for _, trust := range []tenants.Trust{tenants.TrustTrusted, tenants.TrustSandboxed} {
		r := newTierRig(t, trust, tierLibrary)
		r.call(0, opCall("zero", wantInts(1)))
		r.settled()
		ops := r.call(wire.FlagAtomic, all(opIncr("n", 1), opCall("put", wantInts(5, 6)), opCall("zero", wantInts(0))))
		for i, op := range ops {
			if op.Status() != wire.StatusOK {
				t.Fatalf("%v: operation %d: %v %q", trust, i, op.Status(), op.Value())
			}
		}
		if stored(r.l, "n", r.now.UnixMillis) != "1" || stored(r.l, "5", r.now.UnixMillis) != "6" {
			t.Fatalf("%v: n is %q", trust, stored(r.l, "n", r.now.UnixMillis))
		}
		ops = r.call(wire.FlagAtomic, all(opIncr("n", 1), opCall("zero", wire.AppendJSON(nil, []byte("[]")))))
		want := wire.StatusOK
		if trust == tenants.TrustSandboxed {
			want = wire.StatusNotCompiled
		}
		if ops[1].Status() != want || (stored(r.l, "n", r.now.UnixMillis) == "2") != (want == wire.StatusOK) {
			t.Fatalf("%v: %v, n is %q", trust, ops[1].Status(), stored(r.l, "n", r.now.UnixMillis))
		}
	}
}

// TestCompiledSlices: a long compiled call yields, is killed between two slices,
// runs into its deadline, and ends as it began when another version is activated.
func TestCompiledSlices(t *testing.T) {
	r := newTierRig(t, tenants.TrustSandboxed, tierLibrary)
	r.on(1, "spin", 10)
	begin := func() {
		t.Helper()
		if r.process(r.c.frame(wire.FlagReceipt, opCall("spin", wantInts(1_000_000))))[0] != nil {
			t.Fatal("a million turns in one slice")
		}
		r.slices(5)
		if !r.p.tenantByID(r.l.ID).suspended() {
			t.Fatal("not suspended")
		}
	}
	begin()
	must(t, r.c.one(opKill(0, 0)), wire.StatusOK)
	must(t, r.c.last(), wire.StatusKilled)
	begin()
	r.advance(1001)
	r.p.Housekeep(r.now)
	must(t, r.c.last(), wire.StatusDeadline)
	r.takeSent()
	begin()
	if _, err := r.registry.Deploy("one", "next", []byte("export function spin(n) { return 'next' + n; }"), true); err != nil {
		t.Fatal(err)
	}
	r.pump()
	r.slices(10_000)
	if op := must(t, r.c.last(), wire.StatusOK); string(op.Value()) != string(wantInts(499_999_500_000)) {
		t.Fatalf("%q", op.Value())
	}
	r.takeSent()
	if op := r.on(1, "spin", 3); string(op.Value()) != string(wire.AppendString(nil, "next3")) {
		t.Fatalf("%q", op.Value())
	}
	begin2 := r.process(r.c.frame(wire.FlagReceipt, opCall("spin", wantInts(4))))[0]
	if begin2 == nil {
		t.Fatal("not answered within its turn")
	}
	if _, err := r.registry.Rollback("one"); err != nil {
		t.Fatal(err)
	}
	r.pump()
	r.on(1, "spin", 10)
	if r.p.n.Tasks != 0 {
		t.Fatalf("%d tasks", r.p.n.Tasks)
	}
}

// TestTrustChange: a library that does not compile keeps its tenant trusted, and is
// refused to a sandboxed one with the reason and the way out.
func TestTrustChange(t *testing.T) {
	r := newTierRig(t, tenants.TrustTrusted, dynamic)
	r.on(0, "count")
	if op := r.on(0, "count"); string(op.Value()) != string(wantInts(2)) {
		t.Fatalf("%q", op.Value())
	}
	err := r.registry.SetTrust("one", tenants.TrustSandboxed)
	if err == nil || !strings.Contains(err.Error(), "shredderd tenant trust one trusted") || !strings.Contains(err.Error(), "pattern") {
		t.Fatalf("%v", err)
	}
	if _, err := r.registry.Deploy("one", "library", []byte(tierLibrary), true); err != nil {
		t.Fatal(err)
	}
	if err := r.registry.SetTrust("one", tenants.TrustSandboxed); err != nil {
		t.Fatal(err)
	}
	r.pump()
	if op := r.on(1, "add", 1, 2); string(op.Value()) != string(wantInts(3)) {
		t.Fatalf("%q", op.Value())
	}
	if _, err := r.registry.Rollback("one"); err == nil {
		t.Fatal("a sandboxed tenant went back to what does not compile")
	}
	if err := r.registry.SetTrust("one", tenants.TrustTrusted); err != nil {
		t.Fatal(err)
	}
	r.pump()
	if op := r.on(0, "add", 1, 2); string(op.Value()) != string(wantInts(3)) {
		t.Fatalf("%q", op.Value())
	}
}

// TestCompiledCallAllocatesNothing from frame to reply, result and arguments of any type.
func TestCompiledCallAllocatesNothing(t *testing.T) {
	r := newTierRig(t, tenants.TrustSandboxed, tierLibrary)
	c := r.trusted(path{}, r.l.ID)
	for name, ops := range map[string]func(*wire.Writer){
		"integers": opCall("add", wantInts(40, 2)),
		"strings":  opCall("add", wire.AppendString(wire.AppendString(nil, "a"), "b")),
		"bytes":    opCall("bytes", wire.AppendBytes(nil, make([]byte, 500))),
		"write":    opCall("put", wantInts(7, 8)),
	} {
		if op := r.call(0, ops)[0]; op.Status() != wire.StatusOK {
			t.Fatalf("%s: %v %q", name, op.Status(), op.Value())
		}
		b := r.prepare(c.frame(0, ops))
		b.run()
		if n := testing.AllocsPerRun(200, b.run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if _, replies := c.reply(b.data[0][:b.burst.Frames[0].Len]); replies[0].Status() != wire.StatusOK {
			t.Errorf("%s: %v", name, replies[0].Status())
		}
	}
}

// TestExplain: what the lcore knows of a function, and guesses of the others, in
// the words of FN EXPLAIN.
func TestExplain(t *testing.T) {
	r := newTierRig(t, tenants.TrustTrusted, tierLibrary+dynamic)
	r.on(0, "half", 10, 7)
	r.settled()
	r.on(1, "half", 10, 7)
	r.on(0, "half", 10, 0)
	r.on(0, "count")
	op := r.call(0, func(w *wire.Writer) { w.Begin(wire.OpFn, 0, 0); w.Word(wire.FnExplain) })[0]
	text := must(t, op, wire.StatusOK).Value()
	if op.Flags()&wire.OpFlagPartial != 0 {
		res := r.c.one(func(w *wire.Writer) {
			w.Begin(wire.OpResult, 0, 0)
			w.Word(uint64(r.c.seq - 1))
			w.Word(1<<16 - 1)
			w.Word(0)
		})
		text = must(t, res, wire.StatusOK).Value()
	}
	var e tenants.Explanation
	if err := json.Unmarshal(text, &e); err != nil && op.Flags()&wire.OpFlagPartial == 0 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, want := range []string{`"name":"half","tier":1`, `"calls":[2,1],"deopts":2`, `"arguments":["integer","integer"],"state":"compiled"`,
		`"failed":1`, "s % k;", `"active":true,"trust":"trusted"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}
