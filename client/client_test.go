package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"shredder/client"
	"shredder/client/clienttest"
	"shredder/pktproc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a fake server and a client of it until the test ends. The
// client's timeout is long, so that a busy machine fails no test.
func start(t testing.TB, config clienttest.Config, options client.Options) (*clienttest.Server, *client.Client) {
	t.Helper()
	server, err := clienttest.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if options.Timeout == 0 {
		options.Timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, server.Addr(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return server, c
}

var faults = map[string]clienttest.Faults{
	"clean":      {},
	"loss":       {Seed: 1, Loss: 0.1},
	"duplicates": {Seed: 2, Duplicate: 0.3},
	"everything": {Seed: 3, Loss: 0.05, Duplicate: 0.1, Reordered: 0.1},
}

func TestOperations(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, clienttest.Config{Faults: f}, client.Options{})
			operations(t, c)
		})
	}
}

func operations(t *testing.T, c *client.Client) {
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key := client.Key("name")
	if _, err := c.Get(ctx, key); !errors.Is(err, client.ErrNotFound) {
		t.Fatalf("get of nothing: %v", err)
	}
	v1, err := c.Set(ctx, key, []byte("a"), client.IfAbsent())
	must(err)
	var conflict *client.ConflictError
	if _, err = c.Set(ctx, key, []byte("b"), client.IfAbsent()); !errors.As(err, &conflict) || !errors.Is(err, client.ErrConflict) || conflict.Version != v1 {
		t.Fatalf("set of what is there: %v", err)
	}
	v2, err := c.Set(ctx, key, []byte("b"), client.IfVersion(v1), client.TTL(time.Hour))
	must(err)
	e, err := c.Get(ctx, key)
	must(err)
	if string(e.Value) != "b" || e.Version != v2 || v2 <= v1 {
		t.Fatalf("%q version %d after %d", e.Value, e.Version, v1)
	}
	left, expires, err := c.TTL(ctx, key)
	must(err)
	if !expires || left > time.Hour || left < 50*time.Minute {
		t.Fatalf("left %v %v", left, expires)
	}
	must(c.Persist(ctx, key))
	if _, expires, err = c.TTL(ctx, key); err != nil || expires {
		t.Fatalf("after persist: %v %v", expires, err)
	}
	must(c.Expire(ctx, key, time.Hour))
	if _, expires, err = c.TTL(ctx, key); err != nil || !expires {
		t.Fatalf("after expire: %v %v", expires, err)
	}
	if _, err = c.CompareAndSwap(ctx, key, []byte("x"), []byte("y")); !errors.Is(err, client.ErrConflict) {
		t.Fatalf("swap of another value: %v", err)
	}
	_, err = c.CompareAndSwap(ctx, key, []byte("b"), []byte("long"))
	must(err)
	if _, err = c.Incr(ctx, key, 1); !errors.Is(err, client.ErrNotInteger) {
		t.Fatalf("incr of text: %v", err)
	}
	_, err = c.Delete(ctx, key)
	must(err)
	if _, err = c.Delete(ctx, key); !errors.Is(err, client.ErrNotFound) {
		t.Fatalf("second delete: %v", err)
	}
	for want := int64(-5); want > -30; want -= 5 {
		if n, err := c.Incr(ctx, client.Int(9), -5); err != nil || n != want {
			t.Fatalf("incr: %d %v, want %d", n, err, want)
		}
	}
	// A decimal string and the integer are one key.
	if e, err := c.Get(ctx, client.Key("9")); err != nil || string(e.Value) != "-25" {
		t.Fatalf("get 9: %q %v", e.Value, err)
	}
	if _, err := c.Get(ctx, client.Key("")); !errors.Is(err, client.ErrTooLarge) {
		t.Fatalf("empty key: %v", err)
	}
	if _, err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	stats, err := c.Stats(ctx)
	if err != nil || !bytes.Contains(stats, []byte(`"entries":1`)) {
		t.Fatalf("stats: %s %v", stats, err)
	}
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i>>8)
	}
	return b
}

