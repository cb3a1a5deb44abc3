package pktproc

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"shredder/jit"
	"shredder/store"
	"shredder/tenants"
)

// newLocal makes a tenant with a store of its own, at home on lcore 0.
func newLocal(tb testing.TB, id uint32, name string) *tenants.Local {
	tb.Helper()
	limits := jit.DefaultLimits()
	return &tenants.Local{ID: id, Name: name, DataToken: dataToken, DeployToken: codeToken, Trust: tenants.TrustTrusted, Limits: &limits, Shard: newShard(tb)}
}

// newOpenLocal makes a tenant that trusts the clients' network.
func newOpenLocal(tb testing.TB, id uint32, name string) *tenants.Local {
	l := newLocal(tb, id, name)
	l.DataToken = nil
	l.Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64")}
	return l
}

func testDirectory(locals ...*tenants.Local) *tenants.Directory {
	return tenants.NewDirectory(locals...)
}

// fakeRuntime runs Go functions as a tenant's library. They burn fuel by calling
// burn, which yields as an engine would.
type fakeRuntime struct {
	functions map[string]func(c *fakeCall) jit.Status
	dirty     bool
	calls     int
	undone    int      // calls whose runtime was told that nothing of them lasts
	call      fakeCall // a runtime runs one call at a time
}

type fakeCall struct {
	*jit.Invocation
	slice   int64
	message string
}

func (f *fakeRuntime) Dirty() bool { return f.dirty }
func (f *fakeRuntime) Discarded()  { f.undone++ }

func (f *fakeRuntime) Invoke(inv *jit.Invocation) jit.Outcome {
	f.calls++
	fn := f.functions[string(inv.Function)]
	if fn == nil {
		return jit.Outcome{Status: jit.NoFunction}
	}
	c := &f.call
	*c = fakeCall{Invocation: inv}
	st := fn(c)
	return jit.Outcome{Status: st, Message: []byte(c.message), Line: 3, Column: 7}
}

// burn burns fuel; other than OK it is how the call has to end.
func (c *fakeCall) burn(fuel int64) jit.Status {
	for ; fuel > 0; fuel-- {
		c.Cost.Fuel++
		c.slice++
		if int64(c.Cost.Fuel) > c.Limits.Fuel {
			return jit.Fuel
		}
		if c.slice >= c.Limits.Slice {
			c.slice = 0
			if c.Yield == nil {
				return jit.Preempted
			}
			if !c.Yield() {
				return jit.Killed
			}
		}
	}
	return jit.OK
}

// withRuntime gives l a library of Go functions.
func withRuntime(l *tenants.Local, functions map[string]func(c *fakeCall) jit.Status) *fakeRuntime {
	rt := &fakeRuntime{functions: functions}
	l.Engine.Activate(&tenants.Version{Functions: slices.Collect(maps.Keys(functions))}, rt)
	return rt
}

// addFunction gives l's library another function.
func addFunction(l *tenants.Local, name string, f func(c *fakeCall) jit.Status) {
	v := l.Engine.Active()
	v.Functions = append(v.Functions, name)
	l.Engine.Runtime().(*fakeRuntime).functions[name] = f
}

// callRig2 is callRig for benchmarks, with a function that does nothing.
func callRig2(tb testing.TB, l *tenants.Local) *rig {
	tb.Helper()
	withRuntime(l, map[string]func(c *fakeCall) jit.Status{"empty": func(*fakeCall) jit.Status { return jit.OK }})
	return newRig(tb, nil, l)
}

func newShard(tb testing.TB) *store.Shard {
	tb.Helper()
	s, err := store.Open(store.Config{Quota: 64 << 20, Seed: 7})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// reserved is the number of blocks in l's arena that hold no entry.
func reserved(l *tenants.Local) int {
	s := l.Shard.Stats()
	return int(s.Blocks - s.Entries)
}
