package compile

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// HostModule names the module that all imports come from.
const HostModule = "shredder"

// Limits of what is compiled. They bound the compiler's time: its passes are
// linear in the syntax tree, and wazero's compiler grows with the square of
// loop nesting (facts.md).
const (
	maxLibraryNodes = 100_000
	maxLoopDepth    = 32
	maxWork         = 2_000_000 // nodes lowered in all passes together
	maxFunctionSize = 20_000    // statements of one compiled function
)

// Refusal says why something cannot be compiled. Line and Column count from 1.
type Refusal struct {
	Line, Column int
	Construct    string // what stands there
	Instead      string // what to write instead
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%d:%d: %s is not compiled: %s", r.Line, r.Column, r.Construct, r.Instead)
}

// Library is a parsed library, ready to compile any of its functions.
type Library struct {
	file      *file.File
	functions map[string]*ast.FunctionLiteral
	constants map[string]ast.Expression // module-level const bindings
	bound     map[string]ast.Node       // all other module-level names
	costs     map[ast.Node]int64
	exports   map[string]bool
	effect    ast.Node // a top-level statement that does something, which compiled code would not know of
	// iterators: tier 0 meters each element that native code takes from a list,
	// because the library spells something that reaches iterators.
	iterators bool
}

// Parse reads a library whose export keywords are blanked with spaces. Exports
// are the names that calls may name. Size and bracket nesting have been
// checked by whoever blanked it, because goja's parser recurses.
func Parse(text string, exports []string) (lib *Library, err error) {
	// The parser is not ours: a panic in it is a refusal.
	defer func() {
		if x := recover(); x != nil {
			lib, err = nil, &Refusal{Construct: "the library", Instead: fmt.Sprint("the parser failed: ", x)}
		}
	}()
	tree, parseErr := goja.Parse("library.js", text, parser.WithDisableSourceMaps)
	if parseErr != nil {
		return nil, syntaxRefusal(parseErr)
	}
	lib = &Library{file: tree.File, functions: map[string]*ast.FunctionLiteral{}, constants: map[string]ast.Expression{},
		bound: map[string]ast.Node{}, exports: map[string]bool{}}
	for _, name := range exports {
		lib.exports[name] = true
	}
	nodes := 0
	syntax.Walk(tree, func(n ast.Node) bool {
		nodes++
		switch n := n.(type) {
		case *ast.SpreadElement, *ast.ArrayPattern, *ast.YieldExpression:
			lib.iterators = true
		case *ast.Identifier:
			lib.iterators = lib.iterators || iteratorNames[n.Name.String()]
		case *ast.StringLiteral:
			lib.iterators = lib.iterators || iteratorNames[n.Value.String()]
		}
		return true
	})
	if nodes > maxLibraryNodes {
		return nil, &Refusal{1, 1, "a library of this size", "split it into several libraries"}
	}
	lib.costs = syntax.Prices(tree)
	for _, s := range tree.Body {
		lib.declare(s)
	}
	return lib, nil
}

func syntaxRefusal(err error) *Refusal {
	var list parser.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return &Refusal{list[0].Position.Line, list[0].Position.Column, "a syntax error", list[0].Message}
	}
	return &Refusal{Construct: "a syntax error", Instead: err.Error()}
}

// declare notes one top-level statement. What is not a function or a constant
// is noted as bound, and refused where a compiled function uses it.
func (lib *Library) declare(s ast.Statement) {
	switch s := s.(type) {
	case *ast.FunctionDeclaration:
		lib.functions[s.Function.Name.Name.String()] = s.Function
	case *ast.LexicalDeclaration:
		for _, b := range s.List {
			id, ok := b.Target.(*ast.Identifier)
			if ok && s.Token == token.CONST && b.Initializer != nil {
				if f := functionOf(id, b.Initializer, lib.costs); f != nil {
					lib.functions[id.Name.String()] = f
					continue
				}
				lib.constants[id.Name.String()] = b.Initializer
				continue
			}
			lib.bind(b.Target)
		}
	case *ast.VariableStatement:
		for _, b := range s.List {
			lib.bind(b.Target)
		}
	case *ast.ClassDeclaration:
		lib.bound[s.Class.Name.Name.String()] = s
	case *ast.EmptyStatement:
	case *ast.ExpressionStatement:
		if _, directive := s.Expression.(*ast.StringLiteral); !directive && lib.effect == nil {
			lib.effect = s
		}
	default:
		if lib.effect == nil {
			lib.effect = s
		}
	}
}

func (lib *Library) bind(target ast.Node) {
	syntax.Walk(target, func(n ast.Node) bool {
		if id, ok := n.(*ast.Identifier); ok {
			lib.bound[id.Name.String()] = id
		}
		return true
	})
}

// Params is how many parameters a function declares.
func (lib *Library) Params(function string) int {
	if f := lib.functions[function]; f != nil {
		return len(f.ParameterList.List)
	}
	return 0
}

// position converts an index into the source to line and column.
func (lib *Library) position(at file.Idx) (line, column int) {
	if at <= 0 {
		return 0, 0
	}
	p := lib.file.Position(int(at) - lib.file.Base())
	return p.Line, p.Column
}

// refused is what lowering panics with; Compile recovers it. The panic never
// leaves the package.
type refused struct{ reason *Refusal }

// refuse ends the compilation.
func (lib *Library) refuse(at file.Idx, construct, instead string) {
	line, column := lib.position(at)
	panic(refused{&Refusal{line, column, construct, instead}})
}

var iteratorNames = map[string]bool{"Symbol": true, "values": true, "keys": true, "entries": true, "from": true, "Set": true, "Map": true,
	"next": true, "fromEntries": true}
