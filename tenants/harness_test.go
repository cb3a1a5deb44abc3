package tenants

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"crypto/sha256"

	"shredder/jit"
	"shredder/jit/wasm"
	"shredder/store"
	"shredder/store/arena"
)

// rig is a registry with lcores that do nothing but handle events.
type rig struct {
	t        testing.TB
	registry *Registry
	budget   *arena.Budget
	loader   *fakeLoader
	lcores   []*fakeLcore
}

// fakeLcore handles events one after the other on a goroutine, as an lcore does.
type fakeLcore struct {
	mu       sync.Mutex // guards queue and stopped only
	wake     *sync.Cond
	queue    []Event
	stopped  bool
	deaf     bool // takes no events any more
	ended    chan struct{}
	handling sync.Mutex // guards what follows
	locals   map[uint32]*Local
	all      []EventKind
	dir      *Directory
	jobs     []*Job
}

func newRig(t testing.TB, lcores int, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, budget: arena.NewBudget(1 << 30), loader: &fakeLoader{}}
	for range lcores {
		l := &fakeLcore{locals: map[uint32]*Local{}, ended: make(chan struct{}), dir: new(Directory)}
		l.wake = sync.NewCond(&l.mu)
		r.lcores = append(r.lcores, l)
		go l.run()
	}
	cfg := Config{Lcores: lcores, Budget: r.budget, Loader: r.loader, NowMillis: func() int64 { return 1_000_000 },
		Post: func(lcore int, ev Event) { r.lcores[lcore].post(ev) }}
	if change != nil {
		change(&cfg)
	}
	r.budget = cfg.Budget
	r.registry = NewRegistry(cfg)
	t.Cleanup(func() {
		if err := r.registry.Close(context.Background()); err != nil {
			t.Error(err)
		}
		for _, l := range r.lcores {
			l.stop()
		}
		if used := r.budget.Used(); used != 0 {
			t.Errorf("%d bytes of the budget leaked", used)
		}
	})
	return r
}

func (l *fakeLcore) post(ev Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped { // the plane has closed: handled on the poster's thread
		l.handle(ev)
		return
	}
	l.queue = append(l.queue, ev)
	l.wake.Signal()
}

func (l *fakeLcore) run() {
	defer close(l.ended)
	for {
		l.mu.Lock()
		for (len(l.queue) == 0 || l.deaf) && !l.stopped {
			l.wake.Wait()
		}
		queue := l.queue
		l.queue = nil
		stopped := l.stopped
		l.mu.Unlock()
		for _, ev := range queue {
			l.handle(ev)
		}
		if stopped {
			return
		}
	}
}

func (l *fakeLcore) stop() {
	l.mu.Lock()
	l.stopped = true
	l.wake.Signal()
	l.mu.Unlock()
	<-l.ended
}

func (l *fakeLcore) setDeaf(deaf bool) {
	l.mu.Lock()
	l.deaf = deaf
	l.wake.Signal()
	l.mu.Unlock()
}

func (l *fakeLcore) handle(ev Event) {
	l.handling.Lock()
	defer l.handling.Unlock()
	l.all = append(l.all, ev.Kind)
	switch ev.Kind {
	case EventInstall:
		l.locals[ev.Local.ID] = ev.Local
	case EventRemove:
		if l.locals[ev.Local.ID] != ev.Local {
			panic("a tenant is removed that is not here")
		}
		delete(l.locals, ev.Local.ID)
	case EventVersion:
		ev.Local.Engine.Activate(ev.Version, ev.Runtime)
	case EventVisit:
		ev.Visit(ev.Local)
	case EventDirectory:
		l.dir = ev.Directory
	case EventJobDone:
		if ev.Job.Runtime != nil {
			ev.Job.Local.Engine.Settle(ev.Job.Version, ev.Job.Runtime)
		}
		l.jobs = append(l.jobs, ev.Job)
	}
	ev.Ack()
}

// on runs f on a tenant's home lcore and waits for it.
func (r *rig) on(l *Local, f func(*Local)) {
	r.t.Helper()
	done := make(chan struct{})
	r.lcores[l.Home].post(Event{Kind: EventVisit, Local: l, Visit: f, done: done})
	<-done
}

// job submits a job from a tenant's lcore and returns it with its outcome.
func (r *rig) job(j *Job) *Job {
	r.t.Helper()
	j.Lcore = j.Local.Home
	home := r.lcores[j.Lcore]
	if !r.registry.Submit(j) {
		r.t.Fatal("the job was refused")
	}
	for {
		home.handling.Lock()
		for _, done := range home.jobs {
			if done == j {
				home.handling.Unlock()
				return j
			}
		}
		home.handling.Unlock()
	}
}

func open(name string) Spec {
	return Spec{Name: name, NoToken: true, NoDeployToken: true, Quota: 1 << 20, Home: -1, Trust: TrustTrusted}
}

func (r *rig) create(s Spec) *Local {
	r.t.Helper()
	l, err := r.registry.Create(s)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// fakeLoader takes the words of a source as function names. "bad" does not compile;
// "throws" does not load; a name with "!" changes module state; "slow" compiles
// when the test lets it.
type fakeLoader struct {
	mu       sync.Mutex
	runtimes int
	slow     chan struct{} // received from twice by each slow compilation: it has begun, it may end
}

type fakeProgram struct {
	source string
	names  []string
}

func (p *fakeProgram) Hash() [32]byte              { return sha256.Sum256([]byte(p.source)) }
func (p *fakeProgram) Functions() []string         { return p.names }
func (p *fakeProgram) Source() string              { return p.source }
func (p *fakeProgram) MutatesModule(f string) bool { return strings.HasSuffix(f, "!") }

func (*fakeProgram) Compiled() (*wasm.Library, jit.Reason) {
	return nil, jit.Reason{Text: "words are not compiled"}
}

type fakeRuntime struct{ source string }

func (*fakeRuntime) Dirty() bool                        { return false }
func (*fakeRuntime) Discarded()                         {}
func (*fakeRuntime) Invoke(*jit.Invocation) jit.Outcome { return jit.Outcome{} }

func (f *fakeLoader) Compile(source []byte, _ *jit.Limits) (Program, error) {
	if strings.Contains(string(source), "slow") {
		<-f.slow
		<-f.slow
	}
	if strings.Contains(string(source), "bad") {
		return nil, &LibraryError{Line: 3, Column: 5, Message: "unexpected token"}
	}
	return &fakeProgram{string(source), strings.Fields(string(source))}, nil
}

func (f *fakeLoader) NewRuntime(p Program, _ *store.Shard, _ Instance) (Runtime, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runtimes++
	source := p.(*fakeProgram).source
	if strings.Contains(source, "throws") {
		return nil, &LibraryError{Line: 1, Column: 1, Message: "thrown"}
	}
	return &fakeRuntime{source}, nil
}

func wantError(t *testing.T, err, want error, part string) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), part) {
		t.Errorf("error %q: want %v, with %q", err, want, part)
	}
}
