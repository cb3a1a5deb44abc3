package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// Inlining: a library function of at most inlineNodes syntax nodes is inlined,
// inlineDepth levels deep, as long as the function around it stays small. A
// call costs 3 to 4 ns, about half of a lookup.
const (
	inlineNodes = 90
	inlineDepth = 2
	inlineSize  = 1200 // statements
)

func (l *lower) call(e *ast.CallExpression) value {
	switch callee := e.Callee.(type) {
	case *ast.Identifier:
		return l.callNamed(e, callee)
	case *ast.DotExpression:
		if id, ok := callee.Left.(*ast.Identifier); ok && !l.isBound(id.Name.String()) {
			name := callee.Identifier.Name.String()
			switch id.Name {
			case "store":
				return l.storeCall(e, name)
			case "Math":
				return l.mathCall(e, name)
			case "request":
				if name == "random" {
					return l.random()
				}
			case "Number":
				return l.numberCall(e, name)
			case "JSON":
				return l.jsonFunction(e, name)
			case "Date":
				if name == "now" && len(e.ArgumentList) == 0 {
					return intValue(globalGet(globalNow), versionT)
				}
			case "String":
				if name == "fromCharCode" {
					return l.fromCharCode(e)
				}
			case "Array":
				return l.arrayCall(e, "Array", name)
			case "console":
				return l.consoleCall(e, name)
			}
			l.refuse(id.Idx, id.Name.String()+"."+name, "compiled functions know store, Math, Number and request")
		}
		return l.methodCall(e, callee)
	}
	l.refuse(e.Idx0(), "a call of a computed function", "call a function by its name")
	return nothing()
}

func (l *lower) callNamed(e *ast.CallExpression, id *ast.Identifier) value {
	name := id.Name.String()
	if b := l.scope.find(name); b != nil {
		if b.closure == nil {
			l.refuse(id.Idx, "a call of the variable "+name, "declare the function with const or function")
		}
		return l.inlineClosure(b.closure, e, l.arguments(e.ArgumentList))
	}
	if f := l.Library.functions[name]; f != nil {
		return l.callFunction(f, e, l.arguments(e.ArgumentList))
	}
	if l.Library.bound[name] == nil {
		if v, ok := l.globalCall(e, name); ok {
			return v
		}
	}
	l.refuse(id.Idx, "a call of "+name, "call functions of the library, store or Math")
	return nothing()
}

// arguments lowers a call's arguments in order.
func (l *lower) arguments(list []ast.Expression) []value {
	var args []value
	var marks []int
	for _, a := range list {
		if s, ok := a.(*ast.SpreadElement); ok {
			l.refuse(s.Idx0(), "a spread argument", "pass the elements one by one")
		}
		args = append(args, l.expr(a))
		marks = append(marks, l.mark())
		if l.flow == nil {
			return args
		}
	}
	// Later arguments first: holding one inserts code behind its mark only.
	for i := len(args) - 1; i >= 0; i-- {
		args[i] = l.hold(args[i], marks[i])
	}
	return args
}

func (l *lower) callFunction(f *ast.FunctionLiteral, e *ast.CallExpression, args []value) value {
	if l.flow == nil {
		return nothing()
	}
	if f.Generator || f.Async {
		l.refuse(e.Idx0(), "a call of a generator or async function", "use an ordinary function")
	}
	if f.ParameterList.Rest != nil || l.depth < inlineDepth && l.f.size < inlineSize && l.nodesOf(f) <= inlineNodes {
		return l.inline(e, f, f.ParameterList, f.Body, args, nil)
	}
	target := l.compiler.function(f)
	l.need(target)
	s := &statement{kind: stmtCall, callee: &target.callable, values: []*tree{l.callDepth(), localGet(l.fuel, i64)}, sets: []int{l.fuel}}
	for i := range target.params {
		arg := undefinedValue()
		if i < len(args) {
			arg = l.simple(args[i])
		}
		l.joinParam(target, i, arg.t, e.Idx0())
		arg = l.convert(arg, target.params[i])
		s.values = append(s.values, arg.n)
		if arg.m != nil {
			s.values = append(s.values, arg.m)
		}
	}
	if target.result.has(kJSON) {
		l.refuse(e.Idx0(), "a call of "+target.name+", which returns an object", "return numbers, strings or typed arrays from functions that others call")
	}
	out := value{t: target.result, rep: target.result.rep()}
	if !target.result.isNever() {
		for i, t := range out.rep.valueTypes() {
			n := l.newLocal(t)
			l.stable[n] = true
			s.sets = append(s.sets, n)
			if i == 0 {
				out.n = localGet(n, t)
			} else {
				out.m = localGet(n, t)
			}
		}
	}
	l.calledFrom(target)
	l.emit(s)
	l.afterCall(target)
	if target.result.isNever() {
		l.emit(&statement{kind: stmtUnreachable})
		return nothing()
	}
	return out
}

