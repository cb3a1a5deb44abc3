package tenants

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"shredder/pktproc/wire"
)

// state reads what the home lcore serves.
func (r *rig) state(l *Local) (active *Version, source string) {
	r.on(l, func(l *Local) {
		active = l.Engine.Active()
		if rt, ok := l.Engine.Runtime().(*fakeRuntime); ok {
			source = rt.source
		}
	})
	return active, source
}

func (r *rig) wantServed(l *Local, source string) {
	r.t.Helper()
	active, served := r.state(l)
	want, _ := r.loader.Compile([]byte(source), nil)
	if active == nil || active.Hash != want.Hash() || served != source {
		r.t.Errorf("served: %+v in runtime %q, want %q", active, served, source)
	}
}

func TestVersions(t *testing.T) {
	r := newRig(t, 1, func(c *Config) { c.MaxVersions = 3 })
	spec := open("t")
	spec.Libraries = []Source{{"one", []byte("a")}, {"two", []byte("b")}}
	l := r.create(spec)
	r.wantServed(l, "b")

	v, err := r.registry.Deploy("t", "three", []byte("c d!"), false)
	if err != nil {
		t.Fatal(err)
	}
	r.wantServed(l, "b")
	if err := r.registry.Activate("t", v.Hash); err != nil {
		t.Fatal(err)
	}
	r.wantServed(l, "c d!")
	again, err := r.registry.Deploy("t", "other name", []byte("c d!"), true)
	if err != nil || again != v {
		t.Errorf("the same source again: %v, %v", again, err)
	}
	_, err = r.registry.Deploy("t", "four", []byte("e"), true)
	wantError(t, err, ErrLimit, "3 versions")
	for _, source := range []string{"bad", "throws bad"} {
		_, err = r.registry.Deploy("t", "x", []byte(source), true)
		if le, ok := err.(*LibraryError); !ok || le.Line != 3 || le.Column != 5 {
			t.Errorf("error %v: want its line and column", err)
		}
	}
	r.wantServed(l, "c d!")

	if back, err := r.registry.Rollback("t"); err != nil || back.Library != "two" {
		t.Fatalf("rollback: %v, %v", back, err)
	}
	r.wantServed(l, "b")
	wantError(t, r.registry.DeleteVersion("t", activeOf(r, l).Hash), nil, "is active")
	if err := r.registry.DeleteVersion("t", v.Hash); err != nil {
		t.Fatal(err)
	}
	wantError(t, r.registry.Activate("t", v.Hash), ErrNoVersion, v.Hash.String())
	if _, err := r.registry.Rollback("t"); err != nil {
		t.Fatal(err)
	}
	r.wantServed(l, "a")
	_, err = r.registry.Rollback("t")
	wantError(t, err, ErrNoVersion, "")
	infos, err := r.registry.Versions("t")
	if err != nil || len(infos) != 2 || !infos[0].Active || infos[1].Active || infos[1].Library != "two" {
		t.Errorf("versions %+v, %v", infos, err)
	}
}

func activeOf(r *rig, l *Local) *Version {
	v, _ := r.state(l)
	return v
}

func TestJobs(t *testing.T) {
	r := newRig(t, 1, nil)
	l := r.create(open("t"))
	fn := func(verb uint8, source string) *Job {
		return r.job(&Job{Kind: JobFn, Local: l, Verb: verb, Activate: true, Name: "lib", Source: []byte(source)})
	}
	first := fn(wire.FnDeploy, "f")
	hash, ok := ParseHash(string(first.Value))
	if first.Status != wire.StatusOK || !ok {
		t.Fatalf("deploy: %v %q", first.Status, first.Value)
	}
	r.wantServed(l, "f")
	if j := fn(wire.FnDeploy, "bad"); j.Status != wire.StatusBadLibrary || j.Line != 3 || j.Column != 5 || string(j.Value) != "unexpected token" {
		t.Errorf("a bad library: %+v", j)
	}
	fn(wire.FnDeploy, "g")
	r.wantServed(l, "g")
	if j := fn(wire.FnRollback, ""); j.Status != wire.StatusOK || string(j.Value) != hash.String() {
		t.Errorf("rollback: %+v", j)
	}
	if j := fn(wire.FnDelete, hash.String()); j.Status != wire.StatusConflict {
		t.Errorf("deletion of the active version: %v", j.Status)
	}
	if j := fn(wire.FnActivate, "xyz"); j.Status != wire.StatusBadArgument {
		t.Errorf("a hash that is none: %v", j.Status)
	}
	if j := fn(wire.FnActivate, Hash{}.String()); j.Status != wire.StatusNoVersion {
		t.Errorf("an unknown hash: %v", j.Status)
	}
	if j := fn(99, ""); j.Status != wire.StatusUnsupported {
		t.Errorf("an unknown verb: %v", j.Status)
	}
	var list struct{ Versions []VersionInfo }
	if err := json.Unmarshal(fn(wire.FnList, "").Value, &list); err != nil || len(list.Versions) != 2 || !list.Versions[0].Active {
		t.Errorf("list %+v, %v", list, err)
	}
	r.on(l, func(l *Local) { l.Engine.DropRuntime() })
	version, _ := r.state(l)
	if j := r.job(&Job{Kind: JobRuntime, Local: l, Version: version}); j.Runtime == nil || j.Status != wire.StatusOK {
		t.Errorf("runtime: %+v", j)
	}
	r.wantServed(l, "f")
	gone := &Local{ID: 7, Name: "gone"}
	if j := r.job(&Job{Kind: JobRuntime, Local: gone, Version: version}); j.Status != wire.StatusNoTenant || j.Runtime != nil {
		t.Errorf("a runtime for a deleted tenant: %+v", j)
	}
}

