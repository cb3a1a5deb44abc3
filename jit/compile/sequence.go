package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"shredder/jit/syntax"
)

// sequence is what a method goes over: a typed array or an array. Its length is
// taken once, as the standard says.
type sequence struct {
	v      value
	length *tree // i32, kept
	at     func(i *tree) value
}

// sequenceOf a value; shrinks says that the array may become shorter meanwhile.
func (l *lower) sequenceOf(v value, shrinks bool, at file.Idx) sequence {
	if v.t.only(kView) {
		return sequence{v, l.temp(v.m), func(i *tree) value { return l.elementAt(v, i) }}
	}
	return sequence{v, l.listLength(v), func(i *tree) value {
		if shrinks {
			gone := binary2(opI32GeU, i, load(opI32Load, v.n, listLen))
			l.exitIf(gone, ExitGuard, at, "an array that becomes shorter in a method of its own", false)
		}
		return l.listElement(v, i)
	}}
}

// eachElement loops over a sequence: body gets index and element, and the label
// that ends the loop.
func (l *lower) eachElement(key any, at file.Idx, s sequence, body func(i, x value, j *jump)) {
	l.eachIndex(key, at, s.length, func(i value, j *jump) {
		x := s.at(unary(opI32WrapI64, i.n))
		if x.isNever() {
			l.flow = nil
			return
		}
		body(i, l.keep(x), j)
	})
}

// eachIndex counts from 0 to a length that does not change.
func (l *lower) eachIndex(key any, at file.Idx, length *tree, body func(i value, j *jump)) {
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
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI64GeS, i.n, unary(opI64ExtI32U, length)), label: j.end})
			i = l.keep(i)
			i.t = intT(max(i.t.lo, 0), maxElements)
			l.assign(index, intValue(binary2(opI64Add, i.n, constI64(1)), intT(1, maxElements)), at)
			body(i, j)
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

// backwards counts an index down: element n − 1 − i.
func (l *lower) backwards(s sequence) sequence {
	return sequence{s.v, s.length, func(i *tree) value {
		return s.at(l.temp(binary2(opI32Sub, binary2(opI32Sub, s.length, constI32(1)), i)))
	}}
}

// mirrored is the index that a backward walk is at.
func (l *lower) mirrored(s sequence, i value) value {
	last := binary2(opI64Sub, unary(opI64ExtI32U, s.length), constI64(1))
	return l.keep(intValue(binary2(opI64Sub, last, i.n), intT(0, maxElements)))
}

// leaveLoop goes to the end of a loop that eachElement made.
func (l *lower) leaveLoop(j *jump) {
	if l.flow == nil {
		return
	}
	j.endFlow = merge(j.endFlow, l.flow)
	l.emit(&statement{kind: stmtBr, label: j.end})
	l.flow = nil
}

// methodResult is the variable that a method's loop leaves its result in.
func (l *lower) methodResult(e *ast.CallExpression, name string) *variable {
	r := l.inst.variable([2]any{e, "result"}, "the result of "+name)
	l.allocate(r)
	return r
}

var searchMethods = map[string]bool{"some": true, "every": true, "find": true, "findIndex": true, "findLast": true, "findLastIndex": true}

// sequenceMethod lowers a method that typed arrays and arrays share; ok is
// false for a name that is none of them.
func (l *lower) sequenceMethod(e *ast.CallExpression, name string, v value) (out value, ok bool) {
	at := e.Idx0()
	switch name {
	case "indexOf", "includes", "lastIndexOf":
		return l.search(e, name, v), true
	case "forEach", "reduce", "reduceRight", "map", "filter":
	default:
		if !searchMethods[name] {
			return value{}, false
		}
	}
	if len(e.ArgumentList) == 0 {
		l.refuse(at, name+" without a function", "give it one")
	}
	call := l.callback(e.ArgumentList[0], e)
	s := l.sequenceOf(v, l.mayChangeLists(e.ArgumentList[0]), at)
	switch name {
	case "reduce", "reduceRight":
		return l.reduce(e, name, s, call), true
	case "map":
		return l.mapElements(e, s, call), true
	case "filter":
		return l.filterElements(e, s, call), true
	case "forEach":
		l.burnElements(s.length)
		l.eachElement(e, at, s, func(i, x value, _ *jump) { call([]value{x, i, v}) })
		return undefinedValue(), true
	}
	return l.find(e, name, s, call), true
}

