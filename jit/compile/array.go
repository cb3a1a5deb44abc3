package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"shredder/jit/syntax"
)

// Arrays of numbers, and sets of numbers, lie in scratch: a header that never
// moves, and elements that move when they grow. A set is an array in the order
// of insertion with a hash index beside it, without deletion.
const (
	listLen   = 0  // u32: elements
	listCap   = 4  // u32: room for elements
	listData  = 8  // u32: address of the elements, f64 each
	listMask  = 12 // u32: slots of a set's index − 1
	listIndex = 16 // u32: address of the index, u32 each: element number + 1
	listValue = 20 // u32: a map's values, an array in the order of the keys
	listSize  = 24

	// setSlots of an empty set's index; it is kept at most half full.
	setSlots = 16
)

var arrayT = Type{k: kArray}
var setT = Type{k: kSet}
var mapT = Type{k: kMap}

func refValue(p *tree, t Type) value { return value{t: t, rep: repRef, n: p} }

// listLength is the length now: lists change, so it is kept as it is.
func (l *lower) listLength(v value) *tree { return l.temp(load(opI32Load, v.n, listLen)) }

// newList makes an array with room for n elements.
func (l *lower) newList(n *tree, t Type) value {
	p := l.callHelper(helperAlloc, constI32(listSize))
	data := l.callHelper(helperAlloc, binary2(opI32Shl, n, constI32(3)))
	put := func(off uint32, x *tree) {
		l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{p}, value: x, offset: off})
	}
	put(listLen, constI32(0))
	put(listCap, n)
	put(listData, data)
	if t.has(kMap) {
		put(listValue, l.newList(n, arrayT).n)
	}
	if t.has(kSet | kMap) {
		index := l.callHelper(helperAlloc, constI32(4*setSlots))
		l.emit(&statement{kind: stmtFill, values: []*tree{index, constI32(0), constI32(4 * setSlots)}})
		put(listMask, constI32(setSlots-1))
		put(listIndex, index)
	}
	return refValue(p, t)
}

// listRoom is how many elements a list has room for at first.
const listRoom = 8

// arrayLiteral lowers [a, b, …] of numbers.
func (l *lower) arrayLiteral(e *ast.ArrayLiteral) value {
	var items []value
	for _, x := range e.Value {
		if x == nil {
			l.refuse(e.LeftBracket, "a hole in an array", "write every element")
		}
		if s, ok := x.(*ast.SpreadElement); ok {
			l.refuse(s.Idx0(), "a spread element", "push the elements one by one")
		}
		v := l.expr(x)
		if l.flow == nil {
			return nothing()
		}
		items = append(items, l.keep(l.element(v, x.Idx0())))
	}
	out := l.newList(constI32(int32(max(len(items), listRoom))), arrayT)
	for _, x := range items {
		l.push(out, x)
	}
	return out
}

// element is a value that an array may hold: a number.
func (l *lower) element(v value, at file.Idx) value {
	if !v.t.only(kInt | kNumber) {
		l.refuse(at, "an array element that is "+v.t.describe(), "arrays hold numbers; test for undefined first")
	}
	return v
}

func (l *lower) push(list, x value) {
	l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{list.n, x.double()}})
}

// listElement reads element i, which is there.
func (l *lower) listElement(list value, i *tree) value {
	data := load(opI32Load, list.n, listData)
	return numberValue(l.temp(load(opF64Load, binary2(opI32Add, data, binary2(opI32Shl, i, constI32(3))), 0)))
}

// listPlace is an element of an array that is read or assigned. Assigning the
// element behind the last one appends; beyond that would leave a hole.
func (l *lower) listPlace(list value, e *ast.BracketExpression) place {
	i := l.expr(e.Member)
	if l.flow == nil {
		return place{func() value { return nothing() }, func(value) {}}
	}
	i = l.keep(i)
	return place{
		get: func() value {
			view := pairValue(list.n, l.listLength(list), viewT(elemF64, 0, true))
			n, inside := l.index(view, i, e.Member.Idx0(), false)
			n, inside = l.temp(n), l.temp(inside)
			if !l.isWide(e.LeftBracket, guardElement) {
				l.guard(not(inside), e.LeftBracket, guardElement)
				if l.flow == nil {
					return nothing()
				}
				return l.listElement(list, n)
			}
			yes, no := l.ways(inside)
			return l.either(e, inside, yes, no, func() value { return l.listElement(list, n) }, undefinedValue, e.Idx0())
		},
		set: func(x value) {
			if l.flow == nil {
				return
			}
			x = l.keep(l.element(x, e.Idx0()))
			length := l.listLength(list)
			view := pairValue(list.n, length, viewT(elemF64, 0, true))
			n, inside := l.index(view, i, e.Member.Idx0(), false)
			n, inside = l.temp(n), l.temp(inside)
			l.branch(inside, func() {
				data := load(opI32Load, list.n, listData)
				address := binary2(opI32Add, data, binary2(opI32Shl, n, constI32(3)))
				l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{address}, value: x.double()})
			}, func() {
				atEnd := binary2(opF64Eq, i.double(), unary(opF64ConvI32U, length))
				l.exitIf(not(atEnd), ExitGuard, e.LeftBracket, "an array with a hole", false)
				if l.flow != nil {
					l.push(list, x)
				}
			})
		},
	}
}