// TestRuntimeClock has room for three runtimes: the tenant that is called keeps its own.
// TestCompilingHoldsNobodyUp: while a tenant's library compiles its calls get
// runtimes, and so do those of others behind it in the queue.
func TestCompilingHoldsNobodyUp(t *testing.T) {
	r := newRig(t, 1, nil)
	r.loader.slow = make(chan struct{})
	s := open("t")
	s.Libraries = []Source{{"lib", []byte("f")}}
	l := r.create(s)
	v := l.Engine.Active()
	errs := make(chan error)
	go func() { _, err := r.registry.Deploy("t", "lib", []byte("slow"), true); errs <- err }()
	r.loader.slow <- struct{}{} // it is compiling
	if j := r.job(&Job{Kind: JobRuntime, Local: l, Version: v}); j.Runtime == nil {
		t.Fatalf("%v %s", j.Status, j.Value)
	}
	r.loader.slow <- struct{}{}
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	// A tenant that is deleted meanwhile is not touched any more.
	go func() { _, err := r.registry.Deploy("t", "lib", []byte("slow too"), true); errs <- err }()
	r.loader.slow <- struct{}{}
	if err := r.registry.Delete(context.Background(), "t"); err != nil {
		t.Fatal(err)
	}
	r.loader.slow <- struct{}{}
	wantError(t, <-errs, ErrNoTenant, "t")
}

// TestCancelledFn: what is cancelled while it compiles has no effect, what has
// begun cannot be cancelled.
func TestCancelledFn(t *testing.T) {
	r := newRig(t, 1, nil)
	r.loader.slow = make(chan struct{})
	l := r.create(open("t"))
	j := &Job{Kind: JobFn, Verb: wire.FnDeploy, Local: l, Name: "lib", Source: []byte("slow"), Activate: true}
	ended := make(chan struct{})
	go func() { r.job(j); close(ended) }()
	r.loader.slow <- struct{}{}
	if !j.Cancel() {
		t.Fatal("it has begun before it has compiled")
	}
	r.loader.slow <- struct{}{}
	<-ended
	if versions, err := r.registry.Versions("t"); err != nil || len(versions) != 0 || j.Status == wire.StatusOK {
		t.Fatalf("%v %v %v", versions, err, j.Status)
	}
	if j := r.job(&Job{Kind: JobFn, Verb: wire.FnDeploy, Local: l, Name: "lib", Source: []byte("f")}); j.Status != wire.StatusOK || j.Cancel() {
		t.Fatalf("%v %s", j.Status, j.Value)
	}
}

func TestRuntimeClock(t *testing.T) {
	r := newRig(t, 1, func(c *Config) { c.MaxRuntimes = 3 })
	var locals []*Local
	for i := range 20 {
		s := open(fmt.Sprint("t", i))
		s.Libraries = []Source{{"lib", []byte("f")}}
		locals = append(locals, r.create(s))
		r.on(locals[0], func(l *Local) { l.Counters[CounterCalls]++; l.Publish() })
		if n := r.registry.Runtimes(); n > 3 {
			t.Fatalf("%d runtimes, at most 3 are allowed", n)
		}
	}
	have := 0
	for _, l := range locals {
		if _, source := r.state(l); source != "" {
			have++
		}
	}
	if _, source := r.state(locals[0]); source == "" || have != 3 {
		t.Errorf("%d tenants have a runtime; the one that is called has %q", have, source)
	}
	if got := r.registry.Stats.RuntimesEvicted.Load(); got != 17 {
		t.Errorf("%d evictions, want 17", got)
	}
}

