package compile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

var (
	exportWord = regexp.MustCompile(`(?m)^export(\s)`)
	exportName = regexp.MustCompile(`(?m)^export\s+(?:function|const)\s+(\w+)`)
)

func parseSource(source string) (*Library, error) {
	var names []string
	for _, m := range exportName.FindAllStringSubmatch(source, -1) {
		names = append(names, m[1])
	}
	return Parse(exportWord.ReplaceAllString(source, "      $1"), names)
}

// validate compiles a module with wazero, which checks it.
func validate(t *testing.T, wasm []byte) {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	if _, err := rt.CompileModule(ctx, wasm); err != nil {
		t.Fatalf("invalid module: %v", err)
	}
}

func refusalOf(t *testing.T, source, function string, args ...Kind) *Refusal {
	t.Helper()
	lib, err := parseSource(source)
	if err == nil {
		_, err = lib.Compile(Request{Function: function, Args: args})
	}
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not refused: %v", err)
	}
	return r
}

func TestRefusalsNamePositionAndRewrite(t *testing.T) {
	for _, c := range []struct{ source, at, instead string }{
		{"export function f(x) {\n  return /a/.test(x) }", "2:10", "charCodeAt"},
		{"export function f(x) {\n  for (const k in x) {} }", "2:3", "for … of"},
		{"let n = 0\nexport function f() { return ++n }", "2:32", "assign to a variable"},
		{"export function f() {\n  return nope }", "2:10", "compiled functions know"},
		{"export function f() { return 1n }", "1:30", "2^53"},
	} {
		r := refusalOf(t, c.source, "f", KindInt)
		if got := r.Error(); !strings.HasPrefix(got, c.at+":") || !strings.Contains(r.Instead, c.instead) {
			t.Errorf("%q: %s", c.source, got)
		}
	}
}

func TestLargeSourcesAreRefusedInTime(t *testing.T) {
	chain := "export function f(x) { return " + strings.Repeat("x+", 200_000) + "x }"
	loops := "export function f(x) { " + strings.Repeat("for(;x<9;)", 10_000) + "x++ }"
	long := "export function f(x) { let a = 0;" + strings.Repeat("if (x > a) a = a * 2 + x;", 40_000) + " return a }"
	for name, source := range map[string]string{"a long chain": chain, "nested loops": loops, "1 MB": long} {
		start := time.Now()
		r := refusalOf(t, source, "f", KindInt)
		t.Logf("%s: %s after %v", name, r, time.Since(start).Round(time.Millisecond))
		if r.Construct == brokenCompiler {
			t.Error(r)
		}
	}
}

func TestCompileIsDeterministic(t *testing.T) {
	source := "export function f(a, b) { let n = 0; for (let i = 0; i < a; i++) n += (i * b) % 7; return n }"
	var first []byte
	for range 5 {
		lib, err := parseSource(source)
		if err != nil {
			t.Fatal(err)
		}
		m, err := lib.Compile(Request{Function: "f", Args: []Kind{KindInt, KindDouble}})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m.Wasm
			validate(t, first)
		} else if string(first) != string(m.Wasm) {
			t.Fatal("two compilations of one source differ")
		}
	}
}

// FuzzCompile: any source gives a valid module or a refusal, never a panic.
func FuzzCompile(f *testing.F) {
	paths, _ := filepath.Glob("../../scripts/functions/*.js")
	for _, p := range paths {
		source, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source), uint16(0x33))
	}
	f.Fuzz(func(t *testing.T, source string, kinds uint16) {
		if len(source) > 8<<10 {
			return
		}
		lib, err := parseSource(source)
		if err != nil {
			return
		}
		for name := range lib.exports {
			args := []Kind{Kind(kinds & 15 % 7), Kind(kinds >> 4 & 15 % 7), Kind(kinds >> 8 & 15 % 7)}
			m, err := lib.Compile(Request{Function: name, Args: args})
			if err == nil {
				validate(t, m.Wasm)
				continue
			}
			var r *Refusal
			if !errors.As(err, &r) || r.Construct == brokenCompiler {
				t.Fatalf("%s: %v", name, err)
			}
		}
	})
}
