package wasm

import (
	"regexp"
	"testing"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
)

var (
	exportWord = regexp.MustCompile(`(?m)^export(\s)`)
	exportName = regexp.MustCompile(`(?m)^export\s+(?:function|const)\s+(\w+)`)
)

// blank does what the daemon does to a library: it blanks export keywords and
// returns the exported names.
func blank(source string) (string, []string) {
	var names []string
	for _, m := range exportName.FindAllStringSubmatch(source, -1) {
		names = append(names, m[1])
	}
	return exportWord.ReplaceAllString(source, "      $1"), names
}

func openShard(t testing.TB) *store.Shard {
	t.Helper()
	s, err := store.Open(store.Config{Quota: 256 << 20, Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newInstance(t testing.TB, source string, s *store.Shard) *Instance {
	t.Helper()
	text, names := blank(source)
	l, err := NewLibrary(text, names)
	if err != nil {
		t.Fatal(err)
	}
	i := New(l, s, Config{})
	t.Cleanup(func() { _ = i.Close() })
	return i
}

const testNow = 1_700_000_000_000

func testLimits() *jit.Limits {
	l := jit.DevelopmentLimits()
	return &l
}

// invocation makes an invocation on a fresh overlay.
func invocation(s *store.Shard, function string, args []byte) *jit.Invocation {
	l := testLimits()
	o := s.Overlay()
	o.Begin(testNow, store.OverlayLimits{Writes: l.OverlayWrites, Bytes: l.OverlayBytes})
	return &jit.Invocation{Function: []byte(function), Args: args, NowMillis: testNow, Seed: 1, Overlay: o, Limits: l,
		Yield: func() bool { return true }}
}

// call runs a function, compiling and widening as often as it takes, and
// commits when it ends OK.
func call(t testing.TB, i *Instance, s *store.Shard, function string, args []byte) (*jit.Invocation, jit.Outcome) {
	t.Helper()
	for range 20 {
		inv := invocation(s, function, args)
		out := i.Invoke(inv)
		if out.Status == jit.Deopt {
			s.Overlay().Discard()
			again, err := i.Widen(function)
			if err != nil {
				t.Fatalf("%s: %v", function, err)
			}
			if again {
				continue
			}
		}
		if out.Status == jit.OK {
			if r := s.Overlay().Commit(); r != store.OK {
				t.Fatalf("commit: %v", r)
			}
		} else {
			s.Overlay().Discard()
		}
		return inv, out
	}
	t.Fatalf("%s: guards keep failing: %+v", function, i.Missed())
	return nil, jit.Outcome{}
}

func ints(list ...int64) (b []byte) {
	for _, n := range list {
		b = wire.AppendInt(b, n)
	}
	return b
}
