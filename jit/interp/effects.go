package interp

import (
	"reflect"
	"slices"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// pureMethods change nothing outside what they return.
var pureMethods = set("at", "charAt", "charCodeAt", "codePointAt", "concat", "endsWith", "startsWith", "entries", "every", "filter",
	"find", "findIndex", "findLast", "findLastIndex", "flat", "flatMap", "forEach", "get", "getTime", "has", "hasOwnProperty", "includes", "indexOf",
	"join", "keys", "lastIndexOf", "localeCompare", "map", "match", "matchAll", "normalize", "padEnd", "padStart", "reduce", "reduceRight", "repeat",
	"replace", "replaceAll", "search", "slice", "some", "split", "subarray", "substr", "substring", "toFixed", "toISOString", "toJSON", "toLowerCase",
	"toPrecision", "toReversed", "toSorted", "toSpliced", "toString", "toUpperCase", "trim", "trimEnd", "trimStart", "valueOf", "values", "with")

// changingMethods change their receiver only.
var changingMethods = set("push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin", "set", "add", "delete", "clear")

// freshMethods return an object that nothing else holds.
var freshMethods = set("slice", "map", "filter", "concat", "split", "toReversed", "toSorted", "toSpliced", "flat", "flatMap", "with")

// safeGlobals are objects whose functions change nothing but what is the call's own.
var safeGlobals = set("store", "request", "console", "Math", "JSON", "Number", "String", "Array", "Date", "BigInt", "Symbol")

var safeObjectFunctions = set("keys", "values", "entries", "fromEntries", "create", "is", "hasOwn", "getOwnPropertyNames")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// effects judges which functions may change what a later call sees.
type effects struct {
	names    *names
	code     map[string]ast.Node // module-level functions
	constant map[string]bool     // module-level names of primitive values
	table    map[string]bool     // module-level constant objects of primitives
	numbers  map[string]bool     // module-level constant typed arrays
	module   map[string]bool
	stale    map[string]bool // names that may hold something not made in the call
}

// findMutations returns, for each export, whether it may mutate module state.
// Every rule is a white list: what is not known to be harmless counts.
func findMutations(p *ast.Program, n *names, exports []string) []bool {
	e := &effects{names: n, code: map[string]ast.Node{}, constant: map[string]bool{}, table: map[string]bool{}, numbers: map[string]bool{}, module: map[string]bool{}, stale: map[string]bool{}}
	for _, s := range p.Body {
		e.classify(s)
	}
	e.findStale(p)
	result := make([]bool, len(exports))
	for i, name := range exports {
		node, ok := e.code[name]
		result[i] = !ok || e.mutates(node, map[ast.Node]bool{})
	}
	return result
}

func (e *effects) classify(s ast.Statement) {
	switch s := s.(type) {
	case *ast.FunctionDeclaration:
		name := s.Function.Name.Name.String()
		e.module[name] = true
		e.code[name] = s.Function
	case *ast.ClassDeclaration:
		e.module[s.Class.Name.Name.String()] = true
	case *ast.LexicalDeclaration:
		for _, b := range s.List {
			e.classifyBinding(b, s.Token == token.CONST)
		}
	default:
		syntax.Walk(s, func(c ast.Node) bool {
			switch c := c.(type) {
			case *ast.LexicalDeclaration, *ast.ForLoopInitializerLexicalDecl, *ast.ForDeclaration:
				return false // of the block: no function of the module sees it
			case *ast.Binding:
				e.classifyBinding(c, false)
			}
			return true
		})
	}
}

func (e *effects) classifyBinding(b *ast.Binding, constant bool) {
	syntax.Walk(b.Target, func(c ast.Node) bool {
		if id, ok := c.(*ast.Identifier); ok {
			e.module[id.Name.String()] = true
		}
		return true
	})
	id, ok := b.Target.(*ast.Identifier)
	if !ok || !constant {
		return
	}
	switch v := b.Initializer.(type) {
	case *ast.ArrowFunctionLiteral, *ast.FunctionLiteral:
		e.code[id.Name.String()] = v
	case *ast.ArrayLiteral, *ast.ObjectLiteral:
		e.table[id.Name.String()] = e.primitivesOnly(v)
	case *ast.NewExpression:
		e.numbers[id.Name.String()] = e.typedArray(v)
	default:
		e.constant[id.Name.String()] = e.primitive(v)
	}
}

func (e *effects) primitive(v ast.Expression) bool {
	if _, ok := v.(*ast.StringLiteral); ok {
		return true
	}
	return v != nil && e.names.isNumeric(v)
}

// typedArray says that v makes a typed array: whoever fills it, its elements are numbers.
func (e *effects) typedArray(v *ast.NewExpression) bool {
	id, ok := v.Callee.(*ast.Identifier)
	return ok && !e.names.bound[id.Name.String()] && slices.Contains(kindArrays[:], id.Name.String())
}

func (e *effects) primitivesOnly(v ast.Expression) bool {
	switch v := v.(type) {
	case *ast.ArrayLiteral:
		for _, x := range v.Value {
			if !e.primitive(x) {
				return false
			}
		}
		return true
	case *ast.ObjectLiteral:
		for _, x := range v.Value {
			k, ok := x.(*ast.PropertyKeyed)
			if !ok || k.Computed || k.Kind != ast.PropertyKindValue || !e.primitive(k.Value) {
				return false
			}
		}
		return true
	}
	return false
}

// findStale collects the names that are ever given anything but a new object.
func (e *effects) findStale(p *ast.Program) {
	mark := func(n ast.Node) {
		if n != nil && !reflect.ValueOf(n).IsNil() {
			syntax.Walk(n, func(c ast.Node) bool {
				if id, ok := c.(*ast.Identifier); ok {
					e.stale[id.Name.String()] = true
				}
				return true
			})
		}
	}
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.Binding:
			if !e.fresh(c.Initializer) {
				mark(c.Target)
			}
		case *ast.AssignExpression:
			if c.Operator != token.ASSIGN || !e.fresh(c.Right) {
				mark(c.Left)
			}
		case *ast.ParameterList:
			for _, b := range c.List {
				mark(b.Target)
			}
			mark(c.Rest)
		case *ast.CatchStatement:
			if c.Parameter != nil {
				mark(c.Parameter)
			}
		case *ast.ForDeclaration:
			mark(c.Target)
		case *ast.ForIntoVar:
			mark(c.Binding.Target)
		case *ast.ForIntoExpression:
			mark(c.Expression)
		case *ast.FunctionLiteral:
			if c.Name != nil {
				mark(c.Name)
			}
		case *ast.ClassLiteral:
			if c.Name != nil {
				mark(c.Name)
			}
		}
		return true
	})
}