// listMethod lowers a method of an array or a set.
func (l *lower) listMethod(e *ast.CallExpression, name string, v value) value {
	at := e.Idx0()
	v = l.keep(v)
	if v.t.only(kMap) {
		return l.mapMethod(e, name, v)
	}
	isSet := v.t.only(kSet)
	switch {
	case name == "push" && !isSet:
		args := l.arguments(e.ArgumentList)
		if l.flow == nil {
			return nothing()
		}
		for i := range args {
			args[i] = l.keep(l.element(args[i], at))
		}
		l.burn(int64(len(args)) * 16 / syntax.BytesPerFuel)
		for _, x := range args {
			l.push(v, x)
		}
		return intValue(unary(opI64ExtI32U, l.listLength(v)), lengthT)
	case name == "pop" && !isSet:
		n := l.listLength(v)
		last := l.temp(binary2(opI32Sub, n, constI32(1)))
		yes, no := l.ways(n)
		return l.either(e, n, yes, no, func() value {
			x := l.listElement(v, last)
			l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{v.n}, value: last, offset: listLen})
			return x
		}, undefinedValue, at)
	case isSet && (name == "has" || name == "add"):
		args := l.arguments(e.ArgumentList)
		if l.flow == nil {
			return nothing()
		}
		if len(args) != 1 {
			l.refuse(at, name+" without a value", "give it one")
		}
		x := l.keep(l.element(args[0], at))
		if name == "add" {
			l.emit(&statement{kind: stmtCall, callee: l.helper(helperAdd), values: []*tree{v.n, x.double()}})
			return v
		}
		return boolValue(binary2(opI32Ne, l.callHelper(helperFind, v.n, x.double()), constI32(0)))
	case isSet:
		l.refuse(e.Callee.Idx0(), "method "+name+" of a set", "compiled functions know has, add, size and for … of")
	}
	switch name {
	case "indexOf", "includes", "forEach", "reduce", "some", "every", "find", "findIndex":
		// None of them changes the array, unless their function does.
		data := l.temp(load(opI32Load, v.n, listData))
		view := pairValue(data, l.listLength(v), viewT(elemF64, 0, true))
		if len(e.ArgumentList) > 0 && l.mayChangeLists(e.ArgumentList[0]) {
			l.refuse(e.Callee.Idx0(), name+" with a function that changes arrays", "write a loop")
		}
		return l.viewMethod(e, name, view)
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of an array", "compiled functions know push, pop, indexOf, includes, forEach, reduce, some, every, find and findIndex")
	return nothing()
}

// mapMethod lowers a method of a map from numbers to numbers.
func (l *lower) mapMethod(e *ast.CallExpression, name string, v value) value {
	at := e.Idx0()
	want := map[string]int{"has": 1, "get": 1, "set": 2}[name]
	if want == 0 || len(e.ArgumentList) != want {
		l.refuse(e.Callee.Idx0(), "method "+name+" of a map", "compiled functions know get, set, has and size")
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i := range args {
		args[i] = l.keep(l.element(args[i], at))
	}
	number := l.callHelper(helperFind, v.n, args[0].double())
	found := l.temp(binary2(opI32Ne, number, constI32(0)))
	values := l.temp(load(opI32Load, v.n, listValue))
	last := binary2(opI32Sub, number, constI32(1))
	switch name {
	case "get":
		yes, no := l.ways(found)
		return l.either(e, found, yes, no, func() value { return l.listElement(refValue(values, arrayT), last) }, undefinedValue, at)
	case "set":
		l.branch(found, func() {
			address := binary2(opI32Add, load(opI32Load, values, listData), binary2(opI32Shl, last, constI32(3)))
			l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{address}, value: args[1].double()})
		}, func() {
			l.emit(&statement{kind: stmtCall, callee: l.helper(helperAdd), values: []*tree{v.n, args[0].double()}})
			l.push(refValue(values, arrayT), args[1])
		})
		return v
	}
	return boolValue(found)
}

// mayChangeLists says that a function may make a list longer or shorter.
func (l *lower) mayChangeLists(e ast.Expression) bool {
	found := false
	syntax.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpression:
			d, ok := n.Callee.(*ast.DotExpression)
			if !ok {
				found = true // another function: it may do anything
				return false
			}
			name := d.Identifier.Name
			found = found || name == "push" || name == "pop" || name == "add" || name == "set"
		case *ast.AssignExpression:
			if _, ok := n.Left.(*ast.Identifier); !ok {
				found = true
			}
		}
		return !found
	})
	return found
}

