package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// eachElement loops over a view: body gets index and element, and the label
// that ends the loop. The length is the view's, which does not change.
func (l *lower) eachElement(key any, at file.Idx, v value, body func(i, x value, j *jump)) {
	index := l.inst.variable([2]any{key, "index"}, "")
	l.allocate(index)
	l.assign(index, intValue(constI64(0), intT(0, 0)), at)
	j := &jump{end: &label{}, ret: l.ret}
	head := &label{used: true}
	l.wrap(j.end, func() {
		back := l.loopHead(key)
		code := l.into(func() {
			i := l.read(index)
			j.end.used = true
			j.endFlow = merge(j.endFlow, l.flow.clone())
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI64GeS, i.n, unary(opI64ExtI32U, v.m)), label: j.end})
			i = l.keep(i)
			i.t = intT(max(i.t.lo, 0), maxElements)
			x := l.elementAt(v, unary(opI32WrapI64, i.n))
			l.assign(index, intValue(binary2(opI64Add, i.n, constI64(1)), intT(1, maxElements)), at)
			body(i, x, j)
			if l.flow != nil {
				l.emit(&statement{kind: stmtBr, label: head})
			}
			back()
		})
		*l.out = append(*l.out, &statement{kind: stmtLoop, label: head, body: code})
		l.flow = nil
	})
	l.flow = merge(l.flow, j.endFlow)
}

// leave goes to the end of a loop that eachElement made.
func (l *lower) leaveLoop(j *jump) {
	if l.flow == nil {
		return
	}
	j.endFlow = merge(j.endFlow, l.flow)
	l.emit(&statement{kind: stmtBr, label: j.end})
	l.flow = nil
}

// viewMethod lowers a method of a typed array that goes over it once.
func (l *lower) viewMethod(e *ast.CallExpression, name string, v value) value {
	at := e.Idx0()
	result := func() *variable {
		r := l.inst.variable([2]any{e, "result"}, "the result of "+name)
		l.allocate(r)
		return r
	}
	// Tier 0 burns for the whole array before it begins: 16 bytes an element.
	burn := func() { l.burnTree(binary2(opI64ShrU, unary(opI64ExtI32U, v.m), constI64(2))) }
	v = l.keep(v)
	if out, ok := l.bulkMethod(e, name, v); ok {
		return out
	}
	switch name {
	case "indexOf", "includes":
		return l.viewSearch(e, name, v, result, burn)
	case "forEach", "reduce", "some", "every", "find", "findIndex":
	default:
		l.refuse(e.Callee.Idx0(), "method "+name+" of a typed array", "write a loop")
	}
	if len(e.ArgumentList) == 0 {
		l.refuse(at, name+" without a function", "give it one")
	}
	call := l.callback(e.ArgumentList[0], e)
	r := result()
	switch name {
	case "reduce":
		if len(e.ArgumentList) != 2 {
			l.refuse(at, "reduce without a first value", "give it one")
		}
		first := l.keep(l.expr(e.ArgumentList[1]))
		if l.flow == nil {
			return nothing()
		}
		burn()
		l.assign(r, first, at)
		l.eachElement(e, at, v, func(i, x value, _ *jump) { l.assign(r, call([]value{l.keep(l.read(r)), x, i, v}), at) })
	case "forEach":
		burn()
		l.assign(r, undefinedValue(), at)
		l.eachElement(e, at, v, func(i, x value, _ *jump) { call([]value{x, i, v}) })
	default:
		burn()
		start := map[string]value{"some": boolValue(constI32(0)), "every": boolValue(constI32(1)), "find": undefinedValue(), "findIndex": constNumber(-1)}[name]
		l.assign(r, start, at)
		l.eachElement(e, at, v, func(i, x value, j *jump) {
			y := call([]value{x, i, v})
			if l.flow == nil {
				return
			}
			hit := l.simple(y).truthy()
			found := map[string]value{"some": boolValue(constI32(1)), "every": boolValue(constI32(0)), "find": x, "findIndex": i}[name]
			if name == "every" {
				hit = not(hit)
			}
			l.branch(hit, func() { l.assign(r, found, at); l.leaveLoop(j) }, nil)
		})
	}
	if l.flow == nil {
		return nothing()
	}
	return l.keep(l.read(r))
}

func (l *lower) viewSearch(e *ast.CallExpression, name string, v value, result func() *variable, burn func()) value {
	at := e.Idx0()
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if len(args) != 1 || !args[0].t.only(kInt|kNumber) {
		l.refuse(at, name+" of something that may not be a number, or with a start", "write a loop")
	}
	want := l.keep(args[0])
	r := result()
	burn()
	missing, found := constNumber(-1), func(i value) value { return i }
	if name == "includes" {
		missing, found = boolValue(constI32(0)), func(value) value { return boolValue(constI32(1)) }
	}
	l.assign(r, missing, at)
	l.eachElement(e, at, v, func(i, x value, j *jump) {
		c := l.strictEquals(x, want, at)
		if name == "includes" && want.t.has(kNumber) { // NaN is found, too
			w, y := want.double(), l.simple(x).double()
			c = binary2(opI32Or, c, binary2(opI32And, binary2(opF64Ne, w, w), binary2(opF64Ne, y, y)))
		}
		l.branch(c, func() { l.assign(r, found(i), at); l.leaveLoop(j) }, nil)
	})
	return l.keep(l.read(r))
}

// callback resolves a function that a method is given; it is inlined there.
func (l *lower) callback(e ast.Expression, site *ast.CallExpression) func(args []value) value {
	switch e := e.(type) {
	case *ast.ArrowFunctionLiteral, *ast.FunctionLiteral:
		c := &closure{e, l.scope}
		return func(args []value) value { return l.inlineClosure(c, site, args) }
	case *ast.Identifier:
		name := e.Name.String()
		if b := l.scope.find(name); b != nil {
			if b.closure != nil {
				return func(args []value) value { return l.inlineClosure(b.closure, site, args) }
			}
		} else if f := l.Library.functions[name]; f != nil {
			return func(args []value) value { return l.callFunction(f, site, args) }
		}
	}
	l.refuse(e.Idx0(), "this function argument", "write the function there, as in (x) => …")
	return nil
}
