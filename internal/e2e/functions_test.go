package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"shredder/client"
)

func testCalls(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	for _, arg := range []any{nil, true, false, 0, -1, 1<<53 - 1, 2.5, math.Inf(-1), "", "text", strings.Repeat("ü", 500), []byte{}, []byte{1, 2, 255}} {
		v, err := c.Call(ctx, "echo", arg)
		if err != nil {
			t.Errorf("echo(%v): %v", arg, err)
			continue
		}
		got, err := v.Any()
		if fmt.Sprint(got) != fmt.Sprint(arg) || err != nil {
			t.Errorf("echo(%#v) = %#v, %v", arg, got, err)
		}
	}
	var object struct{ A []int }
	v := must[client.Value](t)(c.Call(ctx, "echo", client.JSON(`{"A":[1,2]}`)))
	if err := v.Decode(&object); err != nil || len(object.A) != 2 {
		t.Errorf("%v: %+v, %v", v, object, err)
	}
	for _, size := range []int{0, 1300, 1452, 20_000, 1 << 20} {
		result, err := c.CallWith(ctx, client.CallOptions{Receipt: true}, "large", size)
		if err != nil {
			t.Fatal(err)
		}
		b, err := result.Value.Bytes()
		if err != nil || !bytes.Equal(b, bytes.Repeat([]byte{7}, size)) {
			t.Errorf("a result of %d bytes came as %d, %v", size, len(b), err)
		}
		if result.Receipt == nil || result.Receipt.Fuel == 0 || result.Receipt.BytesReturned < uint64(size) {
			t.Errorf("a result of %d bytes has the receipt %+v", size, result.Receipt)
		}
	}
	must[uint64](t)(c.Set(ctx, client.Int(5), pattern(3000, 5)))
	result := must[client.Result](t)(c.CallWith(ctx, client.CallOptions{Receipt: true}, "read", 5))
	if b, err := result.Value.Bytes(); err != nil || !bytes.Equal(b, pattern(3000, 5)) {
		t.Errorf("a function read %d bytes, %v", len(b), err)
	}
	if x := result.Receipt; x == nil || x.Lookups != 1 || x.BytesRead != 3000 {
		t.Errorf("its receipt is %+v", x)
	}
	_, err := c.Call(ctx, "nothing")
	wantError(t, err, client.ErrNoFunction)
	_, err = c.Call(ctx, "large", 17<<20)
	wantError(t, err, client.ErrTooLarge)

	var stats struct {
		Tenant string
		Limits map[string]any
	}
	doc := must[json.RawMessage](t)(c.Stats(ctx))
	if err := json.Unmarshal(doc, &stats); err != nil || stats.Tenant == "" || len(stats.Limits) == 0 {
		t.Errorf("%s: %+v, %v", doc, stats, err)
	}
}

func testExceptions(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	_, err := c.Call(ctx, "fail", "on purpose")
	var thrown *client.FunctionError
	if !errors.As(err, &thrown) || !strings.Contains(thrown.Message, "on purpose") || thrown.Line != 4 || thrown.Column == 0 {
		t.Errorf("%#v, want the error of line 4", err)
	}
	must[uint64](t)(c.Set(ctx, client.Key("poor"), []byte("3")))
	_, err = c.Call(ctx, "transfer", "poor", "rich", 5)
	wantError(t, err, client.ErrException)
	if e := must[client.Entry](t)(c.Get(ctx, client.Key("poor"))); string(e.Value) != "3" {
		t.Errorf("a call that threw left %q", e.Value)
	}
	_, err = c.Get(ctx, client.Key("rich"))
	wantError(t, err, client.ErrNotFound)
}

func testTry(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	must[uint64](t)(c.Set(ctx, client.Key("from"), []byte("9")))
	trial, err := c.Try(ctx, "transfer", "from", "to", 4)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := trial.Value.Int(); n != 4 || err != nil || trial.Receipt == nil || trial.Receipt.Fuel == 0 {
		t.Errorf("%+v, %d, %v", trial, n, err)
	}
	writes := map[string]string{}
	for _, w := range trial.Writes {
		writes[w.Key.String()] = string(w.Value)
	}
	if len(trial.Writes) != 2 || writes["from"] != "5" || writes["to"] != "4" {
		t.Errorf("the write set is %v", writes)
	}
	if e := must[client.Entry](t)(c.Get(ctx, client.Key("from"))); string(e.Value) != "9" {
		t.Errorf("TRY changed the store: %q", e.Value)
	}
	trial, err = c.Try(ctx, "large", 60_000)
	if b, _ := trial.Value.Bytes(); err != nil || len(b) != 60_000 {
		t.Errorf("a large trial: %d bytes, %v", len(b), err)
	}
	_, err = c.Try(ctx, "fail", "trial")
	wantError(t, err, client.ErrException)
}

