package compile

import (
	"fmt"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// Kind is the type of one argument.
type Kind uint8

const (
	KindUndefined Kind = iota
	KindNull
	KindBool
	KindInt
	KindDouble
	KindString // ASCII text
	KindBytes
	KindText // text that is not ASCII, in UTF-8
	KindJSON
)

// Request names what to compile: a function and the types of its arguments.
type Request struct {
	Function string
	Args     []Kind
	Wide     []int // IDs of guards that have failed: their operations take the general form
	Fail     int   // ID of a guard that fails whenever it is reached, for tests; 0 for none
}

// ExitKind says why a call left compiled code early.
type ExitKind uint8

const (
	ExitGuard   ExitKind = iota // a guard failed: run again on tier 0, or compile with ID in Wide
	ExitThrow                   // an exception that nothing catches
	ExitDepth                   // calls are nested too deeply
	ExitStopped                 // the host said stop; it knows why
	ExitCorrupt                 // the arena contradicts itself
	ExitScratch                 // the call's scratch memory is used up
)

// Exit is a place where a call can end early.
type Exit struct {
	Kind         ExitKind
	ID           int // of a guard, stable for one source
	CanWiden     bool
	Line, Column int
	Message      string // of a throw; what a guard is about
}

// Module is a compiled function.
type Module struct {
	Wasm   []byte
	Params []Type // of the entry: an argument may have to be converted
	Result Type
	Shapes []Shape
	Exits  []Exit // the global "exit" holds index + 1
	Data   []byte // constants; copied to the start of scratch before each call
	Writes bool   // it may change the store
	// Scratch: it needs scratch memory.
	Scratch bool
	Passes  int
}

// IsPair and the like describe Module.Result to the host.
func (t Type) Representation() uint8 { return uint8(t.rep()) }

// IsValue says that a reference is a JSON value.
func (t Type) IsValue() bool { return t.has(kValue) }

// IsText says that a pair is a string, not bytes.
func (t Type) IsText() bool { return t.has(kString) }

// ElementShift is log2 of a view's element size.
func (t Type) ElementShift() uint { return uint(elementShifts[t.elem]) }

func (t Type) String() string { return t.describe() }

type exitKey struct {
	at   file.Idx
	kind ExitKind
	what string
}

// compiler is one compilation.
type compiler struct {
	*Library
	request   Request
	wide      map[int]bool
	functions map[any]*function
	entry     *function
	order     []*function
	helpers   map[string]*function
	imports   map[string]*callable
	importSeq []*callable
	exits     []Exit
	exitAt    map[exitKey]int
	data      []byte
	scratch   bool           // the host makes values in scratch
	texts     map[string]int // offset of constant text in data
	copying   uint64         // bits of sites whose views must be copies
	constants map[string]value
	shapes    []Shape
	shapeAt   map[shapeKey]int
	escaped   map[any]bool // object literals that are made in memory
	changed   bool
	pass      int
	work      int
	writes    bool
}

// function is one WebAssembly function under construction.
type function struct {
	name    string
	literal *ast.FunctionLiteral
	inst    *instance
	// propagates: its exceptions go to its callers, as one of them stands in a try.
	propagates bool
	// mixed: it returns what has no common representation; the host keeps it.
	mixed  bool
	params []Type
	turns  int // how often params or result have grown
	result Type
	callable
	seen   int // pass that has lowered it
	locals []valueType
	code   []*statement
	size   int
}

// brokenCompiler is the construct of a refusal that is the compiler's own fault.
const brokenCompiler = "the compiler's own fault"

// Compile makes a module of one function for one list of argument types. The
// error is a *Refusal.
func (lib *Library) Compile(r Request) (m *Module, err error) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case refused:
			m, err = nil, x.reason
		default:
			// A broken invariant of ours: the tenant keeps tier 0, the fuzzer sees it.
			m, err = nil, &Refusal{Construct: brokenCompiler, Instead: fmt.Sprint("its function stays on tier 0: ", x)}
		}
	}()
	if lib.effect != nil {
		lib.refuse(lib.effect.Idx0(), "a statement at the top level", "make what it does part of a constant, or of a function")
	}
	literal := lib.functions[r.Function]
	if literal == nil || !lib.exports[r.Function] {
		line, column := 0, 0
		if n := lib.bound[r.Function]; n != nil {
			line, column = lib.position(n.Idx0())
		} else if n := lib.constants[r.Function]; n != nil {
			line, column = lib.position(n.Idx0())
		}
		return nil, &Refusal{line, column, "export of " + r.Function, "write export function " + r.Function + "(…) { … }"}
	}
	c := &compiler{Library: lib, request: r, wide: map[int]bool{}, functions: map[any]*function{}, helpers: map[string]*function{},
		imports: map[string]*callable{}, exitAt: map[exitKey]int{}, texts: map[string]int{}, constants: map[string]value{}, escaped: map[any]bool{}}
	for _, id := range r.Wide {
		c.wide[id] = true
	}
	entry := c.function(literal)
	c.entry = entry
	if literal.ParameterList.Rest != nil { // each argument is a parameter of the entry
		for len(entry.params) < len(r.Args) {
			entry.params = append(entry.params, never)
		}
	}
	for i := range entry.params {
		t := undefinedT
		if i < len(r.Args) {
			t = r.Args[i].argument()
		}
		c.joinParam(entry, i, t, literal.Function)
	}
	c.iterate(entry)
	return c.assemble(entry), nil
}