// fresh says that v makes a new object, or no object at all.
func (e *effects) fresh(v ast.Expression) bool {
	switch v := v.(type) {
	case nil:
		return true
	case *ast.ArrayLiteral, *ast.ObjectLiteral, *ast.RegExpLiteral, *ast.StringLiteral, *ast.TemplateLiteral:
		return true
	case *ast.NewExpression:
		id, ok := v.Callee.(*ast.Identifier)
		return ok && !e.names.bound[id.Name.String()]
	case *ast.CallExpression:
		dot, ok := v.Callee.(*ast.DotExpression)
		if !ok {
			return false
		}
		if id, ok := dot.Left.(*ast.Identifier); ok && !e.names.bound[id.Name.String()] {
			return safeGlobals[id.Name.String()] || id.Name == "Object" && safeObjectFunctions[dot.Identifier.Name.String()]
		}
		return freshMethods[dot.Identifier.Name.String()]
	}
	return e.names.isNumeric(v)
}

// ownTarget says that writing to a member of base changes an object of this
// call only.
func (e *effects) ownTarget(base ast.Expression) bool {
	id, ok := base.(*ast.Identifier)
	if !ok {
		return false
	}
	name := id.Name.String()
	return e.names.bound[name] && !e.module[name] && !e.stale[name]
}

func (e *effects) target(t ast.Expression) bool {
	switch t := t.(type) {
	case *ast.Identifier:
		return e.module[t.Name.String()]
	case *ast.DotExpression:
		return !e.ownTarget(t.Left)
	case *ast.BracketExpression:
		return !e.ownTarget(t.Left)
	}
	found := false
	syntax.Walk(t, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.Identifier:
			found = found || e.module[c.Name.String()]
		case *ast.DotExpression, *ast.BracketExpression:
			found = true
		}
		return !found
	})
	return found
}

func (e *effects) mutates(n ast.Node, seen map[ast.Node]bool) bool {
	if seen[n] {
		return false
	}
	seen[n] = true
	found := false
	syntax.Walk(n, func(c ast.Node) bool {
		if !found {
			found = e.node(c, seen)
		}
		if b, ok := tableRead(c); ok && (e.table[b] || e.numbers[b] && e.numberRead(c)) {
			if bracket, ok := c.(*ast.BracketExpression); ok {
				found = found || e.mutates(bracket.Member, seen)
			}
			return false
		}
		return !found
	})
	return found
}

// tableRead recognises table[i] and table.name.
func tableRead(c ast.Node) (string, bool) {
	var base ast.Expression
	switch c := c.(type) {
	case *ast.BracketExpression:
		base = c.Left
	case *ast.DotExpression:
		base = c.Left
	}
	id, ok := base.(*ast.Identifier)
	if !ok {
		return "", false
	}
	return id.Name.String(), true
}

// numberRead says that a member of a typed array is an element or its length; its
// buffer would let a new view write to it.
func (e *effects) numberRead(c ast.Node) bool {
	switch c := c.(type) {
	case *ast.BracketExpression:
		return e.names.isNumeric(c.Member)
	case *ast.DotExpression:
		return c.Identifier.Name == "length"
	}
	return false
}

func (e *effects) node(c ast.Node, seen map[ast.Node]bool) bool {
	switch c := c.(type) {
	case *ast.Identifier:
		name := c.Name.String()
		if code, ok := e.code[name]; ok {
			return e.mutates(code, seen)
		}
		return e.module[name] && !e.constant[name]
	case *ast.AssignExpression:
		return e.target(c.Left)
	case *ast.UnaryExpression:
		if c.Operator == token.INCREMENT || c.Operator == token.DECREMENT || c.Operator == token.DELETE {
			return e.target(c.Operand)
		}
	case *ast.ForIntoExpression:
		return e.target(c.Expression)
	case *ast.CallExpression:
		return e.call(c.Callee)
	case *ast.NewExpression:
		id, ok := c.Callee.(*ast.Identifier)
		return !ok || e.names.bound[id.Name.String()]
	case *ast.ClassLiteral, *ast.ThisExpression, *ast.SuperExpression, *ast.YieldExpression, *ast.PrivateDotExpression:
		return true
	case *ast.TemplateLiteral:
		return c.Tag != nil
	}
	return false
}

func (e *effects) call(callee ast.Expression) bool {
	switch c := callee.(type) {
	case *ast.Identifier, *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
		return false
	case *ast.DotExpression:
		method := c.Identifier.Name.String()
		if id, ok := c.Left.(*ast.Identifier); ok && !e.names.bound[id.Name.String()] {
			return !safeGlobals[id.Name.String()] && !(id.Name == "Object" && safeObjectFunctions[method])
		}
		return !pureMethods[method] && !(changingMethods[method] && e.ownTarget(c.Left))
	}
	return true
}
