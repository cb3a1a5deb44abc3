package interp

import (
	"math/big"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// names is what a program spells: which decides, before it runs, which
// builtins it can reach. Names made at run time count as all of them.
type names struct {
	spelled map[string]bool // identifiers, property names, string literals
	bound   map[string]bool // names the program declares anywhere
	// dynamic: the program reaches builtins in ways that cannot be watched, so
	// any of them can be meant.
	dynamic bool
	// computed: a property is named by a value that is not known to be a
	// number. Such values are looked at when they are used (guard_lazy.go).
	computed bool
	bigInt   bool // BigInt can occur, so * ** << can explode
	// exotic: accessors or prototypes may be changed, so that .length of a
	// view need not be a number.
	exotic     bool
	generators bool
	tampers    bool            // builtin prototypes can be got hold of, and changed
	spreads    bool            // native code may run an iterator to its end
	numeric    map[string]bool // names that never hold a string, BigInt or object
	views      map[string]bool // names that hold only what a typed store view returned
	returns    map[string]bool // top-level functions that return numbers only
}

// reaching lists properties that make further properties reachable by value.
var reaching = []string{"getOwnPropertyDescriptors", "getOwnPropertyDescriptor", "Reflect", "constructor",
	"__lookupGetter__", "__lookupSetter__"}

// sealing lists what could keep a guard from being put in place later.
var sealing = []string{"freeze", "seal", "preventExtensions", "defineProperty", "defineProperties", "__defineGetter__", "__defineSetter__"}

// tampering lists the spelled ways to a builtin prototype; the computed ones
// put all guards in place first.
var tampering = []string{"prototype", "__proto__", "getPrototypeOf", "isPrototypeOf", "setPrototypeOf", "Object", "Reflect", "Symbol"}

var redefining = []string{"defineProperty", "defineProperties", "__defineGetter__", "__defineSetter__",
	"setPrototypeOf", "__proto__", "Reflect", "create"}

func collectNames(p *ast.Program) *names {
	n := &names{spelled: map[string]bool{}, bound: map[string]bool{}}
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.Identifier:
			n.spelled[c.Name.String()] = true
		case *ast.StringLiteral:
			n.spelled[c.Value.String()] = true
		case *ast.NumberLiteral:
			if _, ok := c.Value.(*big.Int); ok {
				n.bigInt = true
			}
		case *ast.FunctionLiteral:
			n.generators = n.generators || c.Generator
		case *ast.ClassLiteral:
			n.tampers = true
		case *ast.SpreadElement, *ast.ArrayPattern, *ast.YieldExpression:
			n.spreads = true
		}
		return true
	})
	for _, name := range []string{"BigInt", "BigInt64Array", "BigUint64Array"} {
		n.bigInt = n.bigInt || n.spelled[name]
	}
	for _, name := range tampering {
		n.tampers = n.tampers || n.spelled[name]
	}
	n.collectBound(p)
	n.infer(p)
	n.findDynamic(p)
	if n.dynamic || n.computed {
		n.infer(p) // then .length of a view is no longer trusted
	}
	return n
}

func (n *names) findDynamic(p *ast.Program) {
	for _, name := range reaching {
		n.dynamic = n.dynamic || n.spelled[name]
	}
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.BracketExpression:
			n.computed = n.computed || n.isComputed(c)
		case *ast.ObjectPattern:
			for _, p := range c.Properties {
				if k, ok := p.(*ast.PropertyKeyed); ok && k.Computed {
					n.dynamic = true
				}
			}
		}
		return true
	})
	for _, name := range sealing {
		n.dynamic = n.dynamic || n.computed && n.spelled[name]
	}
}

// isComputed says that a string may be used as the name.
func (n *names) isComputed(c *ast.BracketExpression) bool {
	_, literal := c.Member.(*ast.StringLiteral)
	return !literal && !n.isNumeric(c.Member) && !symbolName(c.Member)
}

// symbolName recognises Symbol.iterator and its kin.
func symbolName(e ast.Expression) bool {
	d, ok := e.(*ast.DotExpression)
	if !ok {
		return false
	}
	id, ok := d.Left.(*ast.Identifier)
	return ok && id.Name == "Symbol"
}

func (n *names) collectBound(p *ast.Program) {
	bind := func(t ast.Node) {
		if t == nil {
			return
		}
		syntax.Walk(t, func(c ast.Node) bool {
			switch c := c.(type) {
			case *ast.Identifier:
				n.bound[c.Name.String()] = true
			case *ast.PropertyKeyed, *ast.PropertyShort, *ast.ObjectPattern, *ast.ArrayPattern, *ast.Binding, *ast.AssignExpression:
			}
			return true
		})
	}
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.Binding:
			bind(c.Target)
		case *ast.FunctionLiteral:
			if c.Name != nil {
				bind(c.Name)
			}
		case *ast.ClassLiteral:
			if c.Name != nil {
				bind(c.Name)
			}
		case *ast.CatchStatement:
			if c.Parameter != nil {
				bind(c.Parameter)
			}
		case *ast.ForDeclaration:
			bind(c.Target)
		case *ast.ParameterList:
			if c.Rest != nil {
				bind(c.Rest)
			}
		}
		return true
	})
}