// callDepth is how many calls may still be nested inside the one that is made.
func (l *lower) callDepth() *tree {
	return binary2(opI32Sub, localGet(0, i32), constI32(int32(l.depth+1)))
}

func (l *lower) nodesOf(f *ast.FunctionLiteral) int {
	n := 0
	syntax.Walk(f, func(ast.Node) bool { n++; return n <= inlineNodes })
	return n
}

// inlineClosure lowers the body of a function value where it is called.
func (l *lower) inlineClosure(c *closure, e *ast.CallExpression, args []value) value {
	if l.flow == nil {
		return nothing()
	}
	switch f := c.node.(type) {
	case *ast.FunctionLiteral:
		if f.Generator || f.Async {
			l.refuse(f.Function, "a generator or async function", "use an ordinary function")
		}
		return l.inline(e, f, f.ParameterList, f.Body, args, c.scope)
	case *ast.ArrowFunctionLiteral:
		if f.Async {
			l.refuse(f.Start, "an async function", "use an ordinary function")
		}
		switch body := f.Body.(type) {
		case *ast.BlockStatement:
			return l.inline(e, f, f.ParameterList, body, args, c.scope)
		case *ast.ExpressionBody:
			return l.inline(e, f, f.ParameterList, returning(body.Expression), args, c.scope)
		}
	}
	l.refuse(e.Idx0(), "a call of this function", "call a function by its name")
	return nothing()
}

// maxInlined bounds closures within closures; a closure that calls itself
// meets it, too.
const maxInlined = 12

func (l *lower) inline(site ast.Node, key ast.Node, params *ast.ParameterList, block *ast.BlockStatement, args []value, in *scope) value {
	if l.depth >= maxInlined {
		l.refuse(site.Idx0(), "a local function that calls itself", "make it a function of the library")
	}
	for i := range args {
		args[i] = l.simple(args[i])
	}
	outer := *l
	l.inst = l.inst.child(site)
	if l.inst.resultVar == nil {
		l.inst.resultVar = &variable{name: "the result"}
	}
	result := l.inst.resultVar
	l.scope = newScope(in)
	l.depth++
	l.ret = &returns{inlined: true, end: &label{}}
	l.exitIf(binary2(opI32LeS, localGet(0, i32), constI32(int32(l.depth))), ExitDepth, key.Idx0(), "", false)
	l.allocate(result)
	l.wrap(l.ret.end, func() {
		l.body(key, params, block, args)
		if l.flow != nil {
			l.assign(result, undefinedValue(), site.Idx0())
		}
	})
	after := merge(l.flow, l.ret.flow)
	l.inst, l.scope, l.depth, l.ret = outer.inst, outer.scope, outer.depth, outer.ret
	l.flow = after
	if after == nil {
		return nothing()
	}
	return l.simple(l.read(result))
}