func (k Kind) argument() Type {
	switch k {
	case KindNull:
		return nullT
	case KindBool:
		return boolT
	case KindInt:
		return safeT
	case KindDouble:
		return numberT
	case KindString:
		return stringT
	case KindText:
		return wideT
	case KindJSON:
		return valueT.with(kNull)
	case KindBytes:
		return viewT(elemU8, 0, true)
	}
	return undefinedT
}

// maxPasses is far above what the bounds of widening need.
const maxPasses = 400

// iterate lowers until a pass changes nothing.
func (c *compiler) iterate(entry *function) {
	for c.pass = 1; ; c.pass++ {
		c.changed = false
		c.order = c.order[:0]
		c.exits, c.exitAt = c.exits[:0], map[exitKey]int{}
		c.shapes, c.shapeAt = c.shapes[:0], map[shapeKey]int{}
		c.need(entry)
		c.lowerAll()
		if !c.changed {
			return
		}
		if c.pass == maxPasses {
			c.refuse(entry.literal.Function, "function "+entry.name, "its types do not settle: simplify it")
		}
	}
}

// again ends a pass early: something was found that changes what it has done.
type again struct{}

// lowerAll lowers the entry and what it reaches.
func (c *compiler) lowerAll() {
	defer func() {
		if x := recover(); x != nil {
			if _, ok := x.(again); !ok {
				panic(x)
			}
			c.changed = true
		}
	}()
	for i := 0; i < len(c.order); i++ {
		c.lowerFunction(c.order[i])
	}
}

// function returns the state of a library function.
func (c *compiler) function(f *ast.FunctionLiteral) *function {
	s := c.functions[f]
	if s == nil {
		s = &function{name: f.Name.Name.String(), literal: f, inst: newInstance(), params: make([]Type, len(f.ParameterList.List))}
		c.functions[f] = s
	}
	return s
}

// need puts a function into this pass.
func (c *compiler) need(f *function) {
	if f.seen != c.pass {
		f.seen = c.pass
		c.order = append(c.order, f)
	}
}

func (c *compiler) joinParam(f *function, i int, t Type, at file.Idx) {
	f.params[i] = c.joinType(f.params[i], t, &f.turns, at)
}

// joinType grows what is known of a parameter or a result.
func (c *compiler) joinType(old, t Type, turns *int, at file.Idx) Type {
	j, ok := join(old, t)
	if !ok {
		c.refuse(at, "a value that is "+old.describe()+" in one place and "+t.describe()+" in another", "use one type for it, or two functions")
	}
	if j == old {
		return old
	}
	if *turns++; *turns > 3 {
		j = j.widen(old)
	}
	c.changed = true
	return j
}

// exit returns the number of an exit.
func (c *compiler) exit(kind ExitKind, at file.Idx, what string, canWiden bool) int {
	key := exitKey{at, kind, what}
	if n, ok := c.exitAt[key]; ok {
		return n
	}
	line, column := c.position(at)
	c.exits = append(c.exits, Exit{Kind: kind, ID: guardID(at, what), CanWiden: canWiden, Line: line, Column: column, Message: what})
	c.exitAt[key] = len(c.exits) - 1
	return len(c.exits) - 1
}

// Guards, by what they watch.
const (
	guardRange   = "an integer leaves ±2^53"
	guardZero    = "an integer result is −0"
	guardElement = "an element beyond the array"
	guardModulo  = "a remainder by zero"
	guardText    = "text that is not ASCII"
	guardWhole   = "a number that is not whole"
	guardValue   = "a JSON value that is a string"
)

var guardNumbers = map[string]int{guardRange: 1, guardZero: 2, guardElement: 3, guardModulo: 4, guardText: 5, guardWhole: 7, guardValue: 6}

func guardID(at file.Idx, what string) int { return int(at)*8 + guardNumbers[what] }

// hostImport declares a host function.
func (c *compiler) hostImport(name string, params, results []valueType) *callable {
	f := c.imports[name]
	if f == nil {
		f = &callable{name: name, sig: signature{params, results}}
		c.imports[name] = f
		c.importSeq = append(c.importSeq, f)
	}
	return f
}

// text puts constant text into the data and returns its offset.
func (c *compiler) text(s string) int {
	at, ok := c.texts[s]
	if !ok {
		for len(c.data)%8 != 0 {
			c.data = append(c.data, 0)
		}
		at = len(c.data)
		c.data = append(c.data, s...)
		c.texts[s] = at
	}
	return at
}
