package compile

import (
	"math"

	"github.com/dop251/goja/ast"
)

// arrayCall lowers the functions of Array and of the typed arrays' constructors.
func (l *lower) arrayCall(e *ast.CallExpression, class, name string) value {
	if name == "isArray" && class == "Array" && len(e.ArgumentList) == 1 {
		v := l.expr(e.ArgumentList[0])
		if l.flow == nil {
			return nothing()
		}
		return boolValue(l.keep(v).isKind(kArray))
	}
	if name != "from" || class != "Array" || len(e.ArgumentList) == 0 || len(e.ArgumentList) > 2 {
		l.refuse(e.Callee.Idx0(), class+"."+name, "write a loop")
	}
	at := e.Idx0()
	var call func([]value) value
	if len(e.ArgumentList) == 2 {
		call = l.callback(e.ArgumentList[1], e)
	}
	if n, ok := l.lengthObject(e.ArgumentList[0]); ok {
		return l.arrayOfLength(e, n, call)
	}
	source := l.expr(e.ArgumentList[0])
	if l.flow == nil {
		return nothing()
	}
	source = l.iterable(l.keep(source), at)
	out := l.newList(constI32(listRoom), heapT(kArray, l.newCell(e)))
	take := func(x, i value) {
		if call != nil {
			x = call([]value{x, i})
		}
		if l.flow != nil {
			l.push(out, l.keep(x), at)
		}
	}
	if source.t.only(kSet) {
		if call != nil {
			l.refuse(at, "Array.from of a set with a function", "map the array")
		}
		l.eachEntry(e, at, source, func(key, _ value, _ *jump) { take(key, key) })
		return out
	}
	s := l.sequenceOf(source, call != nil, at)
	l.burnElements(s.length)
	l.burnSteps(s.length)
	l.eachElement(e, at, s, func(i, x value, _ *jump) { take(x, i) })
	return out
}

// lengthObject is the n of {length: n}.
func (l *lower) lengthObject(e ast.Expression) (ast.Expression, bool) {
	o, ok := e.(*ast.ObjectLiteral)
	if !ok || len(o.Value) != 1 {
		return nil, false
	}
	name, x := l.property(o.Value[0])
	return x, name == "length"
}

// elementCount is a length that an array is made with; what is none is for tier 0.
func (l *lower) elementCount(e ast.Expression) *tree {
	n := l.expr(e)
	if l.flow == nil {
		return constI32(0)
	}
	if !n.t.only(kInt | kNumber) {
		l.refuse(e.Idx0(), "a length that is "+n.t.describe(), "use a whole number")
	}
	n = l.simple(n)
	i := l.temp(n.integer())
	if !n.t.only(kInt) {
		l.exitIf(binary2(opF64Ne, unary(opF64ConvI64S, i), n.n), ExitGuard, e.Idx0(), "a length that is not whole", false)
	}
	l.exitIf(binary2(opI64GtU, i, constI64(maxElements>>7)), ExitGuard, e.Idx0(), "an array of this length", false)
	if l.flow == nil {
		return constI32(0)
	}
	return l.temp(unary(opI32WrapI64, i))
}

// arrayOfLength is Array.from({length: n}, f).
func (l *lower) arrayOfLength(e *ast.CallExpression, length ast.Expression, call func([]value) value) value {
	at := e.Idx0()
	n := l.elementCount(length)
	if l.flow == nil {
		return nothing()
	}
	l.burnElements(n) // for the argument, and again for the array
	l.burnElements(n)
	out := l.newList(l.atLeast(n, listRoom), heapT(kArray, l.newCell(e)))
	l.eachIndex(e, at, n, func(i value, _ *jump) {
		x := undefinedValue()
		if call != nil {
			x = call([]value{x, i})
		}
		if l.flow != nil {
			l.push(out, l.keep(x), at)
		}
	})
	return out
}

