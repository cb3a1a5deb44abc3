package interp

import (
	"errors"
	"strings"
	"testing"

	"shredder/jit"
)

func TestRefusedSources(t *testing.T) {
	limits := jit.DefaultLimits()
	for _, c := range []struct {
		source, message string
		line, column    int
	}{
		{"", "exports nothing", 1, 1},
		{"const x = 1", "exports nothing", 1, 1},
		{"\n  import x from 'y'\nexport function f() {}", "import:", 2, 3},
		{"export function f() { return import('x') }", "import:", 1, 30},
		{"export default function f() {}", "export default", 1, 1},
		{"function f() {}\nexport { f }", "only declarations", 2, 1},
		{"export * from 'x'", "only declarations", 1, 1},
		{"export async function f() {}", "async function cannot", 1, 1},
		{"export function* f() {}", "generator cannot", 1, 1},
		{"export function f() {}\nconst g = async () => 1", "async functions do not exist", 2, 11},
		{"export function f() { return }}", "no opening", 1, 31},
		{"export function f() { return (1 }", "no opening", 1, 33},
		{"export function f() {", "not closed", 1, 22},
		{"export function f() { return 'a\n' }", "not closed", 1, 30},
		{"export function f() { let 1x }", "", 1, 27},
		{"export function f() { const a = 1; const a = 2 }", "already been declared", 1, 42},
		{"export function f() { with (x) {} }", "", 1, 23},
		{"export function f() { return \xff }", "not UTF-8", 0, 0},
		{strings.Repeat(" ", 300<<10), "larger than", 0, 0},
		{"export function f() { return " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + " }", "nested too deeply", 1, 157},
		{"export function f() { return /(a{1,900}){1,900}/ }", "repetitions", 1, 30},
	} {
		_, err := Compile([]byte(c.source), &limits)
		var e *SourceError
		if !errors.As(err, &e) {
			t.Errorf("%.60q: %v", c.source, err)
			continue
		}
		if !strings.Contains(e.Message, c.message) || e.Line != c.line || e.Column != c.column {
			t.Errorf("%.60q: %d:%d %s", c.source, e.Line, e.Column, e.Message)
		}
	}
}

