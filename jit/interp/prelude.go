package interp

import (
	_ "embed" // prelude.js
	"fmt"
	"regexp"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"

	"shredder/jit"
	"shredder/jit/syntax"
)

// PreludeLine, as the last line of a library, asks for the functions of the
// original Shredder. They are put behind it when the library is deployed, so
// that the library's own positions hold, and the version's hash covers them.
const PreludeLine = "//# prelude=original"

// preludeStart begins what is put behind PreludeLine. The semicolon ends a
// statement that the library left open.
const preludeStart = "; // added when the library was deployed\n"

var preludeLine = regexp.MustCompile(`(?m)^//# prelude=original[ \t\r]*$`)

//go:embed prelude.js
var preludeText string

// viewPrelude is HTGet where HTGetField is used, too: it reads a buffer without
// bytes through what HTGet has left at it. Compiled code cannot do that, so the
// other HTGet stands in the libraries that do not need it.
var viewPrelude = strings.NewReplacer(" return value.length; }", " else buffer.fields = new DataView(value.buffer); return value.length; }")

// Original is what the prelude knows of its tenant.
type Original struct {
	Lcore int // TID
	Graph int // LoadFBGraph: nodes of the graph that was loaded, 0 if there is none
}

// preludeDeclaration is one line of the prelude.
type preludeDeclaration struct{ name, text string }

func (o Original) declarations() []preludeDeclaration {
	list := []preludeDeclaration{{"TID", fmt.Sprintf("const TID = %d;", o.Lcore)}}
	load := `throw new Error("no graph is configured for this tenant");`
	if o.Graph > 0 {
		load = fmt.Sprintf("return %d;", o.Graph)
	}
	list = append(list, preludeDeclaration{"LoadFBGraph", "function LoadFBGraph() { " + load + " }"})
	for line := range strings.Lines(preludeText) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "function "), "(")
		list = append(list, preludeDeclaration{name, strings.TrimSpace(line)})
	}
	return list
}

// WithPrelude returns source with the prelude behind it if it asks for one, else
// source. Only what the library mentions and does not declare itself is put there;
// what an earlier deployment put there is replaced. The error is a *SourceError.
func WithPrelude(source []byte, o Original, limits *jit.Limits) (text []byte, err error) {
	at := preludeLine.FindIndex(source)
	if at == nil {
		return source, nil
	}
	own, behind := source[:at[1]], source[at[1]:]
	if rest := strings.TrimSpace(string(behind)); rest != "" && !strings.HasPrefix(rest, strings.TrimSpace(preludeStart)) {
		line, column := position(source, at[0])
		return nil, &SourceError{line, column, "nothing may stand behind the line " + PreludeLine}
	}
	blanked, marks, refused := scanSource(own, limits)
	if refused != nil {
		return nil, refused
	}
	// The parser is not ours: a panic in it is a refusal.
	defer func() {
		if x := recover(); x != nil {
			text, err = nil, &SourceError{Message: fmt.Sprint("the library does not compile: ", x)}
		}
	}()
	tree, parseErr := parser.ParseFile(nil, "library.js", string(blanked), 0, parser.WithDisableSourceMaps)
	if parseErr != nil {
		return nil, parseError(source, parseErr)
	}
	if _, refused := findExports(tree, own, marks, limits); refused != nil {
		return nil, refused
	}
	declared, mentioned := topLevelNames(tree), map[string]bool{}
	syntax.Walk(tree, func(n ast.Node) bool {
		if id, ok := n.(*ast.Identifier); ok {
			mentioned[id.Name.String()] = true
		}
		return true
	})
	text = append(append([]byte(nil), own...), "\n"+preludeStart...)
	for _, d := range o.declarations() {
		if !mentioned[d.name] || declared[d.name] {
			continue
		}
		if d.name == "HTGet" && mentioned["HTGetField"] {
			d.text = viewPrelude.Replace(d.text)
		}
		text = append(append(text, d.text...), '\n')
	}
	return text, nil
}

// topLevelNames are the names that a library declares for all of it.
func topLevelNames(tree *ast.Program) map[string]bool {
	declared := map[string]bool{}
	bind := func(list []*ast.Binding) {
		for _, b := range list {
			syntax.Walk(b.Target, func(n ast.Node) bool {
				if id, ok := n.(*ast.Identifier); ok {
					declared[id.Name.String()] = true
				}
				return true
			})
		}
	}
	for _, d := range tree.DeclarationList {
		bind(d.List)
	}
	for _, s := range tree.Body {
		switch s := s.(type) {
		case *ast.FunctionDeclaration:
			declared[s.Function.Name.Name.String()] = true
		case *ast.ClassDeclaration:
			declared[s.Class.Name.Name.String()] = true
		case *ast.LexicalDeclaration:
			bind(s.List)
		}
	}
	return declared
}

// preludeAt is where the part of a library begins that is not exported.
func preludeAt(source []byte) int {
	if at := preludeLine.FindIndex(source); at != nil {
		return at[1]
	}
	return len(source)
}
