package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBundleIsWhatTheServerTakes: one script, exports before declarations only.
func TestBundleIsWhatTheServerTakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("lib.ts", "export const factor: number = 3;\nfunction hidden(n: number) { return n + 1 }\nexport function plus(n: number) { return hidden(n) }\n")
	main := write("main.ts", `import { factor, plus } from "./lib";
enum Kind { A, B }
export function scaled(n: number): number { return plus(n) * factor + Kind.B; }
export class Box { constructor(readonly n: number) {} }
const other = (n: number) => n?.toFixed(0) ?? "none";
export { other as text };
`)
	script, err := bundle(main)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nexport function scaled(", "\nexport var Box = class", "\nexport const text = other;\n"} {
		if !strings.Contains(string(script), want) {
			t.Errorf("the script lacks %q:\n%s", want, script)
		}
	}
	for _, never := range []string{"import ", "export {", ": number", "?.", "export function plus", "export function hidden"} {
		if strings.Contains(string(script), never) {
			t.Errorf("the script has %q:\n%s", never, script)
		}
	}
}

func TestNeedsBundle(t *testing.T) {
	for source, want := range map[string]bool{
		"export function f() {}":           false,
		"function f() {}":                  false,
		"const important = 1; // import x": false,
		"import { a } from './a.js'":       true,
		"import './a.js'":                  true,
		"function f() {}\nexport { f };":   true,
		"export * from './b.js'":           true,
	} {
		if got := needsBundle("x.js", []byte(source)); got != want {
			t.Errorf("%q: bundle %v, want %v", source, got, want)
		}
	}
	if !needsBundle("x.ts", nil) {
		t.Error("TypeScript needs bundling")
	}
}
