package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"shredder/jit/syntax"
)

// Arrays, sets and maps lie in scratch: a header that never moves, and elements
// of eight bytes that move when they grow (cell.go says what an element is). A
// set is an array in the order of insertion with a hash index beside it, a map
// two of which one is indexed.
const (
	listLen   = 0  // u32: elements
	listCap   = 4  // u32: room for elements
	listData  = 8  // u32: address of the elements
	listMask  = 12 // u32: slots of a set's index − 1
	listIndex = 16 // u32: address of the index, u32 each: element number + 1
	listValue = 20 // u32: a map's values, an array in the order of the keys
	listDead  = 24 // u32: keys of a set or map that were deleted
	listSize  = 32

	// As the host sees them.
	ListLen, ListCap, ListData, ListSize = listLen, listCap, listData, listSize

	// setSlots of an empty set's index; it is kept at most half full.
	setSlots = 16
)

var setT = Type{k: kSet}

func refValue(p *tree, t Type) value { return value{t: t, rep: repRef, n: p} }

// listLength is the length now: lists change, so it is kept as it is.
func (l *lower) listLength(v value) *tree { return l.temp(load(opI32Load, v.n, listLen)) }

func (l *lower) store32(p *tree, off uint32, x *tree) {
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{p}, value: x, offset: off})
}

// newList makes an array, set or map with room for n elements.
func (l *lower) newList(n *tree, t Type) value {
	p := l.callHelper(helperAlloc, binary2(opI32Add, binary2(opI32Shl, n, constI32(3)), constI32(listSize)))
	// The highest offset first: the bounds checks of the others merge with it.
	l.store32(p, listData, binary2(opI32Add, p, constI32(listSize)))
	l.store32(p, listCap, n)
	l.store32(p, listLen, constI32(0))
	if t.has(kMap) {
		l.store32(p, listValue, l.newList(n, heapT(kArray, t.cell())).n)
	}
	if t.has(kSet | kMap) {
		l.store32(p, listDead, constI32(0))
		l.newIndex(p)
	}
	return refValue(p, t)
}

// newIndex gives a set or a map an empty index.
func (l *lower) newIndex(p *tree) {
	index := l.callHelper(helperAlloc, constI32(4*setSlots))
	l.emit(&statement{kind: stmtFill, values: []*tree{index, constI32(0), constI32(4 * setSlots)}})
	l.store32(p, listMask, constI32(setSlots-1))
	l.store32(p, listIndex, index)
}

// listRoom is how many elements a list has room for at first.
const listRoom = 8

// arrayLiteral lowers [a, b, …x].
func (l *lower) arrayLiteral(e *ast.ArrayLiteral) value {
	out := l.newList(constI32(int32(max(len(e.Value), listRoom))), heapT(kArray, l.newCell(e)))
	for _, x := range e.Value {
		if x == nil {
			l.refuse(e.LeftBracket, "a hole in an array", "write every element")
		}
		if s, ok := x.(*ast.SpreadElement); ok {
			l.spreadInto(out, s)
		} else if v := l.expr(x); l.flow != nil {
			l.push(out, v, x.Idx0())
		}
		if l.flow == nil {
			return nothing()
		}
	}
	return out
}

// spreadInto appends what an iterable holds.
func (l *lower) spreadInto(out value, s *ast.SpreadElement) {
	x := l.expr(s.Expression)
	if l.flow == nil {
		return
	}
	at := s.Expression.Idx0()
	x = l.iterable(l.keep(x), at)
	if x.t.only(kSet) {
		l.eachEntry(s, at, x, func(key, _ value, _ *jump) { l.push(out, key, at) })
		return
	}
	seq := l.sequenceOf(x, false, at)
	l.burnSteps(seq.length)
	l.eachElement(s, at, seq, func(_, y value, _ *jump) { l.push(out, y, at) })
}

// iterable refuses what cannot be gone over from its beginning to its end.
func (l *lower) iterable(v value, at file.Idx) value {
	v = l.present(v, at)
	if !v.t.only(kView) && !v.t.only(kArray) && !v.t.only(kSet) {
		l.refuse(at, "a list made of "+v.t.describe(), "use arrays, typed arrays and sets")
	}
	return v
}

// burnSteps burns for the iterator of an array of n elements, which tier 0
// meters where native code may run it.
func (l *lower) burnSteps(n *tree) {
	if l.iterators {
		l.burnTree(binary2(opI64Add, unary(opI64ExtI32U, n), constI64(1)))
	}
}

// slotOf is a value as what a list of a cell holds.
func (l *lower) slotOf(c *cell, v value, at file.Idx) *tree {
	c = c.root()
	if v.t.isNever() {
		return constF64(0)
	}
	if !v.t.only(kPrimitive) && slotRep(v.t) == repF64 || !c.grow(&c.elem, v.t) {
		l.refuse(at, "an array of "+c.elem.describe()+" that takes "+v.t.describe(), "use an array for each type of element")
	}
	return l.toSlot(l.simple(v), c.root().elem)
}