func (l *lower) reduce(e *ast.CallExpression, name string, s sequence, call func([]value) value) value {
	at := e.Idx0()
	if len(e.ArgumentList) != 2 {
		l.refuse(at, name+" without a first value", "give it one")
	}
	first := l.keep(l.expr(e.ArgumentList[1]))
	if l.flow == nil {
		return nothing()
	}
	right := name == "reduceRight"
	walk := s
	if right {
		walk = l.backwards(s)
	}
	l.burnElements(s.length)
	r := l.methodResult(e, name)
	l.assign(r, first, at)
	l.eachElement(e, at, walk, func(i, x value, _ *jump) {
		if right {
			i = l.mirrored(s, i)
		}
		l.assign(r, call([]value{l.keep(l.read(r)), x, i, s.v}), at)
	})
	return l.resultOf(r)
}

func (l *lower) resultOf(r *variable) value {
	if l.flow == nil {
		return nothing()
	}
	return l.keep(l.read(r))
}

func (l *lower) find(e *ast.CallExpression, name string, s sequence, call func([]value) value) value {
	at := e.Idx0()
	l.burnElements(s.length)
	last := name == "findLast" || name == "findLastIndex"
	walk := s
	if last {
		walk = l.backwards(s)
	}
	none := map[string]value{"some": boolValue(constI32(0)), "every": boolValue(constI32(1)), "find": undefinedValue(), "findLast": undefinedValue()}
	start, ok := none[name]
	if !ok {
		start = constNumber(-1)
	}
	r := l.methodResult(e, name)
	l.assign(r, start, at)
	l.eachElement(e, at, walk, func(i, x value, j *jump) {
		if last {
			i = l.mirrored(s, i)
		}
		y := call([]value{x, i, s.v})
		if l.flow == nil {
			return
		}
		hit := l.simple(y).truthy()
		found := i
		switch name {
		case "some":
			found = boolValue(constI32(1))
		case "every":
			hit, found = not(hit), boolValue(constI32(0))
		case "find", "findLast":
			found = x
		}
		l.branch(hit, func() { l.assign(r, found, at); l.leaveLoop(j) }, nil)
	})
	return l.resultOf(r)
}

// mapElements is map: an array of what the function gives, or a typed array of
// the same kind.
func (l *lower) mapElements(e *ast.CallExpression, s sequence, call func([]value) value) value {
	at := e.Idx0()
	l.burnElements(s.length)
	if s.v.t.only(kView) {
		out := l.scratchView(s.v.t.elem, s.length)
		l.eachElement(e, at, s, func(i, x value, _ *jump) {
			y := call([]value{x, i, s.v})
			if l.flow != nil {
				l.storeElement(out, unary(opI32WrapI64, i.n), l.number(l.simple(y), at))
			}
		})
		return out
	}
	out := l.newList(l.atLeast(s.length, listRoom), heapT(kArray, l.newCell(e)))
	l.eachElement(e, at, s, func(i, x value, _ *jump) {
		y := call([]value{x, i, s.v})
		if l.flow != nil {
			l.push(out, l.keep(y), at)
		}
	})
	return out
}

func (l *lower) filterElements(e *ast.CallExpression, s sequence, call func([]value) value) value {
	at := e.Idx0()
	l.burnElements(s.length)
	if s.v.t.only(kView) {
		l.refuse(at, "filter of a typed array", "push what is wanted onto an array")
	}
	out := l.newList(constI32(listRoom), heapT(kArray, l.newCell(e)))
	l.eachElement(e, at, s, func(i, x value, _ *jump) {
		y := call([]value{x, i, s.v})
		if l.flow == nil {
			return
		}
		l.branch(l.simple(y).truthy(), func() { l.push(out, x, at) }, nil)
	})
	return out
}

// atLeast is the larger of a length and a constant.
func (l *lower) atLeast(n *tree, least int32) *tree {
	return l.temp(choose(binary2(opI32GtU, n, constI32(least)), n, constI32(least)))
}

