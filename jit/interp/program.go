// Package interp is tier 0: a tenant's JavaScript library run by goja on the
// tenant's home lcore, with every loop and function entry metered, the store
// bound as specialised builtins, and builtins that could grow without bound
// guarded.
//
// Compile, NewRuntime, Reset and InterruptRun are for control threads; a
// Runtime is used by one thread at a time, after hand-over its home lcore. A
// Program is immutable and shared by every tenant whose library has the same
// source.
package interp

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
	"github.com/dop251/goja/unistring"

	"shredder/jit"

	"shredder/jit/syntax"
)

// Program is a checked, metered and compiled library.
type Program struct {
	hash     [32]byte
	source   string
	keywords []int // where in source the export words stand
	compiled *goja.Program
	exports  []string
	index    map[string]int
	mutates  []bool // by export
	names    *names
	store    []string        // functions of the store bound directly, in the order of the parameters
	folded   []string        // those that take a burn along
	computes atomic.Bool     // a runtime has met a computed name of a builtin: make the next ones with all guards
	objects  map[string]bool // of store, request and console: those used as values
}

// Hash names the version: SHA-256 of the source.
func (p *Program) Hash() [32]byte { return p.hash }

// Source is the library as it was deployed.
func (p *Program) Source() string { return p.source }

// Blanked is the source with spaces for its export words: a script.
func (p *Program) Blanked() string {
	b := []byte(p.source)
	for _, at := range p.keywords {
		copy(b[at:], "      ")
	}
	return string(b)
}

// Functions lists the exported names in source order. The slice is shared.
func (p *Program) Functions() []string { return p.exports }

// MutatesModule says that a call of the function may change what later calls
// see outside the store: module-level variables, objects held by them, or
// builtins. It errs on the side of true. Such a function must start in a
// coroutine: a straight run that ends Preempted would leave half of the change.
func (p *Program) MutatesModule(function string) bool {
	i, ok := p.index[function]
	return !ok || p.mutates[i]
}

// cacheSize is how many Programs stay compiled after their last use.
const cacheSize = 512

type cacheKey struct {
	hash   [32]byte
	limits sourceLimits
}

// sourceLimits is the part of jit.Limits that a verdict on a source depends on.
type sourceLimits struct{ size, depth, functions int }

var cache = struct {
	sync.Mutex
	entries map[cacheKey]*list.Element
	recent  *list.List // of *cacheEntry, most recent first
}{entries: map[cacheKey]*list.Element{}, recent: list.New()}

type cacheEntry struct {
	key     cacheKey
	program *Program
}

// Compile parses, checks, meters and compiles a library. Equal sources give
// the same Program. The error is a *SourceError.
func Compile(source []byte, limits *jit.Limits) (*Program, error) {
	if len(source) > limits.SourceSize {
		return nil, &SourceError{Message: "the library is larger than the limit on its source"}
	}
	key := cacheKey{sha256.Sum256(source), sourceLimits{limits.SourceSize, limits.SourceDepth, limits.Functions}}
	cache.Lock()
	if e, ok := cache.entries[key]; ok {
		cache.recent.MoveToFront(e)
		cache.Unlock()
		return e.Value.(*cacheEntry).program, nil
	}
	cache.Unlock()
	p, err := compile(source, limits)
	if err != nil {
		return nil, err
	}
	p.hash = key.hash
	cache.Lock()
	defer cache.Unlock()
	if e, ok := cache.entries[key]; ok {
		return e.Value.(*cacheEntry).program, nil
	}
	cache.entries[key] = cache.recent.PushFront(&cacheEntry{key, p})
	if cache.recent.Len() > cacheSize {
		oldest := cache.recent.Back()
		delete(cache.entries, oldest.Value.(*cacheEntry).key)
		cache.recent.Remove(oldest)
	}
	return p, nil
}

func compile(source []byte, limits *jit.Limits) (p *Program, err error) {
	blanked, marks, refused := scanSource(source, limits)
	if refused != nil {
		return nil, refused
	}
	// The parser and compiler are not ours: a panic in them is a refusal.
	defer func() {
		if x := recover(); x != nil {
			p, err = nil, &SourceError{Message: fmt.Sprint("the library does not compile: ", x)}
		}
	}()
	tree, parseErr := parser.ParseFile(nil, "library.js", string(blanked), 0, parser.WithDisableSourceMaps)
	if parseErr != nil {
		return nil, parseError(source, parseErr)
	}
	exports, refused := findExports(tree, source, marks, limits)
	if refused != nil {
		return nil, refused
	}
	n := collectNames(tree)
	w := &rewriter{names: n, store: map[string]bool{}, folded: map[string]bool{}}
	mutates := findMutations(tree, n, exports)
	w.rewrite(tree)
	if w.err != nil {
		line, column := position(source, int(w.err.at)-tree.File.Base())
		return nil, &SourceError{line, column, w.err.message}
	}
	p = &Program{source: string(source), exports: exports, mutates: mutates, names: n, index: map[string]int{}}
	for i, name := range exports {
		p.index[name] = i
	}
	for _, m := range marks {
		p.keywords = append(p.keywords, m.keyword)
	}
	for _, name := range storeNames {
		if w.store[name] {
			p.store = append(p.store, name)
		}
		if w.folded[name] {
			p.folded = append(p.folded, name)
		}
	}
	p.objects = map[string]bool{}
	syntax.Walk(tree, func(c ast.Node) bool {
		if id, ok := c.(*ast.Identifier); ok {
			p.objects[id.Name.String()] = id.Name == "store" || id.Name == "request" || id.Name == "console"
		}
		return true
	})
	p.compiled, parseErr = goja.CompileAST(p.wrap(tree), true)
	if parseErr != nil {
		return nil, parseError(source, parseErr)
	}
	return p, nil
}

