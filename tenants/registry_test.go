package tenants

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"shredder/jit"
	"shredder/store"
	"shredder/store/arena"
)

func TestCreateDelete(t *testing.T) {
	r := newRig(t, 2, nil)
	a := r.create(open("a"))
	b := r.create(open("b"))
	if a.Home == b.Home {
		t.Errorf("two tenants on lcore %d, none on the other", a.Home)
	}
	_, err := r.registry.Create(open("a"))
	wantError(t, err, ErrExists, `"a"`)
	for _, l := range []*Local{a, b} {
		r.on(l, func(*Local) {
			lcore := r.lcores[l.Home]
			if lcore.locals[l.ID] != l {
				t.Errorf("lcore %d does not have tenant %s", l.Home, l.Name)
			}
			if e, ok := lcore.dir.ByName([]byte("b")); !ok || e.ID != b.ID || e.Home != b.Home {
				t.Errorf("the directory says %+v of b", e)
			}
		})
	}
	if err := r.registry.Delete(context.Background(), "a"); err != nil {
		t.Fatal(err)
	}
	wantError(t, r.registry.Delete(context.Background(), "a"), ErrNoTenant, `"a"`)
	again := r.create(open("a"))
	if again.ID == a.ID {
		t.Error("an id was used twice")
	}
	if got := r.registry.List(); len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Errorf("list %+v", got)
	}
}

// TestIDs chooses ids at the ends of the range: the registry's own go on.
func TestIDs(t *testing.T) {
	r := newRig(t, 1, nil)
	for _, id := range []uint32{1, 1<<24 - 1, 1<<32 - 1, FirstAssignedID + 1} {
		s := open(fmt.Sprint("chosen-", id))
		s.ID = id
		if l := r.create(s); l.ID != id {
			t.Errorf("asked for id %d, got %d", id, l.ID)
		}
	}
	for i, want := range []uint32{FirstAssignedID, FirstAssignedID + 2} {
		if l := r.create(open(fmt.Sprint("assigned-", i))); l.ID != want {
			t.Errorf("assigned %d, want %d", l.ID, want)
		}
	}
	if err := r.registry.Delete(context.Background(), "chosen-1"); err != nil {
		t.Fatal(err)
	}
	for _, used := range []uint32{1, FirstAssignedID, 1<<24 - 1} {
		s := open("late")
		s.ID = used
		_, err := r.registry.Create(s)
		wantError(t, err, ErrExists, fmt.Sprint(used))
	}
}

func TestSpecErrors(t *testing.T) {
	r := newRig(t, 1, nil)
	network := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		change func(*Spec)
		part   string
	}{
		{func(s *Spec) { s.Name = "" }, "name"},
		{func(s *Spec) { s.Name = "a b" }, "name"},
		{func(s *Spec) { s.NoToken = false }, "no data token"},
		{func(s *Spec) { s.NoDeployToken = false }, "no deploy token"},
		{func(s *Spec) { s.DataToken = []byte("x") }, "choose one"},
		{func(s *Spec) { s.DeployToken = []byte("x") }, "choose one"},
		{func(s *Spec) { s.NoToken, s.DataToken, s.TrustedSources = false, []byte("x"), network }, "trusted-sources"},
		{func(s *Spec) { s.Quota = 5 << 30 }, "quota"},
		{func(s *Spec) { s.Quota = 2 << 30 }, "1073741824 bytes in all"},
		{func(s *Spec) { s.Home = 1 }, "home lcore 1"},
		{func(s *Spec) { s.Trust, s.Libraries = TrustSandboxed, []Source{{"lib", []byte("f")}} }, "shredderd tenant trust t trusted"},
		{func(s *Spec) { s.Limits = jit.DefaultLimits(); s.Limits.Fuel = 0 }, "fuel"},
		{func(s *Spec) { s.Limits = jit.DefaultLimits(); s.Limits.OverlayWrites = 2000 }, "overlay-writes"},
		{func(s *Spec) { s.Limits = jit.DefaultLimits(); s.Limits.SourceDepth = 1 << 30 }, "source-depth is 1073741824: at most"},
		{func(s *Spec) { s.Limits = jit.DefaultLimits(); s.Limits.Slice = 1 << 40 }, "slice"},
		{func(s *Spec) { s.Limits = jit.DefaultLimits(); s.Limits.DeadlineMillis = 1 << 60 }, "deadline"},
		{func(s *Spec) { s.Limits = jit.DefaultLimits(); s.Limits.FuelPerSecond = 1 << 62 }, "fuel-per-second"},
		{func(s *Spec) { s.Libraries = []Source{{"lib", []byte("bad")}} }, "unexpected token"},
		{func(s *Spec) { s.Libraries = []Source{{"lib", []byte("throws")}} }, "thrown"},
	} {
		s := open("t")
		c.change(&s)
		_, err := r.registry.Create(s)
		wantError(t, err, nil, c.part)
	}
	if used := r.budget.Used(); used != 0 {
		t.Errorf("refused tenants keep %d bytes", used)
	}
	s := open("t") // the name is still free, and so is an id asked for in vain
	s.ID, s.Libraries = 77, []Source{{"lib", []byte("bad")}}
	if _, err := r.registry.Create(s); err == nil {
		t.Fatal("a bad library was taken")
	}
	s.Libraries = nil
	r.create(s)
}

