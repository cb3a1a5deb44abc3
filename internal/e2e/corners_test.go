package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"shredder/client"
	"shredder/pktproc"
)

// testLongKeys fills replies with keys of the greatest length.
func testLongKeys(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	var keys []client.StoreKey
	for i := range 40 {
		key := client.Key(fmt.Sprintf("%0*d-", 1020+i%4, i))
		keys = append(keys, key)
		must[uint64](t)(c.Set(ctx, key, pattern(380+i, uint64(i)))) // some inline, some pushed
	}
	seen := map[client.StoreKey]bool{}
	for key, err := range c.Scan(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen[key] = true
	}
	for i, f := range must[[]client.Found](t)(c.MultiGet(ctx, keys...)) {
		if !seen[keys[i]] || f.Err != nil || !bytes.Equal(f.Value, pattern(380+i, uint64(i))) {
			t.Errorf("key %d: seen %v, %d bytes, %v", i, seen[keys[i]], len(f.Value), f.Err)
		}
		e := must[client.Entry](t)(c.Get(ctx, keys[i]))
		must[uint64](t)(c.Delete(ctx, keys[i], client.IfVersion(e.Version)))
	}
	trial, err := c.Try(ctx, "bump", keys[0].String())
	if err != nil || len(trial.Writes) != 1 || trial.Writes[0].Key != keys[0] {
		t.Errorf("%v, %v", trial, err)
	}
	wantError(t, c.Expire(ctx, keys[0], time.Hour), client.ErrNotFound)
	_, err = c.Set(ctx, keys[0], nil, client.TTL(290*365*24*time.Hour))
	if err != nil {
		t.Error(err)
	}
}

// testStrangeThrows: whatever is thrown, and however long, is a reply.
func testStrangeThrows(t *testing.T, r run) {
	spec := open("throws")
	spec.Limits.DeadlineMillis, spec.Limits.Scratch = patience.Milliseconds(), 8<<20
	name := r.tenant(t, spec, `
export function text() { throw "a text"; }
export function nothing() { throw undefined; }
export function object() { throw {toString() { throw new Error("again"); }}; }
export function long() { throw new Error("x".repeat(100000)); }
export function broken() { throw new Error("\ud800 lone"); }
export function deep() { return deep(); }
export function cycle() { const a = []; a.push(a); return a; }
export function big() { return 10n; }
export function stringify() { return {toJSON() { throw new Error("in toJSON"); }}; }
export function wide() { console.log("y".repeat(5000)); return "z".repeat(2000); }
export function memory() { let a = []; for (;;) a.push("w".repeat(100000) + a.length); }
export function many() { for (let i = 0; i < 2000; i++) store.set(i, i); }
export function key() { store.get({}); }
`)
	c, ctx := r.dial(t, name), t.Context()
	for fn, want := range map[string]error{
		"text": client.ErrException, "nothing": client.ErrException, "object": client.ErrException, "long": client.ErrException,
		"broken": client.ErrException, "deep": client.ErrLimit, "cycle": client.ErrException, "big": client.ErrException,
		"stringify": client.ErrException, "memory": client.ErrLimit, "many": client.ErrLimit, "key": client.ErrException,
	} {
		_, err := c.Call(ctx, fn)
		if !errors.Is(err, want) {
			t.Errorf("%s() gives %v, want %v", fn, err, want)
		}
		if thrown := (*client.FunctionError)(nil); errors.As(err, &thrown) && len(thrown.Message) > 2000 {
			t.Errorf("%s() says %d bytes", fn, len(thrown.Message))
		}
		b := client.NewBatch()
		first, second, third := b.Call(fn), b.Call(fn), b.Get(client.Int(0))
		if err := c.Do(ctx, b); err != nil {
			t.Errorf("%s() in a batch: %v", fn, err)
		}
		wantError(t, first.Err, want)
		wantError(t, second.Err, want)
		wantError(t, third.Err, client.ErrNotFound)
	}
	v := must[client.Value](t)(c.Call(ctx, "wide"))
	if text, err := v.Text(); len(text) != 2000 || err != nil {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	for record, err := range c.Logs(ctx, client.LogOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(record.Text) > 8<<10 {
			t.Errorf("a record of %d bytes", len(record.Text))
		}
	}
	_, err := c.Call(ctx, "text", strings.Repeat("a", 1500))
	wantError(t, err, client.ErrTooLarge)
	_, err = c.Call(ctx, strings.Repeat("f", 129))
	wantError(t, err, client.ErrNoFunction)
}

// testLargeUnderWrites: a large value that is replaced while it is pulled comes whole or not at all.
func testLargeUnderWrites(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	values := [][]byte{bytes.Repeat([]byte{1}, 150_000), bytes.Repeat([]byte{2}, 90_000)}
	must[uint64](t)(c.Set(ctx, client.Int(1), values[0]))
	var wait sync.WaitGroup
	stop := make(chan struct{})
	wait.Go(func() {
		for i := 1; ; i++ {
			if _, err := c.Set(ctx, client.Int(1), values[i%2]); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	whole := 0
	for range 30 {
		e, err := c.Get(ctx, client.Int(1))
		switch {
		case errors.Is(err, client.ErrChanged):
		case err != nil:
			t.Error(err)
		case bytes.Equal(e.Value, values[0]), bytes.Equal(e.Value, values[1]):
			whole++
		default:
			t.Errorf("%d bytes of two values", len(e.Value))
		}
	}
	close(stop)
	wait.Wait()
	t.Logf("%d of 30 reads came whole", whole)
	must[client.Entry](t)(c.Get(ctx, client.Int(1)))
}

// TestSessions: a session that was idle for long, or made way for another, is
// renewed without the caller noticing.
func TestSessions(t *testing.T) {
	s := startUDP(t, 1, pktproc.Limits{SessionIdleSeconds: 1, SessionsPerTenant: 4})
	name := s.tenant(t, open("sessions"), library)
	ctx := t.Context()
	c := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: name})
	must[int64](t)(c.Incr(ctx, client.Key("n"), 1))
	eventually(t, "the session ends", func() bool { return s.plane.Processor(0).Counters().Sessions == 0 })
	if n := must[int64](t)(c.Incr(ctx, client.Key("n"), 1)); n != 2 {
		t.Errorf("the sum is %d", n)
	}
	for range 10 {
		more, err := client.Dial(ctx, s.addr("127.0.0.1", 0), client.Options{Tenant: name, Timeout: patience})
		if err == nil {
			must[int64](t)(more.Incr(ctx, client.Key("n"), 1))
			more.Close()
			continue
		}
		if !errors.Is(err, client.ErrUnavailable) {
			t.Error(err)
		}
	}
	eventually(t, "there is room again", func() bool {
		more, err := client.Dial(ctx, s.addr("127.0.0.1", 0), client.Options{Tenant: name, Timeout: patience})
		if err == nil {
			more.Close()
		}
		return err == nil
	})
	must[int64](t)(c.Incr(ctx, client.Key("n"), 1))
}