func parseError(source []byte, err error) *SourceError {
	switch e := err.(type) {
	case parser.ErrorList:
		if len(e) > 0 {
			return &SourceError{e[0].Position.Line, e[0].Position.Column, e[0].Message}
		}
	case *parser.Error:
		return &SourceError{e.Position.Line, e.Position.Column, e.Message}
	case *goja.CompilerSyntaxError:
		if e.File != nil {
			line, column := position(source, e.Offset)
			return &SourceError{line, column, e.Message}
		}
	}
	return &SourceError{Message: err.Error()}
}

// findExports names what the marked declarations declare; without any mark
// every top-level function is exported.
func findExports(tree *ast.Program, source []byte, marks []exportMark, limits *jit.Limits) ([]string, *SourceError) {
	marked := map[int]bool{}
	for _, m := range marks {
		marked[m.declaration] = true
	}
	var exports []string
	end := preludeAt(source)
	for _, s := range tree.Body {
		offset := int(s.Idx0()) - tree.File.Base()
		if offset > end {
			break // the prelude is not exported
		}
		if len(marks) > 0 && !marked[offset] {
			continue
		}
		switch d := s.(type) {
		case *ast.FunctionDeclaration:
			if !d.Function.Async && !d.Function.Generator {
				exports = append(exports, d.Function.Name.Name.String())
			}
		case *ast.ClassDeclaration:
			if len(marks) > 0 {
				exports = append(exports, d.Class.Name.Name.String())
			}
		case *ast.LexicalDeclaration:
			if len(marks) > 0 {
				exports = append(exports, bindingNames(d.List)...)
			}
		case *ast.VariableStatement:
			if len(marks) > 0 {
				exports = append(exports, bindingNames(d.List)...)
			}
		}
	}
	if len(exports) > limits.Functions {
		return nil, &SourceError{Message: "the library exports more functions than its limit"}
	}
	if len(exports) == 0 {
		line, column := position(source, 0)
		return nil, &SourceError{line, column, "the library exports nothing: write export function name(…) { … }"}
	}
	return exports, nil
}

func bindingNames(list []*ast.Binding) (names []string) {
	for _, b := range list {
		if id, ok := b.Target.(*ast.Identifier); ok {
			names = append(names, id.Name.String())
		}
	}
	return names
}

// closedGlobals are names that mean undefined in a library. globalThis among
// them: with it gone, a global can only be reached by its own name, so that
// what a program spells is all it can reach.
var closedGlobals = []string{"globalThis", "Proxy", "Promise", "WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics",
	// As a parameter it is read without a look-up in the global object.
	"undefined"}

// wrap makes the library the body of an arrow function whose parameters are
// the hidden names, and which returns the exported values.
func (p *Program) wrap(tree *ast.Program) *ast.Program {
	at := file.Idx(tree.File.Base())
	params := []string{nameMeter, nameGrown, namePower, nameShift, nameClosed, nameLength, nameKey}
	for _, name := range p.store {
		params = append(params, nameStore+name)
	}
	for _, name := range p.folded {
		params = append(params, nameFolded+name)
	}
	for _, name := range closedGlobals {
		if p.names.spelled[name] && !p.names.bound[name] {
			params = append(params, name)
		}
	}
	var list []*ast.Binding
	for _, name := range params {
		list = append(list, &ast.Binding{Target: identifier(name, at)})
	}
	var values []ast.Expression
	for _, name := range p.exports {
		values = append(values, identifier(name, at))
	}
	result := &ast.ReturnStatement{Return: at, Argument: &ast.ArrayLiteral{LeftBracket: at, RightBracket: at, Value: values}}
	body := append([]ast.Statement{&ast.ExpressionStatement{Expression: burn(1+int64(len(tree.Body)), at)}}, tree.Body...)
	arrow := &ast.ArrowFunctionLiteral{
		Start:           at,
		ParameterList:   &ast.ParameterList{Opening: at, List: list, Closing: at},
		Body:            &ast.BlockStatement{LeftBrace: at, List: append(body, result), RightBrace: at},
		DeclarationList: tree.DeclarationList,
	}
	return &ast.Program{Body: []ast.Statement{&ast.ExpressionStatement{Expression: arrow}}, File: tree.File}
}

func identifier(name string, at file.Idx) *ast.Identifier {
	return &ast.Identifier{Name: unistring.NewFromString(name), Idx: at}
}