// infer finds the largest sets of names that hold numbers only, or views only:
// it begins with all and takes out what the program contradicts, until nothing
// changes. Scopes are ignored: a name is judged by all its uses together.
func (n *names) infer(p *ast.Program) {
	n.numeric, n.views, n.returns = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for name := range n.bound {
		n.numeric[name], n.views[name] = true, true
	}
	for _, s := range p.Body {
		if f, ok := s.(*ast.FunctionDeclaration); ok && !f.Function.Generator && !f.Function.Async {
			n.returns[f.Function.Name.Name.String()] = true
		}
	}
	for _, name := range redefining {
		n.exotic = n.exotic || n.spelled[name]
	}
	for {
		before := len(n.numeric) + len(n.views) + len(n.returns)
		n.contradict(p)
		if len(n.numeric)+len(n.views)+len(n.returns) == before {
			return
		}
	}
}

func (n *names) drop(t ast.Node) {
	if t == nil {
		return
	}
	syntax.Walk(t, func(c ast.Node) bool {
		if id, ok := c.(*ast.Identifier); ok {
			delete(n.numeric, id.Name.String())
			delete(n.views, id.Name.String())
			delete(n.returns, id.Name.String())
		}
		return true
	})
}

// assigned judges one value given to one target.
func (n *names) assigned(target ast.Node, value ast.Expression) {
	id, ok := target.(*ast.Identifier)
	if !ok {
		n.drop(target)
		return
	}
	name := id.Name.String()
	delete(n.returns, name)
	if value != nil && !n.isNumeric(value) {
		delete(n.numeric, name)
	}
	if value == nil || !n.isView(value) {
		delete(n.views, name)
	}
}

func (n *names) contradict(p *ast.Program) {
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.ParameterList:
			for _, b := range c.List {
				n.drop(b.Target)
			}
			n.drop(c.Rest)
		case *ast.Binding:
			n.assigned(c.Target, c.Initializer)
		case *ast.AssignExpression:
			n.judgeAssignment(c)
		case *ast.UnaryExpression:
			if c.Operator == token.INCREMENT || c.Operator == token.DECREMENT {
				if id, ok := c.Operand.(*ast.Identifier); ok {
					delete(n.views, id.Name.String())
				}
			}
		case *ast.FunctionLiteral:
			n.judgeFunction(c)
		case *ast.ClassLiteral:
			if c.Name != nil {
				n.drop(c.Name)
			}
		case *ast.CatchStatement:
			if c.Parameter != nil {
				n.drop(c.Parameter)
			}
		case *ast.ForDeclaration:
			n.drop(c.Target)
		case *ast.ForIntoVar:
			n.drop(c.Binding.Target)
		case *ast.ForIntoExpression:
			n.drop(c.Expression)
		}
		return true
	})
}

func (n *names) judgeAssignment(c *ast.AssignExpression) {
	switch c.Operator {
	case token.ASSIGN:
		if id, ok := c.Left.(*ast.Identifier); ok {
			n.assigned(id, c.Right)
			return
		}
		switch c.Left.(type) {
		case *ast.ArrayPattern, *ast.ObjectPattern:
			n.drop(c.Left)
		}
	default:
		if id, ok := c.Left.(*ast.Identifier); ok {
			delete(n.views, id.Name.String())
			delete(n.returns, id.Name.String())
			arithmetic := c.Operator != token.PLUS && c.Operator != token.LOGICAL_AND && c.Operator != token.LOGICAL_OR && c.Operator != token.COALESCE
			if n.bigInt && !n.isNumeric(c.Right) || !arithmetic && !n.isNumeric(c.Right) {
				delete(n.numeric, id.Name.String())
			}
		}
	}
}

// judgeFunction drops the function's own name from the variables, and from
// those that return numbers if one return gives anything else.
func (n *names) judgeFunction(f *ast.FunctionLiteral) {
	if f.Name == nil {
		return
	}
	name := f.Name.Name.String()
	delete(n.numeric, name)
	delete(n.views, name)
	syntax.Walk(f.Body, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.ClassLiteral:
			return false
		case *ast.ReturnStatement:
			if c.Argument != nil && !n.isNumeric(c.Argument) {
				delete(n.returns, name)
			}
		}
		return true
	})
}
