package interp

import (
	"encoding/binary"
	"fmt"
	"testing"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/store/arena"
)

const testNow = 1_700_000_000_000

// bed is a shard with a runtime on it.
type bed struct {
	t      testing.TB
	shard  *store.Shard
	r      *Runtime
	limits jit.Limits
	seed   uint64
	logs   []string
}

func testBudget() *arena.Budget { return arena.NewBudget(1 << 30) }

func newShard(t testing.TB) *store.Shard {
	s, err := store.Open(store.Config{Quota: 64 << 20, Seed: 1, Budget: testBudget()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newBed(t testing.TB, source string) *bed {
	b := &bed{t: t, shard: newShard(t), limits: jit.DevelopmentLimits()}
	b.load(source)
	return b
}

func (b *bed) load(source string) {
	p, err := Compile([]byte(source), &b.limits)
	if err != nil {
		b.t.Fatalf("%+v\n%s", err, source)
	}
	b.r, err = NewRuntime(p, b.shard, RuntimeConfig{Tenant: "test", Limits: &b.limits})
	if err != nil {
		b.t.Fatalf("%+v\n%s", err, source)
	}
}

func (b *bed) set(k store.Key, value []byte) {
	if _, res := b.shard.Set(k, value, store.SetOptions{}, testNow); res != store.OK {
		b.t.Fatalf("set: %v", res)
	}
}

func (b *bed) get(k store.Key) (string, bool) {
	e, res := b.shard.Get(k, testNow)
	return string(e.Value), res == store.OK
}

// call begins an overlay, invokes, and commits or discards.
func (b *bed) call(function string, yield func() bool, args ...any) (jit.Outcome, *jit.Invocation) {
	return b.callEncoded(function, yield, encode(args...))
}

func (b *bed) callEncoded(function string, yield func() bool, args []byte) (jit.Outcome, *jit.Invocation) {
	o := b.shard.Overlay()
	o.Begin(testNow, store.OverlayLimits{Writes: b.limits.OverlayWrites, Bytes: b.limits.OverlayBytes})
	b.logs = b.logs[:0]
	inv := &jit.Invocation{
		Function: []byte(function), Args: args, ID: 7, Tenant: "test", NowMillis: testNow, Seed: b.seed,
		Overlay: o, Limits: &b.limits, Yield: yield,
		Log: func(level uint8, text []byte) { b.logs = append(b.logs, fmt.Sprintf("%d %s", level, text)) },
	}
	out := b.r.Invoke(inv)
	if b.r.meter.yield != nil || b.r.inv != nil {
		b.t.Fatal("the runtime holds on to its invocation")
	}
	if out.Status == jit.OK {
		if res := o.Commit(); res != store.OK {
			b.t.Fatalf("commit: %v", res)
		}
	} else {
		o.Discard()
	}
	return out, inv
}

func always() bool { return true }

func encode(args ...any) []byte {
	var dst []byte
	for _, a := range args {
		switch a := a.(type) {
		case nil:
			dst = wire.AppendNull(dst)
		case bool:
			dst = wire.AppendBool(dst, a)
		case int:
			dst = wire.AppendInt(dst, int64(a))
		case float64:
			dst = wire.AppendDouble(dst, a)
		case string:
			dst = wire.AppendString(dst, a)
		case []byte:
			dst = wire.AppendBytes(dst, a)
		case json:
			dst = wire.AppendJSON(dst, []byte(a))
		default:
			panic(fmt.Sprintf("argument %T", a))
		}
	}
	return dst
}

type json string

// shown writes an encoded result the way the corpus does.
func shown(b []byte) string {
	a, _, st := wire.FirstArg(b)
	if st != wire.StatusOK {
		return fmt.Sprintf("malformed %x", b)
	}
	switch a.Tag() {
	case wire.TagNull:
		return "null"
	case wire.TagFalse:
		return "false"
	case wire.TagTrue:
		return "true"
	case wire.TagInt:
		return fmt.Sprint(a.Int())
	case wire.TagDouble:
		return fmt.Sprintf("double %v", a.Double())
	case wire.TagString:
		return fmt.Sprintf("%q", a.Bytes())
	case wire.TagBytes:
		return fmt.Sprintf("bytes %x", a.Bytes())
	}
	return "json " + string(a.Bytes())
}

func u32s(ns ...uint32) []byte {
	var b []byte
	for _, n := range ns {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// want calls and compares the shown result.
func (b *bed) want(want, function string, args ...any) *jit.Invocation {
	b.t.Helper()
	out, inv := b.call(function, always, args...)
	got := shown(inv.Result)
	if out.Status != jit.OK {
		got = fmt.Sprintf("%v %s", out.Status, out.Message)
		if out.Status == jit.Exception {
			got = fmt.Sprintf("%s at %d:%d", got, out.Line, out.Column)
		}
	}
	if got != want {
		b.t.Errorf("%s%v: got %s, want %s", function, args, got, want)
	}
	return inv
}
