package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"shredder/client"
)

// pattern is n bytes that differ by seed and by place.
func pattern(n int, seed uint64) []byte {
	b := make([]byte, n)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	random.Read(b)
	return b
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func testKeys(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	for i, key := range []client.StoreKey{
		client.Int(0), client.Int(7), client.Int(1<<53 - 1), client.Int(1 << 60),
		client.Key("k"), client.Key("07"), client.Key(strings.Repeat("k", 1024)), client.Key([]byte{0, 255, 10}),
	} {
		_, err := c.Get(ctx, key)
		wantError(t, err, client.ErrNotFound)
		for _, size := range []int{0, 1, 8, 300 + i} {
			value := pattern(size, uint64(i))
			version := must[uint64](t)(c.Set(ctx, key, value))
			if e := must[client.Entry](t)(c.Get(ctx, key)); !bytes.Equal(e.Value, value) || e.Version != version {
				t.Errorf("key %d of %d bytes: version %d, %d bytes; want version %d", i, size, e.Version, len(e.Value), version)
			}
		}
	}
	must[uint64](t)(c.Set(ctx, client.Int(42), []byte("one entry")))
	if e := must[client.Entry](t)(c.Get(ctx, client.Key("42"))); string(e.Value) != "one entry" {
		t.Errorf("42 by its digits is %q", e.Value)
	}
	deleted := must[uint64](t)(c.Delete(ctx, client.Int(42)))
	if deleted == 0 {
		t.Error("a deleted entry had no version")
	}
	_, err := c.Delete(ctx, client.Int(42))
	wantError(t, err, client.ErrNotFound)

	for i, want := range []int64{5, 2, 2 - 1<<40} {
		if n := must[int64](t)(c.Incr(ctx, client.Key("n"), []int64{5, -3, -1 << 40}[i])); n != want {
			t.Errorf("sum %d, want %d", n, want)
		}
	}
	must[uint64](t)(c.Set(ctx, client.Key("n"), []byte("9223372036854775807")))
	_, err = c.Incr(ctx, client.Key("n"), 1)
	wantError(t, err, client.ErrOverflow)
	must[uint64](t)(c.Set(ctx, client.Key("n"), []byte("x")))
	_, err = c.Incr(ctx, client.Key("n"), 1)
	wantError(t, err, client.ErrNotInteger)

	_, err = c.Set(ctx, client.Key(strings.Repeat("k", 1025)), nil)
	wantError(t, err, client.ErrTooLarge)
	_, err = c.Get(ctx, client.Key(""))
	wantError(t, err, client.ErrTooLarge)
	must[time.Duration](t)(c.Ping(ctx))
}

func testConditions(t *testing.T, r run) {
	c, ctx, k := r.fresh(t), t.Context(), client.Key("k")
	first := must[uint64](t)(c.Set(ctx, k, []byte("a"), client.IfAbsent()))
	_, err := c.Set(ctx, k, []byte("b"), client.IfAbsent())
	var conflict *client.ConflictError
	if !errors.As(err, &conflict) || conflict.Version != first {
		t.Errorf("%v, want a conflict with version %d", err, first)
	}
	second := must[uint64](t)(c.Set(ctx, k, []byte("b"), client.IfVersion(first)))
	if second <= first {
		t.Errorf("version %d after %d", second, first)
	}
	_, err = c.Set(ctx, client.Key("none"), nil, client.IfVersion(first))
	if !errors.As(err, &conflict) || conflict.Version != 0 {
		t.Errorf("%v, want a conflict with nothing", err)
	}
	_, err = c.Delete(ctx, k, client.IfVersion(first))
	wantError(t, err, client.ErrConflict)

	_, err = c.CompareAndSwap(ctx, k, []byte("a"), []byte("c"))
	if !errors.As(err, &conflict) || conflict.Version != second {
		t.Errorf("%v, want a conflict with version %d", err, second)
	}
	third := must[uint64](t)(c.CompareAndSwap(ctx, k, []byte("b"), []byte("longer than before")))
	if e := must[client.Entry](t)(c.Get(ctx, k)); string(e.Value) != "longer than before" || e.Version != third {
		t.Errorf("%q at %d", e.Value, e.Version)
	}
	_, err = c.CompareAndSwap(ctx, client.Key("none"), nil, nil)
	wantError(t, err, client.ErrNotFound)
	must[uint64](t)(c.Delete(ctx, k, client.IfVersion(third)))
}

func testExpiry(t *testing.T, r run) {
	c, ctx, k := r.fresh(t), t.Context(), client.Key("k")
	must[uint64](t)(c.Set(ctx, k, []byte("v"), client.TTL(time.Hour)))
	left, expires, err := c.TTL(ctx, k)
	if err != nil || !expires || left <= 0 || left > time.Hour {
		t.Errorf("%v left, expires %v, %v", left, expires, err)
	}
	if err := c.Persist(ctx, k); err != nil {
		t.Error(err)
	}
	if _, expires, err = c.TTL(ctx, k); expires || err != nil {
		t.Errorf("expires after Persist, %v", err)
	}
	if err := c.Expire(ctx, k, 20*time.Millisecond); err != nil {
		t.Error(err)
	}
	must[uint64](t)(c.Set(ctx, client.Int(1), []byte("v"), client.TTL(20*time.Millisecond)))
	for _, key := range []client.StoreKey{k, client.Int(1)} {
		eventually(t, "an entry expires", func() bool { _, err := c.Get(ctx, key); return errors.Is(err, client.ErrNotFound) })
		_, _, err = c.TTL(ctx, key)
		wantError(t, err, client.ErrNotFound)
		wantError(t, c.Expire(ctx, key, time.Hour), client.ErrNotFound)
	}
	if version, err := c.Set(ctx, k, nil, client.IfAbsent()); err != nil {
		t.Errorf("an expired entry is not absent: version %d, %v", version, err)
	}
}

func testLarge(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	for i, size := range []int{1300, 1380, 1381, 1400, 1420, 1452, 4096, 100_001, 16 << 20} {
		value := pattern(size, uint64(size))
		key := client.Int(uint64(i))
		version := must[uint64](t)(c.Set(ctx, key, value))
		e := must[client.Entry](t)(c.Get(ctx, key))
		if e.Version != version || !bytes.Equal(e.Value, value) {
			t.Errorf("%d bytes at version %d came back as %d at %d", size, version, len(e.Value), e.Version)
		}
	}
	_, err := c.Set(ctx, client.Int(0), make([]byte, 16<<20+1))
	wantError(t, err, client.ErrTooLarge)
	// A pushed value obeys conditions, and is dropped when they fail.
	_, err = c.Set(ctx, client.Int(0), pattern(50_000, 1), client.IfAbsent())
	wantError(t, err, client.ErrConflict)
	must[uint64](t)(c.Set(ctx, client.Key("t"), pattern(50_000, 2), client.IfAbsent(), client.TTL(time.Hour)))
	if left, expires, err := c.TTL(ctx, client.Key("t")); err != nil || !expires || left > time.Hour {
		t.Errorf("a pushed value has %v left, expires %v, %v", left, expires, err)
	}

	// What does not fit the quota is refused, and reads go on.
	small := open("small")
	small.Quota = 1 << 20
	full := r.dial(t, r.tenant(t, small, ""))
	must[uint64](t)(full.Set(ctx, client.Int(1), []byte("kept")))
	_, err = full.Set(ctx, client.Int(2), make([]byte, 4<<20))
	wantError(t, err, client.ErrFull)
	for i := uint64(10); ; i++ {
		if _, err = full.Set(ctx, client.Int(i), pattern(1000, i)); err != nil {
			wantError(t, err, client.ErrFull)
			break
		}
		if i > 2000 {
			t.Fatal("2 MB fit into 1 MiB")
		}
	}
	if e := must[client.Entry](t)(full.Get(ctx, client.Int(1))); string(e.Value) != "kept" {
		t.Errorf("%q", e.Value)
	}
	must[uint64](t)(full.Delete(ctx, client.Int(10)))
	must[uint64](t)(full.Set(ctx, client.Int(10), pattern(1000, 10)))
}

func testBatch(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	must[uint64](t)(c.Set(ctx, client.Key("large"), pattern(70_000, 3)))
	b := client.NewBatch().Receipts()
	set := b.Set(client.Key("a"), []byte("1"), client.TTL(time.Hour))
	incr := b.Incr(client.Key("a"), 41)
	get := b.Get(client.Key("a"))
	missing := b.Get(client.Key("missing"))
	swap := b.CompareAndSwap(client.Key("a"), []byte("wrong"), nil)
	ttl := b.TTL(client.Key("a"))
	call := b.Call("echo", "text")
	threw := b.Call("fail", "in a batch")
	large := b.Get(client.Key("large"))
	del := b.Delete(client.Key("a"))
	if err := c.Do(ctx, b); err != nil {
		t.Fatal(err)
	}
	if set.Err != nil || incr.Err != nil || incr.Int != 42 || get.Err != nil || string(get.Bytes) != "42" || get.Version != incr.Version {
		t.Errorf("%+v %+v %+v", set, incr, get)
	}
	wantError(t, missing.Err, client.ErrNotFound)
	wantError(t, swap.Err, client.ErrConflict)
	wantError(t, threw.Err, client.ErrException)
	if ttl.Err != nil || ttl.Left <= 0 || ttl.Left > time.Hour {
		t.Errorf("%+v", ttl)
	}
	if text, err := call.Value.Text(); call.Err != nil || err != nil || text != "text" || call.Receipt == nil || call.Receipt.Fuel == 0 {
		t.Errorf("%+v %q %v", call, text, err)
	}
	if large.Err != nil || !bytes.Equal(large.Bytes, pattern(70_000, 3)) {
		t.Errorf("a large value in a batch: %d bytes, %v", len(large.Bytes), large.Err)
	}
	if del.Err != nil || del.Version != incr.Version {
		t.Errorf("%+v", del)
	}
	wantError(t, c.Do(ctx, b), client.ErrBadArgument)

	// As many operations as a datagram holds. Not all values fit the reply.
	full := client.NewBatch()
	for i := range 58 {
		full.Incr(client.Int(uint64(i%2)), 1)
	}
	if err := c.Do(ctx, full); err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		must[uint64](t)(c.Set(ctx, client.Int(uint64(100+i)), pattern(100, uint64(i))))
	}
	gets, answers := client.NewBatch(), []*client.Answer{}
	for i := range 64 {
		answers = append(answers, gets.Get(client.Int(uint64(100+i))))
	}
	if err := c.Do(ctx, gets); err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a.Err != nil || !bytes.Equal(a.Bytes, pattern(100, uint64(i))) {
			t.Errorf("get %d of 64: %d bytes, %v", i, len(a.Bytes), a.Err)
		}
	}
	if n := must[int64](t)(c.Incr(ctx, client.Int(0), 0)); n != 29 {
		t.Errorf("58 operations in a datagram made %d of 29", n)
	}
}