func TestBudget(t *testing.T) {
	r := newRig(t, 1, func(c *Config) { c.Budget = arena.NewBudget(256 << 10) })
	s := open("t")
	s.Quota = 128 << 10
	made := 0
	for ; ; made++ {
		s.Name = fmt.Sprint("t", made)
		if _, err := r.registry.Create(s); err != nil {
			wantError(t, err, ErrMemory, "bytes are left")
			break
		}
	}
	if made == 0 {
		t.Fatal("no tenant fits a budget of 256 KiB")
	}
	if err := r.registry.Delete(context.Background(), "t0"); err != nil {
		t.Fatal(err)
	}
	r.create(s) // what a deletion returned admits the next
}

// TestDeleteWaits has an lcore that does not answer: Delete ends with its context,
// and the deletion when the lcore answers after all.
func TestDeleteWaits(t *testing.T) {
	r := newRig(t, 1, nil)
	l := r.create(open("slow"))
	r.lcores[0].setDeaf(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := r.registry.Delete(ctx, "slow")
	wantError(t, err, context.Canceled, "has not let go")
	_, err = r.registry.Create(open("slow"))
	wantError(t, err, ErrExists, "")
	_, _, err = r.registry.Logs(ctx, "slow", 0, 1)
	wantError(t, err, ErrNoTenant, "")
	r.lcores[0].setDeaf(false)
	r.on(l, func(*Local) {}) // after the removal in the lcore's queue
	for r.registry.Stats.Deleted.Load() == 0 {
		runtime.Gosched()
	}
	r.create(open("slow"))
}

func TestDeleteAfterPlane(t *testing.T) {
	r := newRig(t, 2, nil)
	r.create(open("a"))
	r.create(open("b"))
	for _, l := range r.lcores {
		l.stop()
	}
	if err := r.registry.Delete(context.Background(), "a"); err != nil {
		t.Fatal(err)
	}
}

// TestConcurrent creates, deletes, deploys and lists from many goroutines while the
// lcores use what they have. Run it with -race.
func TestConcurrent(t *testing.T) {
	r := newRig(t, 2, func(c *Config) { c.MaxRuntimes = 3 })
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(g)))
			for i := range 60 {
				s := open(fmt.Sprint("t", rng.IntN(6)))
				s.Libraries = []Source{{"lib", []byte("f g")}}
				l, err := r.registry.Create(s)
				if err == nil {
					r.on(l, func(l *Local) {
						r.registry.Submit(&Job{Kind: JobRuntime, Local: l, Lcore: l.Home, Version: l.Engine.Active()})
					})
				} else if !errors.Is(err, ErrExists) {
					t.Error(err)
				}
				_, err = r.registry.Deploy(s.Name, "lib", fmt.Appendf(nil, "f%d", i%4), true)
				if err != nil && !errors.Is(err, ErrNoTenant) {
					t.Error(err)
				}
				if _, _, err := r.registry.Logs(context.Background(), s.Name, 0, 10); err != nil && !errors.Is(err, ErrNoTenant) {
					t.Error(err)
				}
				r.registry.List()
				r.registry.Totals()
				if err := r.registry.Delete(context.Background(), s.Name); err != nil && !errors.Is(err, ErrNoTenant) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestTenThousand creates ten thousand tenants. It logs time and memory; what it
// asserts is the memory and that the directory finds every one of them.
func TestTenThousand(t *testing.T) {
	const count = 10_000
	r := newRig(t, 2, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	locals := make([]*Local, count)
	for i := range locals {
		locals[i] = r.create(open(fmt.Sprint("tenant-", i)))
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	heap := (after.HeapAlloc - before.HeapAlloc) / count
	t.Logf("%v a tenant, %d B of heap and %d B of arena each", took/count, heap, r.budget.Used()/count)
	if !raceEnabled && heap > 8<<10 {
		t.Errorf("%d bytes of heap for a tenant: want at most 8 KiB", heap)
	}
	homes := [2]int{}
	r.on(locals[0], func(*Local) {})
	dir := r.registry.directory
	for _, l := range locals {
		homes[l.Home]++
		home, ok := dir.Lookup(l.ID)
		e, known := dir.ByName([]byte(l.Name))
		if !ok || home != l.Home || !known || e.ID != l.ID {
			t.Fatalf("the directory says %d, %v and %+v, %v of %s", home, ok, e, known, l.Name)
		}
	}
	if homes[0] != homes[1] {
		t.Errorf("%v tenants on the lcores: want as many on each", homes)
	}
}

func TestTotals(t *testing.T) {
	r := newRig(t, 1, nil)
	l := r.create(open("t"))
	var p Publisher
	r.on(l, func(l *Local) {
		for i := range 10 {
			if _, res := l.Shard.Set(store.IntKey(uint64(i)), []byte("value"), store.SetOptions{}, 0); res != store.OK {
				t.Errorf("set: %v", res)
			}
		}
		l.Counters[CounterWrites] += 10
		p.Touch(l)
		p.Touch(l)
	})
	if sum, _ := r.registry.Totals(); sum[CounterWrites] != 0 {
		t.Errorf("%d writes seen before they were published", sum[CounterWrites])
	}
	r.on(l, func(*Local) {
		if p.Publish(1) {
			t.Error("a tenant touched twice is in the list twice")
		}
	})
	sum, memory := r.registry.Totals()
	if sum[CounterWrites] != 10 || memory.Keys != 10 || memory.Used == 0 {
		t.Errorf("totals %d writes, memory %+v", sum[CounterWrites], memory)
	}
	r.on(l, func(l *Local) {
		l.Counters[CounterWrites]++
		p.Touch(l)
		p.Forget(l)
		if p.Publish(1) || l.Published()[CounterWrites] != 10 {
			t.Error("a forgotten tenant was published")
		}
	})
	if err := r.registry.Delete(context.Background(), "t"); err != nil {
		t.Fatal(err)
	}
	if sum, _ := r.registry.Totals(); sum[CounterWrites] != 11 {
		t.Errorf("%d writes after the tenant's deletion: a total must not go down", sum[CounterWrites])
	}
}

// TestSettle: it returns when the events before it have been handled, or its context has ended.
func TestSettle(t *testing.T) {
	r := newRig(t, 2, nil)
	r.lcores[1].setDeaf(true)
	ctx, cancel := context.WithCancel(context.Background())
	settled := make(chan error)
	go func() { settled <- r.registry.Settle(ctx) }()
	cancel()
	if err := <-settled; !errors.Is(err, context.Canceled) {
		t.Errorf("%v while an lcore does not answer", err)
	}
	go func() { settled <- r.registry.Settle(context.Background()) }()
	r.lcores[1].setDeaf(false)
	if err := <-settled; err != nil {
		t.Error(err)
	}
}
