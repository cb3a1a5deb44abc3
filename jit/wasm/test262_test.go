package wasm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/store"
)

// test262Parts are the folders of the language's own test suite that hold tests of
// what compiled functions may use.
var test262Parts = []string{
	"language/expressions", "language/statements", "language/types",
	"built-ins/Math", "built-ins/Number", "built-ins/Array/prototype", "built-ins/Map", "built-ins/Set", "built-ins/String/prototype",
}

// harness is what tests call, as functions that a compiled one may call.
const harness = `
function assertTrue(value) { if (value !== true) throw new Error('not true') }
function assertSame(actual, expected) {
  if (actual === expected) {
    if (actual !== 0 || 1 / actual === 1 / expected) return;
  } else if (actual !== actual && expected !== expected) return;
  throw new Error('another value');
}
function assertNotSame(actual, unexpected) { if (actual === unexpected) throw new Error('the same value') }
`

var (
	frontMatter = regexp.MustCompile(`(?s)/\*---.*?---\*/`)
	notForUs    = regexp.MustCompile(`(?m)^(negative|includes):|^flags:.*(noStrict|raw|async|module)`)
	asFunctions = strings.NewReplacer("assert.sameValue(", "assertSame(", "assert.notSameValue(", "assertNotSame(", "assert(", "assertTrue(",
		"new Test262Error(", "new Error(")
)

// TestTest262 runs the tests of test262 that compile, if TEST262 names a checkout of
// https://github.com/tc39/test262. Nothing of it is kept here. What does not compile lies
// outside the language and is only counted.
func TestTest262(t *testing.T) {
	root := os.Getenv("TEST262")
	if root == "" {
		t.Skip("TEST262 names no checkout of https://github.com/tc39/test262")
	}
	ran, refused, left := 0, 0, 0
	for _, part := range test262Parts {
		dir := filepath.Join(root, "test", part)
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".js") || strings.HasSuffix(path, "_FIXTURE.js") {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			source := string(b)
			if notForUs.MatchString(frontMatter.FindString(source)) {
				refused++
				return nil
			}
			out, err := runTest262(t, asFunctions.Replace(source))
			var refusal *compile.Refusal
			switch {
			case errors.As(err, &refusal):
				refused++
			case err != nil:
				t.Errorf("%s: %v", path, err)
			case out.Status == jit.Deopt || out.Status == jit.Limit: // a guard of its own kind, or more memory than calls have
				left++
			case out.Status != jit.OK:
				ran++
				t.Errorf("%s: %v %s, line %d", path, out.Status, out.Message, out.Line-strings.Count(harness, "\n"))
			default:
				ran++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d tests ran compiled, %d do not compile, %d met a limit or are for tier 0", ran, refused, left)
	if ran == 0 {
		t.Error("none ran: is this a checkout of test262?")
	}
}

// runTest262 compiles a test as the body of a function and calls it.
func runTest262(t *testing.T, source string) (out jit.Outcome, err error) {
	shard, err := store.Open(store.Config{Quota: 4 << 20, Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	defer shard.Close()
	text, names := blank(harness + "export function test() {" + source + "\n}\n")
	l, err := NewLibrary(text, names)
	if err != nil {
		return out, err
	}
	i := New(l, shard, Config{})
	defer i.Close()
	for range 30 {
		inv := invocation(shard, "test", nil)
		out = i.Invoke(inv)
		shard.Overlay().Discard()
		if out.Status != jit.Deopt {
			return out, nil
		}
		if again, err := i.Widen("test"); err != nil || !again {
			return out, err
		}
	}
	return out, nil
}