func TestLargeValues(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, clienttest.Config{Faults: f}, client.Options{})
			ctx := context.Background()
			for _, size := range []int{0, 1, 1391, 1392, 1393, 1416, 5000, 100_000} {
				value := pattern(size)
				if _, err := c.Set(ctx, client.Int(1), value); err != nil {
					t.Fatalf("set of %d bytes: %v", size, err)
				}
				e, err := c.Get(ctx, client.Int(1))
				if err != nil || !bytes.Equal(e.Value, value) {
					t.Fatalf("get of %d bytes: %d %v", size, len(e.Value), err)
				}
			}
			found, err := c.MultiGet(ctx, client.Int(1), client.Int(2))
			if err != nil || !bytes.Equal(found[0].Value, pattern(100_000)) || !errors.Is(found[1].Err, client.ErrNotFound) {
				t.Fatalf("multi-get: %v", err)
			}
			v, err := c.Call(ctx, "large", 20_000)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := v.Bytes(); err != nil || len(b) != 20_000 || b[300] != byte(300*7&0xff) {
				t.Fatalf("large result: %d bytes, %v", len(b), err)
			}
		})
	}
	t.Run("limit", func(t *testing.T) {
		_, c := start(t, clienttest.Config{}, client.Options{})
		if _, err := c.Set(context.Background(), client.Int(1), make([]byte, wire.MaxValueSize+1)); !errors.Is(err, client.ErrTooLarge) {
			t.Fatalf("17 MiB: %v", err)
		}
		value := pattern(wire.MaxValueSize)
		if _, err := c.Set(context.Background(), client.Int(1), value); err != nil {
			t.Fatal(err)
		}
		if e, err := c.Get(context.Background(), client.Int(1)); err != nil || !bytes.Equal(e.Value, value) {
			t.Fatalf("16 MiB: %d bytes, %v", len(e.Value), err)
		}
	})
}

