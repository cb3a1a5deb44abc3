package e2e

import (
	"errors"
	"sync"
	"testing"
	"time"

	"shredder/client"
)

// TestVersionUnderCall: a call that is suspended while another version is
// activated, by the admin's way, ends on the version it began with.
func TestVersionUnderCall(t *testing.T) {
	s := startUDP(t, 2)
	ctx := t.Context()
	spec := open("inflight")
	spec.Home, spec.Limits = 0, roomy()
	first := `export function which() { while (!done()) {} return 1; } function done() { return (turns += 1) > 200000; } let turns = 0;`
	name := s.tenant(t, spec, first)
	c := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: name, Role: client.Deploy})
	type outcome struct {
		v   client.Value
		err error
	}
	end := make(chan outcome, 1)
	go func() { v, err := c.Call(ctx, "which"); end <- outcome{v, err} }()
	eventually(t, "the call is suspended", func() bool { return s.plane.Processor(0).Counters().Slices > 2 })
	if _, err := s.registry.Deploy(name, "lib", []byte("export function which() { return 2; }"), true); err != nil {
		t.Fatal(err)
	}
	o := <-end
	if n, _ := o.v.Int(); o.err != nil || n != 1 {
		t.Errorf("the call under way gives %v, %v", o.v, o.err)
	}
	if v := must[client.Value](t)(c.Call(ctx, "which")); v.String() != "2" {
		t.Errorf("the next call gives %v", v)
	}
	if err := c.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if v := must[client.Value](t)(c.Call(ctx, "which")); v.String() != "1" {
		t.Errorf("after the rollback a call gives %v", v)
	}
}

// TestDeployUnderLoad activates versions while 16 goroutines call: each call is
// answered by one of them, and the last one stays.
func TestDeployUnderLoad(t *testing.T) {
	s := startUDP(t, 2)
	name := s.tenant(t, open("deploys"), string(answer(0)))
	ctx := t.Context()
	c := dial(t, s.addr(s.hosts[len(s.hosts)-1], 1), client.Options{Tenant: name, Role: client.Deploy})
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for last := int64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				v, err := c.Call(ctx, "answer")
				n, _ := v.Int()
				if err != nil || n < last {
					t.Errorf("version %d after %d, %v", n, last, err)
					return
				}
				last = n
			}
		})
	}
	hashes := make([]string, 10)
	for n := range hashes {
		hashes[n] = must[string](t)(c.Deploy(ctx, "lib", answer(n), true))
	}
	close(stop)
	wait.Wait()
	if v := must[client.Value](t)(c.Call(ctx, "answer")); v.String() != "9" {
		t.Errorf("the last version gives %v", v)
	}
}

// TestShutdown stops the server under its clients: every request ends, by an
// error if not by a reply, and everything is given back (startUDP looks).
func TestShutdown(t *testing.T) {
	s := startUDP(t, 2)
	ctx := t.Context()
	var ends []chan error
	for home := range 2 {
		spec := open("shutdown")
		spec.Name, spec.Home, spec.Limits = "shutdown-"+s.hosts[0][:1]+string(rune('a'+home)), home, roomy()
		s.create(t, spec)
		if _, err := s.registry.Deploy(spec.Name, "lib", []byte(library), true); err != nil {
			t.Fatal(err)
		}
		c := dial(t, s.addr(s.hosts[home%len(s.hosts)], 0), client.Options{Tenant: spec.Name, Timeout: 3 * time.Second})
		must[uint64](t)(c.Set(ctx, client.Int(1), nil))
		for i, request := range []func() error{
			func() error { _, err := c.Call(ctx, "spin", "k"); return err },
			func() error { _, err := c.Incr(ctx, client.Key("n"), 1); return err }, // waits
			func() error {
				for {
					if _, err := c.Get(ctx, client.Int(1)); err != nil {
						return err
					}
				}
			},
			func() error { _, err := c.Set(ctx, client.Key("large"), make([]byte, 8<<20)); return err },
		} {
			end := make(chan error, 1)
			ends = append(ends, end)
			go func() { end <- request() }()
			if i < 2 {
				eventually(t, "the call is suspended, the addition waits", func() bool { return s.plane.Processor(home).Counters().Tasks > uint64(i) })
			}
		}
	}
	s.stop()
	for i, end := range ends {
		err := <-end
		if err == nil {
			t.Errorf("request %d outlived the server", i)
		}
		if i%4 < 2 { // it runs or waits, and is told
			wantError(t, err, client.ErrShutdown)
		}
	}
}

// TestCloseClient closes clients under their requests.
func TestCloseClient(t *testing.T) {
	s := startUDP(t, 1)
	spec := open("closed")
	spec.Limits = roomy()
	name := s.tenant(t, spec, library)
	for range 20 {
		c := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: name})
		var wait sync.WaitGroup
		for _, request := range []func() error{
			func() error { _, err := c.Get(t.Context(), client.Int(1)); return err },
			func() error { _, err := c.Incr(t.Context(), client.Int(1), 1); return err },
			func() error { _, err := c.Set(t.Context(), client.Int(2), make([]byte, 1<<20)); return err },
		} {
			wait.Go(func() {
				for {
					if err := request(); errors.Is(err, client.ErrClosed) {
						return
					}
				}
			})
		}
		must[time.Duration](t)(c.Ping(t.Context()))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wait.Wait()
		if _, err := c.Get(t.Context(), client.Int(1)); !errors.Is(err, client.ErrClosed) {
			t.Errorf("a closed client says %v", err)
		}
	}
	// Their pushes were left half done: the tenant still takes new ones.
	c := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: name})
	must[uint64](t)(c.Set(t.Context(), client.Int(3), make([]byte, 1<<20)))
}

// TestRates: more calls a second than a tenant may make are BUSY.
func TestRates(t *testing.T) {
	s := startUDP(t, 1)
	spec := open("rated")
	spec.Limits.CallsPerSecond = 1
	c := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: s.tenant(t, spec, library)})
	busy := 0
	for range 200 {
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			wantError(t, err, client.ErrBusy)
			busy++
		}
	}
	if busy == 0 {
		t.Error("200 calls in a row at one a second")
	}
	must[uint64](t)(c.Set(t.Context(), client.Int(1), nil)) // is no call
}