func testAtomic(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	must[uint64](t)(c.Set(ctx, client.Key("a"), []byte("10")))
	b := client.NewBatch().Atomic()
	b.Incr(client.Key("a"), 5)
	b.Call("transfer", "a", "b", 3)
	seen := b.Get(client.Key("b"))
	if err := c.Do(ctx, b); err != nil {
		t.Fatal(err)
	}
	if seen.Err != nil || string(seen.Bytes) != "3" {
		t.Errorf("a batch does not see its call's write: %+v", seen)
	}
	b = client.NewBatch().Atomic()
	incr := b.Incr(client.Key("a"), 100)
	b.Delete(client.Key("b"))
	bad := b.Set(client.Key("a"), nil, client.IfVersion(1<<40))
	err := c.Do(ctx, b)
	wantError(t, bad.Err, client.ErrConflict)
	wantError(t, incr.Err, client.ErrAborted)
	if err != nil {
		t.Error(err)
	}
	for key, want := range map[string]string{"a": "12", "b": "3"} {
		if e := must[client.Entry](t)(c.Get(ctx, client.Key(key))); string(e.Value) != want {
			t.Errorf("%s is %q after an aborted batch, want %s", key, e.Value, want)
		}
	}
}

func testScan(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	const n = 10_000
	want := map[client.StoreKey]bool{}
	b := client.NewBatch()
	flush := func() {
		if err := c.Do(ctx, b); err != nil {
			t.Fatal(err)
		}
		b = client.NewBatch()
	}
	for i := range n {
		key := client.Int(uint64(i))
		if i%2 == 1 {
			key = client.Key(fmt.Sprintf("key-%d", i))
		}
		want[key] = false
		b.Set(key, []byte{byte(i)})
		if b.Len() == 30 {
			flush()
		}
	}
	flush()
	for key, err := range c.Scan(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if _, known := want[key]; !known {
			t.Fatalf("an unknown key %v", key)
		}
		want[key] = true
	}
	for key, found := range want {
		if !found {
			t.Errorf("key %v is missing", key)
		}
	}
	keys, next, err := c.ScanPage(ctx, 0, 3)
	if err != nil || len(keys) == 0 || next == 0 {
		t.Errorf("a page of 3: %v, %d, %v", keys, next, err)
	}
}

