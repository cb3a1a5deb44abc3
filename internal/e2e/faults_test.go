package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"testing"

	"shredder/client"
	"shredder/pktproc/wire"
)

// lossy are a network that works and one that does not; SOAK=1 adds a worse one.
func lossy() []faults {
	f := []faults{{}, {loss: 0.1, duplicate: 0.2, delay: 0.1}}
	if os.Getenv("SOAK") != "" {
		f = append(f, faults{loss: 0.25, duplicate: 0.3, delay: 0.3})
	}
	return f
}

// TestExactlyOnce adds up over a network that loses, doubles and reorders: each
// addition happens once and each caller gets its own sum.
func TestExactlyOnce(t *testing.T) {
	s := startUDP(t, 2)
	for _, f := range lossy() {
		t.Run(fmt.Sprint(f), func(t *testing.T) {
			p := startProxy(t, s, 1, f)
			ctx := t.Context()
			for home := range s.lcores {
				spec := open("sum")
				spec.Home, spec.Limits = home, roomy()
				c := dial(t, s.addr(p.host, 0), client.Options{Tenant: s.tenant(t, spec, library), Role: client.Deploy})
				const goroutines, each = 64, 2
				var wait sync.WaitGroup
				var mu sync.Mutex
				sums := map[string][]int64{}
				for range goroutines {
					wait.Go(func() {
						for range each {
							a, errIncr := c.Incr(ctx, client.Key("incr"), 1)
							v, errCall := c.Call(ctx, "bump", "call")
							if err := errors.Join(errIncr, errCall); err != nil {
								t.Error(err)
								return
							}
							b, _ := v.Int()
							mu.Lock()
							sums["incr"], sums["call"] = append(sums["incr"], a), append(sums["call"], b)
							mu.Unlock()
						}
					})
				}
				wait.Wait()
				for key, got := range sums {
					slices.Sort(got)
					for i, n := range got {
						if n != int64(i+1) {
							t.Fatalf("home %d, %s: sum %d stands in place %d of %d", home, key, n, i+1, len(got))
						}
					}
					if n := must[int64](t)(c.Incr(ctx, client.Key(key), 0)); n != goroutines*each {
						t.Errorf("home %d: %s is %d, want %d", home, key, n, goroutines*each)
					}
				}
				b := client.NewBatch().Atomic()
				b.Incr(client.Key("incr"), 1)
				b.Call("bump", "call")
				sum := b.Incr(client.Key("incr"), 0)
				if err := c.Do(ctx, b); err != nil || sum.Int != goroutines*each+1 {
					t.Errorf("home %d: a batch makes %+v, %v", home, sum, err)
				}
				value := pattern(200_000, 1)
				must[uint64](t)(c.Set(ctx, client.Key("large"), value))
				if e := must[client.Entry](t)(c.Get(ctx, client.Key("large"))); !bytes.Equal(e.Value, value) {
					t.Error("a large value came back changed")
				}
				result := must[client.Value](t)(c.Call(ctx, "large", 100_000))
				if b, err := result.Bytes(); err != nil || len(b) != 100_000 {
					t.Errorf("a large result has %d bytes, %v", len(b), err)
				}
				for n := range 3 {
					source := append(bytes.Repeat([]byte("// long\n"), 10_000), answer(n)...)
					must[string](t)(c.Deploy(ctx, "lib", source, true))
				}
				if versions := must[[]client.Version](t)(c.Versions(ctx)); len(versions) != 4 || !versions[3].Active {
					t.Errorf("home %d: %d versions", home, len(versions))
				}
			}
		})
	}
}

// blackHole takes the server's place and reads copies of one request, so that
// the client has sent it more than once when the server is back.
func blackHole(t *testing.T, addr string, copies int) {
	t.Helper()
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 2048)
	seen := map[string]int{}
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		request := string(buf[16:n]) // seq and all behind it
		if seen[request]++; seen[request] == copies {
			return
		}
	}
}

// TestRestart: after a restart the client goes on by itself, but says so of
// changes that it cannot know about.
func TestRestart(t *testing.T) {
	s := startUDP(t, 1)
	for _, host := range s.hosts {
		t.Run(host, func(t *testing.T) {
			spec := open("restart")
			spec.Name = "restart"
			s.create(t, spec)
			c := dial(t, s.addr(host, 0), client.Options{Tenant: spec.Name})
			ctx := t.Context()
			must[int64](t)(c.Incr(ctx, client.Key("n"), 1))

			s.stop()
			unknown, read := make(chan error, 1), make(chan error, 1)
			go func() { _, err := c.Incr(ctx, client.Key("n"), 1); unknown <- err }()
			blackHole(t, s.addr(host, 0), 2)
			go func() { _, err := c.Get(ctx, client.Key("n")); read <- err }()
			blackHole(t, s.addr(host, 0), 3)
			s.listen(s.port, spec)
			wantError(t, <-unknown, client.ErrUnknownOutcome)
			wantError(t, <-read, client.ErrNotFound)
			if n := must[int64](t)(c.Incr(ctx, client.Key("n"), 7)); n != 7 {
				t.Errorf("the sum is %d after the restart, want 7", n)
			}

			// A change of which one copy was sent, to the new server, simply happens.
			s.stop()
			s.listen(s.port, spec)
			if n, err := c.Incr(ctx, client.Key("n"), 3); n != 3 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			deleting, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			if err := s.registry.Delete(deleting, spec.Name); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRebind: a NAT on the way forgets its clients, who then come from other
// ports. Their sessions are lost, but neither a change nor a read is.
func TestRebind(t *testing.T) {
	s := startUDP(t, 2)
	p := startProxy(t, s, 1, faults{})
	ctx := t.Context()
	c := dial(t, s.addr(p.host, 0), client.Options{Tenant: s.tenant(t, open("rebind"), library)})
	for i := range 20 {
		if n := must[int64](t)(c.Incr(ctx, client.Key("n"), 1)); n != int64(i+1) {
			t.Fatalf("addition %d makes %d", i+1, n)
		}
		p.forget()
		switch i % 3 {
		case 0:
			must[client.Entry](t)(c.Get(ctx, client.Key("n")))
		case 1:
			must[client.Value](t)(c.Call(ctx, "bump", "called"))
		}
	}
}

// TestTrusted: a tenant may take requests without a session from addresses that it names, and nobody else does.
func TestTrusted(t *testing.T) {
	s := startUDP(t, 2)
	for _, host := range s.hosts {
		conn, err := net.Dial("udp", s.addr(host, 0))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for home := range s.lcores {
			spec := open("trusted")
			spec.Home = home
			spec.TrustedSources = loopback
			trusted := local(t, s, s.tenant(t, spec, ""))
			spec.TrustedSources = nil
			other := local(t, s, s.tenant(t, spec, ""))
			h := handClient{t: t, conn: conn, session: trusted}
			set := func(w *wire.Writer) { w.Begin(wire.OpSet, 0, 0); w.IntKey(1); w.Value([]byte("x")); w.End() }
			if header, _, st := wire.Parse(h.ask(wire.FlagTrusted, set)); st != wire.StatusOK || header.Status() != wire.StatusOK {
				t.Errorf("%s, home %d: a trusted SET is answered with %v", host, home, header.Status())
			}
			h.session = other
			if header, _, _ := wire.Parse(h.ask(wire.FlagTrusted, set)); header.Status() != wire.StatusDenied {
				t.Errorf("%s, home %d: a SET that claims trust is answered with %v", host, home, header.Status())
			}
		}
	}
}