// filledArray is new Array(n).fill(x), without the holes in between.
func (l *lower) filledArray(e *ast.CallExpression, callee *ast.DotExpression) (value, bool) {
	made, ok := callee.Left.(*ast.NewExpression)
	if !ok || len(made.ArgumentList) != 1 || len(e.ArgumentList) != 1 || callee.Identifier.Name != "fill" {
		return value{}, false
	}
	if id, ok := made.Callee.(*ast.Identifier); !ok || id.Name != "Array" || l.isBound("Array") {
		return value{}, false
	}
	at := e.Idx0()
	n := l.elementCount(made.ArgumentList[0])
	if l.flow == nil {
		return nothing(), true
	}
	l.burnElements(n)
	x := l.expr(e.ArgumentList[0])
	if l.flow == nil {
		return nothing(), true
	}
	x = l.keep(x)
	l.burnElements(n)
	l.burnExtent(x)
	out := l.newList(l.atLeast(n, listRoom), heapT(kArray, l.newCell(e)))
	slot := l.temp(l.slotOf(out.t.cell(), x, at))
	l.eachIndex(e, at, n, func(i value, _ *jump) {
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{slotAddress(out, unary(opI32WrapI64, i.n))}, value: slot})
	})
	l.store32(out.n, listLen, n)
	return out, true
}

// setOf is new Set(iterable).
func (l *lower) setOf(e *ast.NewExpression) value {
	source := l.expr(e.ArgumentList[0])
	if l.flow == nil {
		return nothing()
	}
	source = l.keep(source)
	out := l.newList(constI32(listRoom), setT)
	if source.t.only(kNil) {
		return out
	}
	source = l.iterable(source, e.New)
	add := func(x value) {
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperAdd), values: []*tree{out.n, l.numberKey(x, e.New)}})
	}
	if source.t.only(kSet) {
		l.eachEntry(e, e.New, source, func(key, _ value, _ *jump) { add(key) })
		return out
	}
	s := l.sequenceOf(source, false, e.New)
	l.burnTree(unary(opI64ExtI32U, s.length))
	if source.t.only(kView) {
		l.burnSteps(s.length)
	}
	l.eachElement(e, e.New, s, func(_, x value, _ *jump) { add(x) })
	return out
}

// typedArrayFrom is new Float64Array(list) of an array or a typed array.
func (l *lower) typedArrayFrom(e *ast.NewExpression, elem element, source value) value {
	source = l.keep(source)
	s := l.sequenceOf(source, false, e.New)
	l.burnElements(s.length)
	if source.t.only(kArray) && l.iterators {
		some := l.temp(s.length)
		l.branch(some, func() { l.burnSteps(s.length) }, nil)
	}
	out := l.scratchView(elem, s.length)
	l.eachElement(e, e.New, s, func(i, x value, _ *jump) {
		l.storeElement(out, unary(opI32WrapI64, i.n), l.number(l.simple(x), e.New))
	})
	return out
}

// spreadExtreme is Math.max(...list) and Math.min(...list).
func (l *lower) spreadExtreme(e *ast.CallExpression, name string) (value, bool) {
	if len(e.ArgumentList) != 1 || name != "max" && name != "min" {
		return value{}, false
	}
	spread, ok := e.ArgumentList[0].(*ast.SpreadElement)
	if !ok {
		return value{}, false
	}
	source := l.expr(spread.Expression)
	if l.flow == nil {
		return nothing(), true
	}
	at := spread.Expression.Idx0()
	source = l.iterable(l.keep(source), at)
	if source.t.only(kSet) {
		l.refuse(at, "Math."+name+" of a set", "write a loop")
	}
	op, start := opF64Max, math.Inf(-1)
	if name == "min" {
		op, start = opF64Min, math.Inf(1)
	}
	best := l.newLocal(f64)
	l.emit(setLocal(best, constF64(start)))
	s := l.sequenceOf(source, false, at)
	l.burnSteps(s.length)
	l.eachElement(e, at, s, func(_, x value, _ *jump) {
		d := l.simple(l.number(l.simple(x), at)).double()
		l.emit(setLocal(best, binary2(op, localGet(best, f64), d)))
	})
	return numberValue(l.temp(localGet(best, f64))), true
}