// buildPush appends an element, moving the elements to a room twice as large
// when there is none left.
func (c *compiler) buildPush(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, nil)
	list := localGet(0, i32)
	l.stable[0], l.stable[1] = true, true
	n := l.temp(load(opI32Load, list, listLen))
	full := binary2(opI32Eq, n, load(opI32Load, list, listCap))
	l.emit(&statement{kind: stmtIf, value: full, body: l.into(func() {
		room := l.temp(binary2(opI32Shl, n, constI32(1)))
		data := l.callHelper(helperAlloc, binary2(opI32Shl, room, constI32(3)))
		l.emit(&statement{kind: stmtCopy, values: []*tree{data, load(opI32Load, list, listData), binary2(opI32Shl, n, constI32(3))}})
		l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{list}, value: data, offset: listData})
		l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{list}, value: room, offset: listCap})
	})})
	address := binary2(opI32Add, load(opI32Load, list, listData), binary2(opI32Shl, n, constI32(3)))
	l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{address}, value: localGet(1, f64)})
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{list}, value: binary2(opI32Add, n, constI32(1)), offset: listLen})
	l.emit(&statement{kind: stmtReturn})
}

// keyBits is a number as a set compares it: −0 is 0, and NaN is itself.
func keyBits(x *tree) *tree {
	zero := choose(binary2(opF64Eq, x, constF64(0)), constF64(0), x)
	return unary(opI64ReintF64, choose(binary2(opF64Eq, x, x), zero, constF64(nan)))
}

// probe walks a set's index for bits: it calls found with the number of the
// element, and ends at the first free slot, whose address is in the local slot.
func (l *lower) probe(set, bits *tree, slot int, found func() []*statement) {
	gamma := uint64(0x9e3779b97f4a7c15)
	h := l.temp(unary(opI32WrapI64, binary2(opI64ShrU, binary2(opI64Mul, bits, constI64(int64(gamma))), constI64(32))))
	at := l.newLocal(i32)
	l.emit(setLocal(at, h))
	head, free := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: free, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		i := binary2(opI32And, localGet(at, i32), load(opI32Load, set, listMask))
		l.emit(setLocal(slot, binary2(opI32Add, load(opI32Load, set, listIndex), binary2(opI32Shl, i, constI32(2)))))
		number := l.temp(load(opI32Load, localGet(slot, i32), 0))
		l.emit(&statement{kind: stmtBrIf, value: unary(opI32Eqz, number), label: free})
		element := binary2(opI32Add, load(opI32Load, set, listData), binary2(opI32Shl, binary2(opI32Sub, number, constI32(1)), constI32(3)))
		l.emit(&statement{kind: stmtIf, value: binary2(opI64Eq, load(opI64Load, element, 0), bits), body: found()})
		l.emit(setLocal(at, binary2(opI32Add, localGet(at, i32), constI32(1))))
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
}

// buildFind gives the number of an element of a set or a map, counted from 1.
func (c *compiler) buildFind(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, []valueType{i32})
	l.stable[0], l.stable[1] = true, true
	bits := l.temp(keyBits(localGet(1, f64)))
	slot := l.newLocal(i32)
	found := &statement{kind: stmtReturn, values: []*tree{load(opI32Load, localGet(slot, i32), 0)}}
	l.probe(localGet(0, i32), bits, slot, func() []*statement { return []*statement{found} })
	l.emit(&statement{kind: stmtReturn, values: []*tree{constI32(0)}})
}

// buildAdd adds a number to a set; its index doubles when half full.
func (c *compiler) buildAdd(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, nil)
	set := localGet(0, i32)
	l.stable[0], l.stable[1] = true, true
	bits := l.temp(keyBits(localGet(1, f64)))
	slot := l.newLocal(i32)
	l.probe(set, bits, slot, func() []*statement { return []*statement{{kind: stmtReturn}} })
	l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{set, unary(opF64ReintI64, bits)}})
	n := l.temp(load(opI32Load, set, listLen))
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{localGet(slot, i32)}, value: n})
	loaded := binary2(opI32GtU, binary2(opI32Shl, n, constI32(1)), load(opI32Load, set, listMask))
	l.emit(&statement{kind: stmtIf, value: not(loaded), body: []*statement{{kind: stmtReturn}}})
	mask := l.temp(binary2(opI32Or, binary2(opI32Shl, load(opI32Load, set, listMask), constI32(1)), constI32(1)))
	size := l.temp(binary2(opI32Shl, binary2(opI32Add, mask, constI32(1)), constI32(2)))
	index := l.callHelper(helperAlloc, size)
	l.emit(&statement{kind: stmtFill, values: []*tree{index, constI32(0), size}})
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{set}, value: index, offset: listIndex})
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{set}, value: mask, offset: listMask})
	i := l.newLocal(i32)
	head, end := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: end, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		at := localGet(i, i32)
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GeU, at, n), label: end})
		x := l.temp(load(opI64Load, binary2(opI32Add, load(opI32Load, set, listData), binary2(opI32Shl, at, constI32(3))), 0))
		l.probe(set, x, slot, func() []*statement { return nil })
		l.emit(setLocal(i, binary2(opI32Add, at, constI32(1))))
		l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{localGet(slot, i32)}, value: localGet(i, i32)})
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
	l.emit(&statement{kind: stmtReturn})
}