// globalCall knows the functions that need no object.
func (l *lower) globalCall(e *ast.CallExpression, name string) (value, bool) {
	switch name {
	case "Number", "isNaN", "isFinite", "Boolean", "String", "parseInt", "parseFloat":
	default:
		return value{}, false
	}
	if name == "Number" && len(e.ArgumentList) == 1 {
		if v, ok := l.numberOf(e, e.ArgumentList[0]); ok {
			return v, true
		}
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing(), true
	}
	x := undefinedValue()
	if len(args) > 0 {
		x = l.simple(args[0])
	}
	switch name {
	case "parseInt", "parseFloat":
		return l.parseNumber(e, name, args), true
	case "Boolean":
		return boolValue(x.truthy()), true
	case "String":
		if len(args) == 0 {
			return l.stringConstant("", e.Idx0()), true
		}
		return l.toText(x, e.Idx0()), true
	case "Number":
		if len(args) == 0 {
			return constNumber(0), true
		}
		return l.number(x, e.Idx0()), true
	case "isNaN":
		return boolValue(not(l.finite(x, e.Idx0(), false))), true
	}
	return boolValue(l.finite(x, e.Idx0(), true)), true
}

// numberOf is Number(x) where x is text, or text ?? number: what store.text
// gives, with a default.
func (l *lower) numberOf(e *ast.CallExpression, x ast.Expression) (value, bool) {
	left, fallback := x, ast.Expression(nil)
	if b, ok := x.(*ast.BinaryExpression); ok && b.Operator == token.COALESCE {
		left, fallback = b.Left, b.Right
	}
	call, ok := left.(*ast.CallExpression)
	if !ok {
		return value{}, false
	}
	if d, ok := call.Callee.(*ast.DotExpression); !ok || d.Identifier.Name != "text" {
		return value{}, false
	}
	v := l.expr(left)
	if l.flow == nil {
		return nothing(), true
	}
	v = l.keep(v)
	if !v.t.only(kString | kNil) {
		l.refuse(e.Idx0(), "Number of "+v.t.describe(), "use a number or text")
	}
	nan := numberValue(constF64(nan))
	c := l.temp(v.isNil())
	yes, no := l.ways(c)
	return l.either(e, c, yes, no, func() value {
		if fallback == nil {
			return nan
		}
		return l.number(l.simple(l.expr(fallback)), e.Idx0())
	}, func() value {
		n := l.newLocal(f64)
		l.stable[n] = true
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("numberOfText", []valueType{i32, i32}, []valueType{f64}), values: []*tree{v.n, v.m}, sets: []int{n}})
		return numberValue(localGet(n, f64))
	}, e.Idx0()), true
}

// finite is isFinite of a number, or with infinities !isNaN.
func (l *lower) finite(x value, at file.Idx, strict bool) *tree {
	x = l.number(x, at)
	if x.t.only(kInt) {
		return constI32(1)
	}
	d := l.temp(x.n)
	if strict {
		d = binary2(opF64Sub, d, d)
	}
	d = l.temp(d)
	return binary2(opF64Eq, d, d)
}

func (l *lower) numberCall(e *ast.CallExpression, name string) value {
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if name == "parseInt" || name == "parseFloat" {
		return l.parseNumber(e, name, args)
	}
	x := undefinedValue()
	if len(args) > 0 {
		x = l.simple(args[0])
	}
	isNumber := x.t.only(kInt | kNumber)
	if !isNumber && x.t.has(kInt|kNumber) {
		l.refuse(e.Idx0(), "Number."+name+" of "+x.t.describe(), "test for undefined first")
	}
	switch name {
	case "isInteger", "isSafeInteger":
		if !isNumber || x.t.only(kInt) {
			return boolValue(constI32(int32(b2i(isNumber))))
		}
		d := x.n
		whole := binary2(opF64Eq, unary(opF64Trunc, d), d)
		limit := binary2(opF64Lt, unary(opF64Abs, d), constF64(infinity))
		if name == "isSafeInteger" {
			limit = binary2(opF64Le, unary(opF64Abs, d), constF64(maxSafe))
		}
		return boolValue(binary2(opI32And, whole, limit))
	case "isFinite", "isNaN":
		if !isNumber {
			return boolValue(constI32(0))
		}
		c := l.finite(x, e.Idx0(), name == "isFinite")
		if name == "isNaN" {
			c = not(c)
		}
		return boolValue(c)
	}
	l.refuse(e.Idx0(), "Number."+name, "use Number.isInteger, isSafeInteger, isFinite or isNaN")
	return nothing()
}