// scratchView makes a typed array in scratch that is not cleared.
func (l *lower) scratchView(elem element, n *tree) value {
	size := l.temp(binary2(opI32Shl, n, constI32(int32(elementShifts[elem]))))
	return pairValue(l.callHelper(helperAlloc, size), n, viewT(elem, 0, true))
}

// storeElement writes element i, which is there, of a view that may be written.
func (l *lower) storeElement(v value, i *tree, x value) {
	address := binary2(opI32Add, v.n, binary2(opI32Shl, i, constI32(int32(elementShifts[v.t.elem]))))
	y := l.stored(v.t.elem, x)
	l.emit(&statement{kind: stmtStore, op: elementStores[v.t.elem], values: []*tree{address}, value: y})
}

// search is indexOf and its kin.
func (l *lower) search(e *ast.CallExpression, name string, v value) value {
	at := e.Idx0()
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if len(args) != 1 {
		l.refuse(at, name+" with a start", "write a loop")
	}
	want := l.keep(args[0])
	s := l.sequenceOf(v, false, at)
	r := l.methodResult(e, name)
	l.burnElements(s.length)
	if want.t.has(kString) { // tier 0 looks at its first argument's size
		if !want.t.only(kString) {
			l.refuse(at, name+" of "+want.t.describe(), "test for undefined first")
		}
		l.burnElements(want.units())
	}
	elem := numberT
	if !v.t.only(kView) {
		elem = v.t.cell().elem
	}
	missing, found := constNumber(-1), func(i value) value { return i }
	if name == "includes" {
		missing, found = boolValue(constI32(0)), func(value) value { return boolValue(constI32(1)) }
	}
	l.assign(r, missing, at)
	if _, ok := join(elem, want.t); !ok && elem.k&want.t.k&^kNil == 0 {
		return l.resultOf(r) // nothing of this type is there
	}
	walk := s
	if name == "lastIndexOf" {
		walk = l.backwards(s)
	}
	l.eachElement(e, at, walk, func(i, x value, j *jump) {
		l.breathe(i)
		if name == "lastIndexOf" {
			i = l.mirrored(s, i)
		}
		c := l.strictEquals(x, want, at)
		if name == "includes" && want.t.has(kNumber) && x.t.has(kNumber) { // NaN is found, too
			w, y := l.simple(want), l.simple(x)
			c = binary2(opI32Or, c, binary2(opI32And, l.isNaN(w), l.isNaN(y)))
		}
		l.branch(c, func() { l.assign(r, found(i), at); l.leaveLoop(j) }, nil)
	})
	return l.resultOf(r)
}

// breathe gives way every 64 Ki turns of a loop whose fuel was burnt before it began: 16 Mi
// elements would hold the lcore, and any garbage collection, for 100 ms.
func (l *lower) breathe(i value) {
	const turns = 1<<16 - 1
	full := binary2(opI64Eq, binary2(opI64And, i.n, constI64(turns)), constI64(turns))
	fuel := localGet(l.fuel, i64)
	l.emit(&statement{kind: stmtIf, cold: true, value: full,
		body: []*statement{{kind: stmtCall, callee: l.helper(helperBreathe), values: []*tree{fuel}, sets: []int{l.fuel}}}})
}

// isNaN says that a value is the number NaN, not nil or a boolean.
func (l *lower) isNaN(v value) *tree {
	if v.rep != repF64 {
		return constI32(0)
	}
	c := binary2(opF64Ne, v.n, v.n)
	if v.t.has(kNil | kBool) {
		bits := unary(opI64ReintF64, v.n)
		c = binary2(opI32And, c, not(binary2(opI64LtU, binary2(opI64Sub, bits, constI64(sentinelBitsSigned)), constI64(sentinelCodes))))
	}
	return c
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

var shrinkingMethods = map[string]bool{"pop": true, "shift": true, "splice": true}

// mayChangeLists says that a function may make an array shorter.
func (l *lower) mayChangeLists(e ast.Expression) bool {
	found := false
	syntax.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpression:
			d, ok := n.Callee.(*ast.DotExpression)
			found = found || !ok || shrinkingMethods[d.Identifier.Name.String()] // another function may do anything
		case *ast.AssignExpression:
			d, ok := n.Left.(*ast.DotExpression)
			found = found || ok && d.Identifier.Name == "length"
		case *ast.Identifier:
		}
		return !found
	})
	return found
}