func testMultiGet(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	var keys []client.StoreKey
	for i := range 500 {
		key := client.Int(uint64(i))
		if i%3 == 0 {
			key = client.Key(fmt.Sprintf("a rather long name %d", i))
		}
		keys = append(keys, key)
		switch {
		case i%7 == 0: // missing
		case i == 100:
			must[uint64](t)(c.Set(ctx, key, pattern(30_000, 5)))
		default:
			must[uint64](t)(c.Set(ctx, key, pattern(i%50, uint64(i))))
		}
	}
	found := must[[]client.Found](t)(c.MultiGet(ctx, keys...))
	if len(found) != len(keys) {
		t.Fatalf("%d answers to %d keys", len(found), len(keys))
	}
	for i, f := range found {
		switch {
		case i%7 == 0:
			wantError(t, f.Err, client.ErrNotFound)
		case i == 100:
			if f.Err != nil || !bytes.Equal(f.Value, pattern(30_000, 5)) {
				t.Errorf("the large one: %d bytes, %v", len(f.Value), f.Err)
			}
		default:
			if f.Err != nil || !bytes.Equal(f.Value, pattern(i%50, uint64(i))) || f.Version == 0 {
				t.Errorf("key %d: %d bytes, %v", i, len(f.Value), f.Err)
			}
		}
	}
}

// testGoroutines has 64 goroutines share one client, each with keys of its own
// and one counter for all.
func testGoroutines(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	const goroutines, each = 64, 20
	var wait sync.WaitGroup
	errs := make(chan error, goroutines)
	for g := range goroutines {
		wait.Go(func() {
			key := client.Key(fmt.Sprintf("own-%d", g))
			for i := range each {
				value := pattern(i*150, uint64(g))
				if _, err := c.Set(ctx, key, value); err != nil {
					errs <- err
					return
				}
				e, err := c.Get(ctx, key)
				if err == nil && !bytes.Equal(e.Value, value) {
					err = fmt.Errorf("goroutine %d read %d bytes that it did not write", g, len(e.Value))
				}
				if err == nil {
					_, err = c.Incr(ctx, client.Key("sum"), 1)
				}
				if err == nil {
					_, err = c.Call(ctx, "bump", "called")
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	for _, key := range []string{"sum", "called"} {
		if n := must[int64](t)(c.Incr(ctx, client.Key(key), 0)); n != goroutines*each {
			t.Errorf("%s is %d, want %d", key, n, goroutines*each)
		}
	}
}
