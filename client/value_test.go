package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"shredder/client"
	"shredder/client/clienttest"
)

// TestValues sends every kind of argument through a function that returns it.
func TestValues(t *testing.T) {
	_, c := start(t, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	type point struct{ X, Y int }
	for _, test := range []struct {
		arg, want any
		kind      client.Kind
	}{
		{nil, nil, client.KindNull},
		{true, true, client.KindBool},
		{7, int64(7), client.KindInt},
		{uint8(200), int64(200), client.KindInt},
		{int64(-1<<53 + 1), int64(-1<<53 + 1), client.KindInt},
		{7.0, int64(7), client.KindInt},
		{2.5, 2.5, client.KindDouble},
		{float32(0.5), 0.5, client.KindDouble},
		{1e300, 1e300, client.KindDouble},
		{"text", "text", client.KindString},
		{[]byte{0, 255}, []byte{0, 255}, client.KindBytes},
		{point{1, 2}, map[string]any{"X": 1.0, "Y": 2.0}, client.KindJSON},
		{client.JSON(`[1]`), []any{1.0}, client.KindJSON},
		{json.RawMessage(`{}`), map[string]any{}, client.KindJSON},
	} {
		v, err := c.Call(ctx, "echo", test.arg)
		if err != nil {
			t.Errorf("%v: %v", test.arg, err)
			continue
		}
		got, err := v.Any()
		if err != nil || !reflect.DeepEqual(got, test.want) || v.Kind() != test.kind {
			t.Errorf("%v came back as %#v (%v), %v", test.arg, got, v.Kind(), err)
		}
	}
	v, err := c.Call(ctx, "echo", math.Copysign(0, -1))
	if f, ferr := v.Float(); err != nil || ferr != nil || !math.Signbit(f) || v.Kind() != client.KindDouble {
		t.Errorf("-0 came back as %v, %v", v, err)
	}
	for _, bad := range []any{1 << 53, uint64(math.MaxUint64), client.JSON("{"), make(chan int)} {
		if _, err := c.Call(ctx, "echo", bad); !errors.Is(err, client.ErrBadArgument) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	v, _ = c.Call(ctx, "echo", point{3, 4})
	var p point
	if err := v.Decode(&p); err != nil || p != (point{3, 4}) {
		t.Errorf("%v %v", p, err)
	}
	v, _ = c.Call(ctx, "echo", 7)
	var n int
	var s string
	var kind *client.KindError
	if err := v.Decode(&n); err != nil || n != 7 {
		t.Errorf("%d %v", n, err)
	}
	if err := v.Decode(&s); err == nil {
		t.Error("an integer was decoded into a string")
	}
	if _, err := v.Text(); !errors.As(err, &kind) || kind.Got != client.KindInt {
		t.Errorf("%v", err)
	}
}

func TestTryAndLibraries(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	trial, err := c.Try(ctx, "count", "visits")
	if err != nil || len(trial.Writes) != 2 || trial.Receipt == nil || trial.Receipt.Fuel != 10 {
		t.Fatalf("%+v %v", trial, err)
	}
	if w := trial.Writes; w[0].Key.String() != "written" || string(w[0].Value) != "new" || !w[1].Deleted || w[1].Key != client.Int(7) {
		t.Errorf("%+v", w)
	}
	if _, ok := server.Value("visits"); ok {
		t.Error("a trial wrote")
	}
	small, err := c.Deploy(ctx, "small", []byte("export function f() {}"), true)
	if err != nil || len(small) != 64 {
		t.Fatalf("%q %v", small, err)
	}
	large, err := c.Deploy(ctx, "large", pattern(50_000), true)
	if err != nil || large == small {
		t.Fatalf("%q %v", large, err)
	}
	if err := c.Rollback(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Activate(ctx, large); err != nil {
		t.Error(err)
	}
	if err := c.DeleteVersion(ctx, small); err != nil {
		t.Error(err)
	}
	if err := c.Activate(ctx, small); !errors.Is(err, client.ErrNoVersion) {
		t.Error(err)
	}
	if err := c.DeleteVersion(ctx, large); !errors.Is(err, client.ErrConflict) || !strings.Contains(err.Error(), "is active") {
		t.Error(err)
	}
	versions, err := c.Versions(ctx)
	if err != nil || len(versions) != 1 || versions[0].Hash != large || !versions[0].Active || versions[0].SourceSize != 9 {
		t.Errorf("%+v %v", versions, err)
	}
}

func TestBatchScanAndLogs(t *testing.T) {
	server, c := start(t, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	b := client.NewBatch()
	n := uint64(0)
	for b.Room() >= 16 { // an integer key and a byte, padded
		b.Set(client.Int(n), []byte{byte(n)})
		n++
	}
	if err := c.Do(ctx, b); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Set(ctx, client.Int(1000), pattern(5000)); err != nil {
		t.Fatal(err)
	}
	b = client.NewBatch().Receipts()
	sum, one, all, none, call := b.Incr(client.Key("sum"), 5), b.Get(client.Int(3)), b.Get(client.Int(1000)), b.Get(client.Key("none")), b.Call("echo", "x")
	left := b.TTL(client.Int(3))
	if err := c.Do(ctx, b); err != nil {
		t.Fatal(err)
	}
	if sum.Int != 5 || sum.Receipt == nil || one.Bytes[0] != 3 || len(all.Bytes) != 5000 || !errors.Is(none.Err, client.ErrNotFound) ||
		call.Value.String() != "x" || left.Left != -1 {
		t.Errorf("%+v %+v %d %+v %+v %+v", sum, one, len(all.Bytes), none, call, left)
	}
	if err := c.Do(ctx, b); !errors.Is(err, client.ErrBadArgument) {
		t.Errorf("a batch was sent twice: %v", err)
	}
	b = client.NewBatch()
	b.Set(client.Int(1), make([]byte, 3000))
	if err := c.Do(ctx, b); !errors.Is(err, client.ErrTooLarge) {
		t.Errorf("a batch of 3000 bytes: %v", err)
	}
	b = client.NewBatch().Atomic()
	b.Set(client.Int(1), []byte("new"))
	failed := b.Set(client.Int(2), nil, client.IfAbsent())
	if err := c.Do(ctx, b); err != nil || !errors.Is(failed.Err, client.ErrConflict) {
		t.Errorf("%v %v", err, failed.Err)
	}
	if v, _ := server.Value("1"); len(v) != 1 || v[0] != 1 {
		t.Errorf("an aborted batch wrote %q", v)
	}
	keys := map[string]bool{}
	for key, err := range c.Scan(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		keys[key.String()] = true
	}
	if len(keys) != int(n)+2 || !keys["sum"] || !keys["3"] {
		t.Errorf("%d keys scanned", len(keys))
	}
	for range 200 {
		server.Log("a line that takes some room in a reply")
	}
	var last uint64
	for record, err := range c.Logs(ctx, client.LogOptions{From: 11}) {
		if err != nil {
			t.Fatal(err)
		}
		if last == 0 {
			last = 10
		}
		if last++; record.Seq != last {
			t.Fatalf("record %d after %d", record.Seq, last-1)
		}
	}
	if last != 200 {
		t.Errorf("the log ends at %d", last)
	}
	following, cancel := context.WithCancel(ctx)
	for record, err := range c.Logs(following, client.LogOptions{From: 200, Follow: true, Every: 1}) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		if record.Seq == 200 {
			server.Log("one more")
			continue
		}
		cancel()
	}
	cancel()
}
