package e2e

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shredder/client"
	"shredder/jit"
)

// neighbourly is far longer than a neighbour may have to wait, and far shorter
// than it would if a call held the core. One read in a hundred may be slower, so
// that a machine that is busy with other things does not count.
const neighbourly = time.Second

// TestEndlessLoop: one tenant's function never ends. 50 others read meanwhile.
func TestEndlessLoop(t *testing.T) {
	for _, c := range []struct {
		want  error
		limit func(*limits)
	}{
		{client.ErrDeadline, func(l *limits) { l.Fuel, l.DeadlineMillis = 1<<40, 3000 }},
		{client.ErrFuel, func(l *limits) { l.Fuel, l.DeadlineMillis = 5_000_000, patience.Milliseconds() }},
	} {
		t.Run(c.want.Error(), func(t *testing.T) {
			s := startUDP(t, 1)
			ctx := t.Context()
			spec := open("endless")
			spec.Limits = jit.DefaultLimits()
			c.limit(&spec.Limits)
			endless := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: s.tenant(t, spec, library)})
			var others []*client.Client
			for range 50 {
				o := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: s.tenant(t, open("neighbour"), "")})
				must[uint64](t)(o.Set(ctx, client.Int(1), []byte("v")))
				others = append(others, o)
			}
			var ended atomic.Bool
			end := make(chan error, 1)
			go func() {
				_, err := endless.Call(ctx, "spin", "k")
				ended.Store(true)
				end <- err
			}()
			eventually(t, "the call is suspended", func() bool { return s.plane.Processor(0).Counters().Slices > 10 || ended.Load() })
			reads, slow := 0, 0
			for !ended.Load() {
				for i, o := range others {
					began := time.Now()
					if _, err := o.Get(ctx, client.Int(1)); err != nil {
						t.Fatalf("neighbour %d: %v", i, err)
					}
					if time.Since(began) > neighbourly {
						slow++
					}
					reads++
				}
			}
			wantError(t, <-end, c.want)
			t.Logf("%d reads, %d of them slow", reads, slow)
			if reads < 50 || slow > reads/100 {
				t.Errorf("%d reads, %d of them slower than %v", reads, slow, neighbourly)
			}
			_, err := endless.Get(ctx, client.Key("k"))
			wantError(t, err, client.ErrNotFound)
		})
	}
}

// TestManyTenants calls the functions of 500 tenants in turn, twice, on a registry that
// has to make their runtimes as they come.
func TestManyTenants(t *testing.T) {
	s := startUDP(t, 2)
	ctx := t.Context()
	n := 500
	if testing.Short() {
		n = 100 // the race detector makes them slow
	}
	clients := make([]*client.Client, n)
	for i := range clients {
		spec := open("many")
		spec.Quota = 1 << 20
		// Ten different sources, shared by fifty tenants each.
		source := fmt.Sprintf("export function add(n) { return store.incr('sum', n + %d); }", i%10)
		clients[i] = dial(t, s.addr(s.hosts[i%len(s.hosts)], i/2%2), client.Options{Tenant: s.tenant(t, spec, source)})
	}
	for round := range 2 {
		for i, c := range clients {
			v, err := c.Call(ctx, "add", i)
			if sum, _ := v.Int(); err != nil || sum != int64((i+i%10)*(round+1)) {
				t.Fatalf("tenant %d, round %d: %v, %v", i, round, v, err)
			}
		}
	}
}

// suspend starts a call that runs until it is killed, waits until it is
// suspended, and returns what kills it and expects that that was its end.
func suspend(t *testing.T, s *site, c *client.Client) (kill func()) {
	t.Helper()
	ctx := t.Context()
	slices := s.plane.Processor(0).Counters().Slices
	end := make(chan error, 1)
	go func() { _, err := c.Call(ctx, "spin", "k"); end <- err }()
	eventually(t, "the call is suspended", func() bool { return s.plane.Processor(0).Counters().Slices > slices+2 })
	return func() {
		t.Helper()
		if err := c.Kill(ctx, 0, 0); err != nil {
			t.Error(err)
		}
		wantError(t, <-end, client.ErrKilled)
	}
}

// TestWaiting: writes and calls of a tenant wait behind its suspended call, in
// order; reads do not, and see the last commit. Too many are BUSY.
func TestWaiting(t *testing.T) {
	s := startUDP(t, 1)
	ctx := t.Context()
	spec := open("waiting")
	spec.Limits = roomy()
	spec.Limits.Waiting = 8
	name := s.tenant(t, spec, library)
	c := dial(t, s.addr(s.hosts[len(s.hosts)-1], 0), client.Options{Tenant: name})
	must[uint64](t)(c.Set(ctx, client.Key("k"), []byte("before")))

	kill := suspend(t, s, c)
	for range 20 {
		if e := must[client.Entry](t)(c.Get(ctx, client.Key("k"))); string(e.Value) != "before" {
			t.Fatalf("a read beside a suspended call gives %q", e.Value)
		}
	}
	if keys, _, err := c.ScanPage(ctx, 0, 10); err != nil || len(keys) != 1 {
		t.Errorf("%v, %v", keys, err)
	}
	must[[]client.Found](t)(c.MultiGet(ctx, client.Key("k"), client.Int(1)))
	set, call := make(chan error, 1), make(chan error, 1)
	go func() { _, err := c.Set(ctx, client.Key("k"), []byte("after")); set <- err }()
	go func() { _, err := c.Call(ctx, "bump", "n"); call <- err }()
	eventually(t, "both wait", func() bool { return s.plane.Processor(0).Counters().Tasks == 3 })
	select {
	case err := <-set:
		t.Errorf("a write did not wait: %v", err)
	case err := <-call:
		t.Errorf("a call did not wait: %v", err)
	default:
	}
	kill()
	if err := errors.Join(<-set, <-call); err != nil {
		t.Error(err)
	}
	if e := must[client.Entry](t)(c.Get(ctx, client.Key("k"))); string(e.Value) != "after" {
		t.Errorf("%q", e.Value)
	}

	kill = suspend(t, s, c)
	const more = 20
	ends := make(chan error, more)
	var wait sync.WaitGroup
	for range more {
		wait.Go(func() { _, err := c.Incr(ctx, client.Key("many"), 1); ends <- err })
	}
	busy := 0
	for range more - spec.Limits.Waiting {
		err := <-ends
		wantError(t, err, client.ErrBusy)
		busy++
	}
	kill()
	wait.Wait()
	close(ends)
	for err := range ends {
		if err != nil {
			t.Errorf("what waited ends with %v", err)
		}
	}
	if n := must[int64](t)(c.Incr(ctx, client.Key("many"), 0)); n != more-int64(busy) {
		t.Errorf("%d additions happened, %d of %d were refused", n, busy, more)
	}
}

// TestWaitingInTurn: a call waits behind a long one that ends by itself, and sees what that wrote.
func TestWaitingInTurn(t *testing.T) {
	s := startUDP(t, 1)
	ctx := t.Context()
	spec := open("turn")
	spec.Limits = roomy()
	c := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: s.tenant(t, spec, library)})
	long := make(chan error, 1)
	go func() { _, err := c.Call(ctx, "turns", 200_000); long <- err }()
	eventually(t, "the call is suspended", func() bool { return s.plane.Processor(0).Counters().Slices > 2 })
	v := must[client.Value](t)(c.Call(ctx, "seen"))
	if text, _ := v.Text(); text != "19999900000" {
		t.Errorf("a call that came second sees %q", text)
	}
	if err := <-long; err != nil {
		t.Error(err)
	}
}