func TestAcceptedSources(t *testing.T) {
	limits := jit.DefaultLimits()
	for _, source := range []string{
		"export function f() { return `a${ `b${1}` }c` }",
		"export function f(a, b) { return a / b / 2 + /[/]\\/}/.test('x') }",
		"// export default\n/* import */ export const f = () => 'export default'",
		"const o = { export: 1, import: 2 };\nexport function f() { return o.import + o.export }",
		"export function f(x) { if (x) /a/.test(x); return x++ / 2 }",
		"function export_() {}\nexport function f() { return export_() }",
		"export class C {}\nexport function f() { return new C() }",
		"#!/usr/bin/env node\nexport function f() {}",
	} {
		if _, err := Compile([]byte(source), &limits); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func TestProgramsAreShared(t *testing.T) {
	limits := jit.DefaultLimits()
	a, err := Compile([]byte("export function f() { return 1 }"), &limits)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Compile([]byte("export function f() { return 1 }"), &limits)
	c, _ := Compile([]byte("export function f() { return 2 }"), &limits)
	if a != b || a == c || a.Hash() == c.Hash() {
		t.Fatal("sharing by source is wrong")
	}
}

func TestTopLevelIsBounded(t *testing.T) {
	limits := jit.DefaultLimits()
	for source, want := range map[string]string{
		"for (;;);\nexport function f() {}":             "runs too long",
		"store.get(1);\nexport function f() {}":         "inside a call only",
		"throw new Error('x');\nexport function f() {}": "Error: x",
	} {
		p, err := Compile([]byte(source), &limits)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = NewRuntime(p, newShard(t), RuntimeConfig{Limits: &limits}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", source, err)
		}
	}
}

// TestMutations holds the judgement that decides which functions start in a
// coroutine: it must never call a mutation harmless.
func TestMutations(t *testing.T) {
	limits := jit.DefaultLimits()
	const module = `
let counter = 0; const cache = new Map(); const table = [1, 2, 3]; const names = { a: 1 }; const deep = [[1]];
const K = 5; const helper = (x) => x + K; function touch() { counter++ } function add(a, b) { return a + b }
const crc = new Uint32Array(256); for (let i = 0; i < 256; i++) crc[i] = i * 3;
if (K) { var leaked = 1; const inner = 2; crc[0] = inner }
class Box { constructor() { this.x = 1 } }
`
	for body, want := range map[string]bool{
		"return 1":                 false,
		"return helper(add(1, K))": false,
		"let t = 0; for (const x of table2()) t += x; return t } function table2() { return [1]": false,
		"return table[1] + names.a":                                                   false,
		"const list = []; list.push(1); list[0] = 2; return list":                     false,
		"const m = new Map(); m.set(1, 2); return m.get(1)":                           false,
		"const v = store.u32(1); v[0] = 1; store.set(1, v)":                           false,
		"let n = 0; for (let i = 0; i < crc.length; i++) n += crc[i & 255]; return n": false,
		"leaked++":    true,
		"crc[0] = 1":  true,
		"crc.fill(1)": true,
		"const v = new Uint8Array(crc.buffer); v[0] = 1":    true,
		"const v = new Uint8Array(crc['buffer']); v[0] = 1": true,
		"const v = new Uint8Array(crc[x]); v[0] = 1":        true,
		"const v = crc.subarray(1); v[0] = 1":               true,
		"const v = crc; v[0] = 1":                           true,
		"counter = 1":                                       true,
		"counter++":                                         true,
		"[counter] = [1]":                                   true,
		"for (counter of [1]);":                             true,
		"touch()":                                           true,
		"const f = touch; f()":                              true,
		"cache.set(1, 2)":                                   true,
		"return cache.get(1)":                               true,
		"table[0] = 2":                                      true,
		"table.push(1)":                                     true,
		"const t = table; t[0] = 1":                         true,
		"deep[0][0] = 1":                                    true,
		"const d = deep[0]; d[0] = 1":                       true,
		"delete names.a":                                    true,
		"Object.assign(names, {})":                          true,
		"Array.prototype.x = 1":                             true,
		"[].__proto__.x = 1":                                true,
		"const p = [].__proto__; p.x = 1":                   true,
		"const p = Object.getPrototypeOf([]); p.x = 1":      true,
		"(() => { counter = 1 })()":                         true,
		"return [1].map(() => counter++)":                   true,
		"return new Box()":                                  true,
		"const { y } = names; const o = table; o.sort()":    true,
		"Math.floor = 1":                                    true,
		"helper.x = 1":                                      true,
		"[].push.call(table, 1)":                            true,
		"const k = 'push'; table[k](1)":                     true,
	} {
		p, err := Compile([]byte(module+"export function f(x) { "+body+" }"), &limits)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := p.MutatesModule("f"); got != want {
			t.Errorf("%s: mutates %v, want %v", body, got, want)
		}
	}
}

// FuzzScan: whatever the scanner accepts compiles or is refused, without a
// panic, and blanking keeps the length.
func FuzzScan(f *testing.F) {
	for _, s := range []string{"export function f() {}", "export const a = `${1}`", "a / b /c/", "export default 1", "import 'x'"} {
		f.Add([]byte(s))
	}
	limits := jit.DefaultLimits()
	f.Fuzz(func(t *testing.T, source []byte) {
		blanked, marks, err := scanSource(source, &limits)
		if err != nil {
			return
		}
		if len(blanked) != len(source) {
			t.Fatal("blanking moved something")
		}
		for _, m := range marks {
			if string(source[m.keyword:m.keyword+6]) != "export" || string(blanked[m.keyword:m.keyword+6]) != "      " {
				t.Fatal("a mark is off")
			}
		}
		if p, err := compile(source, &limits); err == nil && len(p.Functions()) == 0 {
			t.Fatal("a library without exports was accepted")
		}
	})
}