func TestEngine(t *testing.T) {
	l := &Local{Name: "t"}
	e := &l.Engine
	long := func(name string) bool { return l.Function([]byte(name)).Long() }
	p := &fakeProgram{"f g!", []string{"f", "g!"}}
	one, two := newVersion("", nil, p, 0), newVersion("", nil, p, 0)
	if l.Function([]byte("f")) != &unknown {
		t.Error("a function without a version")
	}
	e.Activate(one, &fakeRuntime{"1"})
	if long("f") || !long("g!") || long("none") {
		t.Error("g! alone changes module state")
	}
	l.Function([]byte("f")).MarkLong()
	l.Function([]byte("none")).MarkLong()
	e.Activate(one, nil)
	if !long("f") || long("none") {
		t.Error("f is forgotten though the version is the same, or none is known")
	}
	if e.Settle(two, &fakeRuntime{"2"}) || e.Runtime() != nil {
		t.Error("a runtime of another version was taken")
	}
	e.Activate(two, nil)
	if long("f") || len(e.functions) != 1 {
		t.Errorf("f of another version is long, or one of %d functions was not called", len(e.functions))
	}
}

// TestFunctionShort: a long function runs straight again after enough short
// calls in a row, and one long call among them starts the count anew.
func TestFunctionShort(t *testing.T) {
	l := &Local{Name: "t"}
	l.Engine.Activate(newVersion("", nil, &fakeProgram{"f g!", []string{"f", "g!"}}, 0), nil)
	f, g := l.Function([]byte("f")), l.Function([]byte("g!"))
	f.MarkShort()
	for range 2 {
		f.MarkLong()
		for i := range shortCalls - 1 {
			f.MarkShort()
			if !f.Long() {
				t.Fatalf("short again after %d calls", i+1)
			}
		}
	}
	f.MarkShort()
	if f.Long() {
		t.Fatalf("still long after %d short calls", shortCalls)
	}
	for range 2 * shortCalls {
		g.MarkShort()
	}
	if !g.Long() {
		t.Fatal("a function that changes module state runs straight")
	}
	if n := testing.AllocsPerRun(100, func() { l.Function([]byte("f")).MarkShort(); l.Function([]byte("none")).MarkLong() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestInterpreter deploys real JavaScript.
func TestInterpreter(t *testing.T) {
	r := newRig(t, 1, func(c *Config) { c.Loader = Interpreter{} })
	l := r.create(open("t"))
	v, err := r.registry.Deploy("t", "lib", []byte("let n = 0;\nexport function pure(x) { return x }\nexport function counts() { return ++n }\n"), true)
	if err != nil {
		t.Fatal(err)
	}
	r.on(l, func(l *Local) {
		if l.Engine.Active() != v || l.Engine.Runtime() == nil || l.Function([]byte("pure")).Long() || !l.Function([]byte("counts")).Long() {
			t.Errorf("engine %+v", l.Engine)
		}
	})
	for source, line := range map[string]int{"export function f() {\n  return 1 +;\n}": 2, "export function f() {}\n\nthrow new Error('no');": 3, "export function f() {}\nfor (;;) {}": 0} {
		_, err := r.registry.Deploy("t", "lib", []byte(source), true)
		if le, ok := err.(*LibraryError); !ok || le.Line != line || le.Message == "" {
			t.Errorf("%q: error %#v, want line %d", source, err, line)
		}
	}
	if active, _ := r.state(l); active != v {
		t.Error("a library that does not load has replaced the one that serves")
	}
}

// TestDeactivate: a tenant without a library answers so, and can go back.
func TestDeactivate(t *testing.T) {
	r := newRig(t, 1, nil)
	l := r.create(open("t"))
	wantError(t, r.registry.Deactivate("t"), ErrNoVersion, "no library")
	v, err := r.registry.Deploy("t", "lib", []byte("a"), true)
	if err != nil {
		t.Fatal(err)
	}
	if active, err := r.registry.ActiveVersion("t"); err != nil || active != v || string(active.Source) != "a" {
		t.Errorf("active %v, %v", active, err)
	}
	if err := r.registry.Deactivate("t"); err != nil {
		t.Fatal(err)
	}
	if served := activeOf(r, l); served != nil || r.registry.Runtimes() != 0 {
		t.Errorf("still served: %v, %d runtimes", served, r.registry.Runtimes())
	}
	if active, err := r.registry.ActiveVersion("t"); err != nil || active != nil {
		t.Errorf("active %v, %v", active, err)
	}
	if back, err := r.registry.Rollback("t"); err != nil || back != v {
		t.Errorf("rollback: %v, %v", back, err)
	}
	r.wantServed(l, "a")
	if found, ok := r.registry.Find("t"); !ok || found != l || !r.registry.Serves(l) {
		t.Error("the tenant is not found")
	}
	if err := r.registry.Delete(context.Background(), "t"); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.registry.Find("t"); ok || r.registry.Serves(l) {
		t.Error("a deleted tenant is found")
	}
	_, err = r.registry.ActiveVersion("t")
	wantError(t, err, ErrNoTenant, "")
	wantError(t, r.registry.Deactivate("t"), ErrNoTenant, "")
}
