package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// The server takes one script whose exports stand before declarations. TypeScript,
// imports and export lists are turned into that here, on the developer's machine:
// deep nesting overflows the bundler's stack, which must not happen in the daemon.
var (
	moduleSyntax = regexp.MustCompile(`(?m)^\s*(import\b\s*["'{*\w]|export\s*[{*])`)
	exportList   = regexp.MustCompile(`(?s)\nexport \{\n(.*?)\n?\};\s*$`)
)

// needsBundle tells whether the server would refuse the library as it is.
func needsBundle(file string, source []byte) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".ts", ".mts", ".tsx", ".jsx":
		return true
	}
	return moduleSyntax.Match(source)
}

// bundle makes one script of a library and everything that it imports.
func bundle(file string) ([]byte, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{file}, Bundle: true, Write: false, Format: api.FormatESModule,
		Target: api.ES2017, Platform: api.PlatformNeutral, MainFields: []string{"module", "main"}, Charset: api.CharsetUTF8, LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		m := result.Errors[0]
		if m.Location == nil {
			return nil, fmt.Errorf("bundle: %s", m.Text)
		}
		return nil, fmt.Errorf("bundle: %s:%d:%d: %s", m.Location.File, m.Location.Line, m.Location.Column+1, m.Text)
	}
	return exportDeclarations(string(result.OutputFiles[0].Contents))
}

// exportDeclarations replaces the export list at a bundle's end, which is how the
// bundler writes all exports, by the word export before each declaration.
func exportDeclarations(script string) ([]byte, error) {
	list := exportList.FindStringSubmatchIndex(script)
	if list == nil {
		return nil, fmt.Errorf("bundle: the library exports nothing")
	}
	names := script[list[2]:list[3]]
	script = script[:list[0]+1]
	for _, item := range strings.Split(names, ",") {
		local, exported, renamed := strings.Cut(strings.TrimSpace(item), " as ")
		switch {
		case exported == "default":
			return nil, fmt.Errorf("bundle: export default has no name to call it by: write export function name() {}")
		case renamed:
			script += "export const " + exported + " = " + local + ";\n"
			continue
		}
		declaration := regexp.MustCompile(`(?m)^(function\*? |var |let |const |class )` + regexp.QuoteMeta(local) + `\b`)
		at := declaration.FindAllStringIndex(script, -1)
		if len(at) != 1 {
			return nil, fmt.Errorf("bundle: cannot tell where %s is declared: export it under another name", local)
		}
		script = script[:at[0][0]] + "export " + script[at[0][0]:]
	}
	return []byte(script), nil
}