func (l *lower) push(list, x value, at file.Idx) {
	slot := l.slotOf(list.t.cell(), x, at)
	l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{list.n, slot}})
}

// slotAddress of element i, as long as the list does not grow.
func slotAddress(list value, i *tree) *tree {
	return binary2(opI32Add, load(opI32Load, list.n, listData), binary2(opI32Shl, i, constI32(3)))
}

// listElement reads element i, which is there.
func (l *lower) listElement(list value, i *tree) value {
	elem := numberT
	if !list.t.only(kSet) {
		if elem = list.t.cell().elem; elem.isNever() {
			return l.unknown()
		}
	}
	address := slotAddress(list, i)
	if slotRep(elem) == repPair {
		address = l.temp(address)
	}
	return l.fromSlot(address, 0, elem)
}

// unknown is an element of an array of which no pass has seen any yet. Should it
// stay so, the array is always empty.
func (l *lower) unknown() value {
	if l.pass > 3 {
		return undefinedValue()
	}
	l.changed = true
	return nothing()
}

// listPlace is an element of an array that is read or assigned. Assigning the
// element behind the last one appends.
func (l *lower) listPlace(list value, e *ast.BracketExpression) place {
	i := l.expr(e.Member)
	if l.flow == nil {
		return place{func() value { return nothing() }, func(value) {}}
	}
	i = l.keep(i)
	return place{
		get: func() value { return l.listGet(list, i, e) },
		set: func(x value) { l.listSet(list, i, x, e) },
	}
}

func (l *lower) listGet(list, i value, e *ast.BracketExpression) value {
	n, inside := l.listIndexOf(list, l.listLength(list), i, e)
	if list.t.cell().elem.isNever() && l.pass > 3 {
		return undefinedValue()
	}
	if !l.isWide(e.LeftBracket, guardElement) {
		l.guard(not(inside), e.LeftBracket, guardElement)
		if l.flow == nil {
			return nothing()
		}
		return l.listElement(list, n)
	}
	yes, no := l.ways(inside)
	return l.either(e, inside, yes, no, func() value { return l.listElement(list, n) }, undefinedValue, e.Idx0())
}

// listIndexOf is index i as an i32, and whether it is below the length.
func (l *lower) listIndexOf(list value, length *tree, i value, e *ast.BracketExpression) (n, inside *tree) {
	n, inside = l.index(pairValue(list.n, length, viewT(elemF64, 0, true)), i, e.Member.Idx0(), false)
	return l.temp(n), l.temp(inside)
}

func (l *lower) listSet(list, i, x value, e *ast.BracketExpression) {
	if l.flow == nil {
		return
	}
	x = l.keep(x)
	slot := l.temp(l.slotOf(list.t.cell(), x, e.Idx0()))
	length := l.listLength(list)
	n, inside := l.listIndexOf(list, length, i, e)
	l.branch(inside, func() {
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{slotAddress(list, n)}, value: slot})
	}, func() {
		atEnd := binary2(opF64Eq, i.double(), unary(opF64ConvI32U, length))
		l.exitIf(not(atEnd), ExitGuard, e.LeftBracket, "an array with a hole", false)
		if l.flow != nil {
			l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{list.n, slot}})
		}
	})
}

// burnElements burns for n elements as tier 0 does: 16 bytes each.
func (l *lower) burnElements(n *tree) {
	l.burnTree(binary2(opI64ShrU, unary(opI64ExtI32U, n), constI64(2)))
}

// burnNew burns for elements that are pushed.
func (l *lower) burnNew(n int) { l.burn(int64(n) * 16 / syntax.BytesPerFuel) }

// buildPush appends an element, moving the elements to a room twice as large
// when there is none left.
func (c *compiler) buildPush(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, nil)
	list := localGet(0, i32)
	l.stable[0], l.stable[1] = true, true
	dataLocal := l.newLocal(i32)
	data := localGet(dataLocal, i32)
	l.emit(setLocal(dataLocal, load(opI32Load, list, listData)))
	n := l.temp(load(opI32Load, list, listLen))
	full := binary2(opI32Eq, n, load(opI32Load, list, listCap))
	l.emit(&statement{kind: stmtIf, cold: true, value: full, body: l.into(func() {
		room := l.temp(binary2(opI32Shl, n, constI32(1)))
		larger := l.callHelper(helperAlloc, binary2(opI32Shl, room, constI32(3)))
		l.emit(&statement{kind: stmtCopy, values: []*tree{larger, data, binary2(opI32Shl, n, constI32(3))}})
		l.emit(setLocal(dataLocal, larger))
		l.store32(list, listData, data)
		l.store32(list, listCap, room)
	})})
	address := binary2(opI32Add, data, binary2(opI32Shl, n, constI32(3)))
	l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{address}, value: localGet(1, f64)})
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{list}, value: binary2(opI32Add, n, constI32(1)), offset: listLen})
	l.emit(&statement{kind: stmtReturn})
}