func testLogs(t *testing.T, r run) {
	c, ctx := r.fresh(t), t.Context()
	const calls = 100
	for i := range calls {
		must[client.Value](t)(c.Call(ctx, "log", fmt.Sprintf("line %d", i)))
	}
	_, err := c.Call(ctx, "fail", "uncaught")
	wantError(t, err, client.ErrException)
	var texts []string
	last := uint64(0)
	for record, err := range c.Logs(ctx, client.LogOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if record.Seq <= last && last != 0 {
			t.Errorf("record %d after %d", record.Seq, last)
		}
		last = record.Seq
		texts = append(texts, record.Text)
	}
	if len(texts) != 2*calls+1 || texts[0] != "line 0" || texts[3] != "bad line 1" || !strings.Contains(texts[2*calls], "uncaught") {
		t.Errorf("%d records: %q …", len(texts), texts[:min(4, len(texts))])
	}
	// A follower sees what is written after it began.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	must[client.Value](t)(c.Call(ctx, "log", "for the follower"))
	for record, err := range c.Logs(ctx, client.LogOptions{From: last + 1, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if record.Text == "for the follower" {
			return
		}
	}
}

// testKill ends a call that has written and would run for ever.
func testKill(t *testing.T, r run) {
	name := r.freshName(t)
	c, other, ctx := r.dial(t, name), r.dial(t, name), t.Context()
	wantError(t, other.Kill(ctx, 0, 0), client.ErrNotFound)
	ended := make(chan error)
	go func() { _, err := c.Call(ctx, "spin", "written"); ended <- err }()
	eventually(t, "the call can be killed", func() bool { return other.Kill(ctx, 0, 0) == nil })
	wantError(t, <-ended, client.ErrKilled)
	_, err := c.Get(ctx, client.Key("written"))
	wantError(t, err, client.ErrNotFound)
	must[client.Value](t)(c.Call(ctx, "echo", 1))
}

// testLimits: a call ends at its budget, whatever it is, and leaves nothing.
func testLimits(t *testing.T, r run) {
	ctx := t.Context()
	for want, limit := range map[error]func(*limits){
		client.ErrFuel:     func(l *limits) { l.Fuel = 100_000 },
		client.ErrDeadline: func(l *limits) { l.DeadlineMillis = 100 },
	} {
		spec := open("limited")
		spec.Limits = roomy()
		limit(&spec.Limits)
		c := r.dial(t, r.tenant(t, spec, library))
		_, err := c.Call(ctx, "spin", "written")
		wantError(t, err, want)
		_, err = c.Get(ctx, client.Key("written"))
		wantError(t, err, client.ErrNotFound)
	}
	// The client's own deadline goes along with the request.
	c := r.fresh(t)
	short, cancel := context.WithTimeout(ctx, 100_000_000)
	defer cancel()
	_, err := c.Call(short, "spin", "written")
	if !errors.Is(err, client.ErrDeadline) && !errors.Is(err, client.ErrUnknownOutcome) {
		t.Errorf("%v after the client's deadline", err)
	}
	must[client.Value](t)(c.Call(ctx, "echo", "the tenant is free again"))
	_, err = c.Get(ctx, client.Key("written"))
	wantError(t, err, client.ErrNotFound)
}

func answer(n int) []byte { return fmt.Appendf(nil, "export function answer() { return %d; }", n) }

// testPrelude deploys a library of the original over the wire.
func testPrelude(t *testing.T, r run) {
	name := r.tenant(t, open("original"), "")
	c := dial(t, r.addr(r.host, 0), client.Options{Tenant: name, Role: client.Deploy})
	ctx := t.Context()
	must[string](t)(c.Deploy(ctx, "lib", []byte(`
function put(key, n) { var b = new ArrayBuffer(4); new DataView(b).setUint32(0, n, true); DBSet(key, b); }
function get(key) { return DBGet(key); }
//# prelude=original`), true))
	must[client.Value](t)(c.Call(ctx, "put", 7, 513))
	v := must[client.Value](t)(c.Call(ctx, "get", 7))
	if b, err := v.Bytes(); err != nil || !bytes.Equal(b, []byte{1, 2, 0, 0}) {
		t.Errorf("get: % x, %v", b, err)
	}
	_, err := c.Call(ctx, "DBGet", 7)
	wantError(t, err, client.ErrNoFunction)
}

func testVersions(t *testing.T, r run) {
	name := r.tenant(t, open("versions"), "")
	c := dial(t, r.addr(r.host, 0), client.Options{Tenant: name, Role: client.Deploy})
	ctx := t.Context()
	expect := func(want int64) {
		t.Helper()
		v := must[client.Value](t)(c.Call(ctx, "answer"))
		if n, err := v.Int(); n != want || err != nil {
			t.Errorf("version %d serves, want %d (%v)", n, want, err)
		}
	}
	_, err := c.Call(ctx, "answer")
	wantError(t, err, client.ErrNoFunction)
	wantError(t, c.Rollback(ctx), client.ErrNoVersion)
	first := must[string](t)(c.Deploy(ctx, "lib", answer(1), true))
	expect(1)
	second := must[string](t)(c.Deploy(ctx, "lib", answer(2), false))
	expect(1)
	if again := must[string](t)(c.Deploy(ctx, "lib", answer(2), false)); again != second {
		t.Errorf("the same source is %s and %s", second, again)
	}
	if err := c.Activate(ctx, second); err != nil {
		t.Fatal(err)
	}
	expect(2)
	wantError(t, c.DeleteVersion(ctx, second), client.ErrConflict)
	if err := c.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	expect(1)
	versions := must[[]client.Version](t)(c.Versions(ctx))
	if len(versions) != 2 || versions[0].Hash != first || !versions[0].Active || versions[1].Active || versions[1].Functions[0] != "answer" {
		t.Errorf("%+v", versions)
	}
	if err := c.DeleteVersion(ctx, second); err != nil {
		t.Fatal(err)
	}
	wantError(t, c.Activate(ctx, second), client.ErrNoVersion)
	wantError(t, c.Activate(ctx, "nonsense"), client.ErrBadArgument)
	if versions = must[[]client.Version](t)(c.Versions(ctx)); len(versions) != 1 {
		t.Errorf("%+v", versions)
	}
	for n := 3; n < 15; n++ {
		must[string](t)(c.Deploy(ctx, "lib", answer(n), true))
		expect(int64(n))
	}
	if versions = must[[]client.Version](t)(c.Versions(ctx)); len(versions) != 13 { // a list longer than a datagram
		t.Errorf("%d versions", len(versions))
	}
}

func testBadLibrary(t *testing.T, r run) {
	name := r.tenant(t, open("bad"), string(answer(1)))
	c := dial(t, r.addr(r.host, 0), client.Options{Tenant: name, Role: client.Deploy})
	ctx := t.Context()
	for source, line := range map[string]int{
		"export function f() {\n  return 1 +* 2;\n}":                2,
		"\n\nimport x from 'y';":                                    3,
		"export function f() {}\nexport default f;":                 2,
		"export function f() {}\nthrow new Error('at the top');":    2,
		"\nexport async function f() {}":                            2,
		strings.Repeat("// a long comment\n", 3000) + "function (;": 3001,
	} {
		_, err := c.Deploy(ctx, "lib", []byte(source), true)
		var bad *client.LibraryError
		if !errors.As(err, &bad) || bad.Line != line || bad.Column == 0 || bad.Message == "" {
			t.Errorf("%.60q: %#v, want an error in line %d", source, err, line)
		}
	}
	v := must[client.Value](t)(c.Call(ctx, "answer"))
	if n, _ := v.Int(); n != 1 {
		t.Errorf("after bad libraries answer() = %v", v)
	}
}

func testLargeSource(t *testing.T, r run) {
	name := r.tenant(t, open("source"), "")
	c := dial(t, r.addr(r.host, 0), client.Options{Tenant: name, Role: client.Deploy})
	ctx := t.Context()
	source := append([]byte(strings.Repeat("// as long as a library may be\n", 7000)), answer(5)...)
	must[string](t)(c.Deploy(ctx, "long", source, true))
	v := must[client.Value](t)(c.Call(ctx, "answer"))
	if n, _ := v.Int(); n != 5 {
		t.Errorf("answer() = %v", v)
	}
	if versions := must[[]client.Version](t)(c.Versions(ctx)); len(versions) != 1 || versions[0].SourceSize != len(source) {
		t.Errorf("%+v", versions)
	}
	if _, err := c.Deploy(ctx, "too long", append(source, bytes.Repeat([]byte("/**/\n"), 20_000)...), true); err == nil {
		t.Error("a library above its limit loads")
	}
}