// TestValueThatChanges replaces a large value while it is pulled: what is
// returned is one of the values, never a mixture.
func TestValueThatChanges(t *testing.T) {
	_, c := start(t, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	fill := func(n byte) []byte { return bytes.Repeat([]byte{n}, 20_000) }
	if _, err := c.Set(ctx, client.Int(1), fill(0)); err != nil {
		t.Fatal(err)
	}
	writer.Go(func() {
		for n := byte(1); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := c.Set(ctx, client.Int(1), fill(n)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 30 {
		e, err := c.Get(ctx, client.Int(1))
		if errors.Is(err, client.ErrChanged) {
			continue
		}
		if err != nil {
			t.Error(err)
			break
		}
		if !bytes.Equal(e.Value, fill(e.Value[0])) {
			t.Error("a mixture of two values")
			break
		}
	}
	close(stop)
	writer.Wait()
}

func TestNothingIsExecutedTwice(t *testing.T) {
	server, c := start(t, clienttest.Config{Faults: clienttest.Faults{Seed: 11, Loss: 0.1, Duplicate: 0.3, Reordered: 0.1}}, client.Options{})
	ctx := context.Background()
	const callers, each = 16, 25
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				if _, err := c.Incr(ctx, client.Int(1), 1); err != nil {
					t.Error(err)
				}
				if _, err := c.Call(ctx, "count", "calls"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, key := range []string{"1", "calls"} {
		if v, _ := server.Value(key); string(v) != fmt.Sprint(callers*each) {
			t.Errorf("%s is %s after %d increments", key, v, callers*each)
		}
	}
}

// TestWindow has far more callers than the window is wide, behind a call that
// does not end before they wait.
func TestWindow(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	var all sync.WaitGroup
	all.Go(func() {
		if v, err := c.Call(ctx, "sleep", 300); err != nil || v.String() != "slept" {
			t.Errorf("%v %v", v, err)
		}
	})
	for i := range uint64(400) {
		all.Go(func() {
			if _, err := c.Set(ctx, client.Int(i), []byte("x")); err != nil {
				t.Error(err)
			}
			if _, err := c.Get(ctx, client.Int(i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := server.Executed(wire.OpSet); n != 400 {
		t.Errorf("%d SETs executed", n)
	}
}

func TestHomePortIsFollowed(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{})
	for i := range uint64(20) {
		if _, err := c.Set(context.Background(), client.Int(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if dialed, home := server.Arrived(); home < 20 || dialed < 2 {
		t.Fatalf("%d datagrams at the dialed port, %d at the home port", dialed, home)
	}
}

func TestIPv6(t *testing.T) {
	_, c := start(t, clienttest.Config{Host: "::1"}, client.Options{})
	operations(t, c)
}

func TestSessions(t *testing.T) {
	config := clienttest.Config{Tenant: "alice", Token: []byte("secret"), Role: wire.RoleDeploy}
	server, err := clienttest.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, test := range []struct {
		name    string
		options client.Options
		want    error
	}{
		{"right", client.Options{Tenant: "alice", Token: []byte("secret"), Role: client.Deploy}, nil},
		{"wrong token", client.Options{Tenant: "alice", Token: []byte("guess"), Role: client.Deploy}, client.ErrDenied},
		{"no token", client.Options{Tenant: "alice", Role: client.Deploy}, client.ErrDenied},
		{"wrong role", client.Options{Tenant: "alice", Token: []byte("secret")}, client.ErrDenied},
		{"no tenant", client.Options{Tenant: "bob", Token: []byte("secret"), Role: client.Deploy}, client.ErrDenied},
	} {
		c, err := client.Dial(context.Background(), server.Addr(), test.options)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// TestRestart sends no second copies, however slow the machine: so every
// request that the restarted server refuses is sent anew.
func TestRestart(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{MinRetry: time.Hour})
	ctx := context.Background()
	if _, err := c.Set(ctx, client.Int(1), []byte("x")); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	// One copy was sent, and refused: it is safe to send it in the new session.
	if _, err := c.Set(ctx, client.Int(2), []byte("y")); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	if e, err := c.Get(ctx, client.Int(2)); err != nil || string(e.Value) != "y" {
		t.Fatalf("%q %v", e.Value, err)
	}
	server.Restart()
	if _, err := c.Set(ctx, client.Int(3), pattern(9000)); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	var all sync.WaitGroup
	for i := range uint64(20) { // more than a session may have pushes
		all.Go(func() {
			if _, err := c.Set(ctx, client.Int(200+i), pattern(4000)); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range uint64(50) {
		all.Go(func() {
			if _, err := c.Incr(ctx, client.Int(100+i), 1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestUnknownOutcome: after several copies were sent into silence, a restarted
// server's refusal does not say whether one of them was executed before.
func TestUnknownOutcome(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{})
	server.Pause(true)
	result := make(chan error)
	go func() {
		_, err := c.Incr(context.Background(), client.Int(1), 1)
		result <- err
	}()
	for before := arrived(server); arrived(server) < before+2; {
		time.Sleep(time.Millisecond)
	}
	server.Restart()
	server.Pause(false)
	if err := <-result; !errors.Is(err, client.ErrUnknownOutcome) {
		t.Fatalf("%v", err)
	}
	if v, ok := server.Value("1"); ok {
		t.Fatalf("executed after all: %s", v)
	}
	// The client goes on.
	if n, err := c.Incr(context.Background(), client.Int(1), 1); err != nil || n != 1 {
		t.Fatalf("%d %v", n, err)
	}
}

func arrived(s *clienttest.Server) int {
	dialed, home := s.Arrived()
	return dialed + home
}

func TestContextAndTimeout(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{Timeout: 50 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	server.Pause(true)
	if _, err := c.Get(ctx, client.Int(1)); !errors.Is(err, client.ErrTimeout) || errors.Is(err, client.ErrUnknownOutcome) {
		t.Errorf("a read into silence: %v", err)
	}
	if _, err := c.Set(ctx, client.Int(1), nil); !errors.Is(err, client.ErrTimeout) || !errors.Is(err, client.ErrUnknownOutcome) {
		t.Errorf("a write into silence: %v", err)
	}
	cancel()
	if _, err := c.Set(ctx, client.Int(1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a write with a context that has ended: %v", err)
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Get(short, client.Int(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read with a deadline: %v", err)
	}
	server.Pause(false)
	// Nothing that was given up may be executed later on.
	for range 100 {
		if _, err := c.Set(context.Background(), client.Int(2), nil); err != nil && !errors.Is(err, client.ErrTimeout) {
			t.Fatal(err)
		}
	}
}

func TestClose(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{})
	server.Pause(true)
	result := make(chan error)
	go func() {
		_, err := c.Get(context.Background(), client.Int(1))
		result <- err
	}()
	for before := arrived(server); arrived(server) == before; {
		time.Sleep(time.Millisecond)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-result; !errors.Is(err, client.ErrClosed) {
		t.Errorf("in flight: %v", err)
	}
	if _, err := c.Get(context.Background(), client.Int(1)); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestNoServer(t *testing.T) {
	_, err := client.Dial(context.Background(), "127.0.0.1:9", client.Options{Timeout: 50 * time.Millisecond})
	if !errors.Is(err, client.ErrTimeout) {
		t.Fatalf("%v", err)
	}
	if _, err := client.Dial(context.Background(), "127.0.0.1", client.Options{}); err == nil {
		t.Fatal("an address without a port")
	}
	for _, o := range []client.Options{{InFlight: 2000}, {Role: 7}, {Tenant: string(make([]byte, 200))}} {
		if _, err := client.Dial(context.Background(), "127.0.0.1:9", o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestAllocations(t *testing.T) {
	_, c := start(t, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	value := pattern(128)
	buf := make([]byte, 0, 256)
	if _, err := c.Set(ctx, client.Int(1), value); err != nil {
		t.Fatal(err)
	}
	// The fake server allocates in this process too; so the client's share is
	// what a Get allocates above a Ping, and must be nothing.
	base := testing.AllocsPerRun(200, func() { _, _ = c.Ping(ctx) })
	get := testing.AllocsPerRun(200, func() {
		if b, _, err := c.GetAppend(ctx, client.Int(1), buf[:0]); err != nil || len(b) != 128 {
			t.Error(err)
		}
	})
	if get > base {
		t.Errorf("%v allocations for a get, %v for a ping", get, base)
	}
}
