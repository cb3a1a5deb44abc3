package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// listMethod lowers a method of an array.
func (l *lower) listMethod(e *ast.CallExpression, name string, v value) value {
	v = l.keep(v)
	if out, ok := l.sequenceMethod(e, name, v); ok {
		return out
	}
	if name == "sort" && len(e.ArgumentList) == 1 {
		return l.sortWith(e, v)
	}
	at := e.Idx0()
	if name == "push" {
		return l.listPush(e, v)
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	arg := func(i int) value {
		if i < len(args) {
			return args[i]
		}
		return undefinedValue()
	}
	n := l.listLength(v)
	switch name {
	case "pop":
		return l.takeAt(e, v, n, func() *tree { return l.temp(binary2(opI32Sub, n, constI32(1))) }, false)
	case "shift":
		l.burnElements(n)
		l.burnExtent(arg(0))
		return l.takeAt(e, v, n, func() *tree { return constI32(0) }, true)
	case "unshift":
		return l.unshift(args, v, n, at)
	case "slice":
		l.burnElements(n)
		l.burnElements(n)
		from, count := l.section(lengthPair(n), args, at)
		out := l.newList(l.atLeast(count, listRoom), v.t)
		l.moveIn(out, v, from, count)
		return out
	case "concat":
		return l.concat(args, v, n, at)
	case "splice":
		return l.splice(args, v, n, at)
	case "reverse":
		l.burnElements(n)
		l.burnExtent(arg(0))
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperReverse), values: []*tree{v.n}})
		return v
	case "fill":
		if len(args) != 1 {
			l.refuse(at, "fill of a part", "write a loop")
		}
		slot := l.temp(l.slotOf(v.t.cell(), args[0], at))
		l.burnElements(n)
		l.burnExtent(args[0])
		l.eachIndex(e, at, n, func(i value, _ *jump) {
			l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{slotAddress(v, unary(opI32WrapI64, i.n))}, value: slot})
		})
		return v
	case "join":
		return l.join(e, v, n, arg(0))
	case "sort":
		return l.sortPlain(v, n, at)
	case "at":
		return l.listAt(e, v, n, arg(0))
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of an array", "write a loop")
	return nothing()
}

func lengthPair(n *tree) value { return pairValue(constI32(0), n, viewT(elemF64, 0, true)) }

// burnExtent burns for a first argument that has a size, as tier 0 does.
func (l *lower) burnExtent(v value) {
	switch {
	case v.t.only(kString):
		l.burnElements(v.units())
	case v.t.only(kView):
		l.burnElements(v.m)
	case v.t.only(kArray):
		l.burnElements(l.listLength(v))
	}
}

func (l *lower) listPush(e *ast.CallExpression, v value) value {
	at := e.Idx0()
	if len(e.ArgumentList) == 1 {
		if s, ok := e.ArgumentList[0].(*ast.SpreadElement); ok {
			x := l.expr(s.Expression)
			if l.flow == nil {
				return nothing()
			}
			seq := l.sequenceOf(l.iterable(l.keep(x), s.Idx0()), false, at)
			l.burnSteps(seq.length)
			l.burnElements(seq.length)
			l.eachElement(e, at, seq, func(_, y value, _ *jump) { l.push(v, y, at) })
			return l.lengthOfList(v)
		}
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	l.burnNew(len(args))
	for _, x := range args {
		l.push(v, x, at)
	}
	return l.lengthOfList(v)
}

func (l *lower) lengthOfList(v value) value {
	return intValue(unary(opI64ExtI32U, l.listLength(v)), lengthT)
}

// takeAt removes the last or the first element.
func (l *lower) takeAt(e *ast.CallExpression, v value, n *tree, which func() *tree, first bool) value {
	yes, no := l.ways(n)
	return l.either(e, n, yes, no, func() value {
		x := l.listElement(v, which())
		if x.isNever() {
			return nothing()
		}
		x = l.keep(x)
		rest := l.temp(binary2(opI32Sub, n, constI32(1)))
		if first {
			data := load(opI32Load, v.n, listData)
			l.emit(&statement{kind: stmtCopy, values: []*tree{data, binary2(opI32Add, data, constI32(slotBytes)), binary2(opI32Shl, rest, constI32(3))}})
		}
		l.store32(v.n, listLen, rest)
		return x
	}, undefinedValue, e.Idx0())
}

// moveIn appends count elements of a list from a place on, to one with room.
func (l *lower) moveIn(out, v value, from, count *tree) {
	size := l.temp(binary2(opI32Shl, count, constI32(3)))
	n := l.listLength(out)
	l.emit(&statement{kind: stmtCopy, values: []*tree{slotAddress(out, n), slotAddress(v, from), size}})
	l.store32(out.n, listLen, binary2(opI32Add, n, count))
}

func (l *lower) unshift(args []value, v value, n *tree, at file.Idx) value {
	l.burnElements(n)
	if len(args) > 0 {
		l.burnExtent(args[0])
	}
	slots := make([]*tree, len(args))
	for i, x := range args {
		slots[i] = l.temp(l.slotOf(v.t.cell(), x, at))
	}
	for range args { // makes the room
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{v.n, constF64(0)}})
	}
	data := l.temp(load(opI32Load, v.n, listData))
	to := binary2(opI32Add, data, constI32(int32(len(args)*slotBytes)))
	l.emit(&statement{kind: stmtCopy, values: []*tree{to, data, binary2(opI32Shl, n, constI32(3))}})
	for i, x := range slots {
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{data}, value: x, offset: uint32(i * slotBytes)})
	}
	return l.lengthOfList(v)
}

func (l *lower) concat(args []value, v value, n *tree, at file.Idx) value {
	l.burnElements(n)
	total := n
	for _, x := range args {
		if x.t.only(kArray) {
			total = l.temp(binary2(opI32Add, total, l.listLength(x)))
		} else if x.t.has(kArray | kView) {
			l.refuse(at, "concat of "+x.t.describe(), "give it arrays")
		}
	}
	l.burnElements(total)
	out := l.newList(l.atLeast(total, listRoom), v.t)
	l.moveIn(out, v, constI32(0), n)
	for _, x := range args {
		if x.t.only(kArray) {
			l.sameCell(v.t.cell(), x, at)
			l.moveIn(out, x, constI32(0), l.listLength(x))
			continue
		}
		l.push(out, x, at)
	}
	return out
}

// sameCell makes the elements of an array lie as those of a cell do.
func (l *lower) sameCell(c *cell, v value, at file.Idx) {
	if _, ok := unify(c, v.t.cell()); !ok {
		l.refuse(at, "arrays of "+c.elem.describe()+" and of "+v.t.cell().elem.describe()+" together", "use one type of element")
	}
}

// splice removes elements and puts others in their place.
func (l *lower) splice(args []value, v value, n *tree, at file.Idx) value {
	if len(args) == 0 {
		l.refuse(at, "splice without a start", "give it one")
	}
	l.burnElements(n)
	total := n
	for _, x := range args {
		if x.t.only(kArray) {
			total = l.temp(binary2(opI32Add, total, l.listLength(x)))
		}
	}
	l.burnElements(total)
	from, rest := l.section(lengthPair(n), args[:1], at)
	count := rest
	if len(args) > 1 {
		if !args[1].t.only(kInt) {
			l.refuse(at, "a count that is "+args[1].t.describe(), "use a whole number")
		}
		k := args[1].integer()
		wide := unary(opI64ExtI32U, rest)
		k = l.temp(choose(binary2(opI64LtS, k, constI64(0)), constI64(0), k))
		count = l.temp(unary(opI32WrapI64, choose(binary2(opI64LtS, k, wide), k, wide)))
	}
	slots := []*tree{}
	for i := 2; i < len(args); i++ {
		slots = append(slots, l.temp(l.slotOf(v.t.cell(), args[i], at)))
	}
	out := l.newList(l.atLeast(count, listRoom), v.t)
	l.moveIn(out, v, from, count)
	for range slots {
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{v.n, constF64(0)}})
	}
	behind := l.temp(binary2(opI32Add, from, count))
	to := binary2(opI32Add, from, constI32(int32(len(slots))))
	size := binary2(opI32Shl, binary2(opI32Sub, n, behind), constI32(3))
	l.emit(&statement{kind: stmtCopy, values: []*tree{slotAddress(v, to), slotAddress(v, behind), size}})
	start := l.temp(slotAddress(v, from))
	for i, x := range slots {
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{start}, value: x, offset: uint32(i * slotBytes)})
	}
	l.store32(v.n, listLen, binary2(opI32Add, binary2(opI32Sub, n, count), constI32(int32(len(slots)))))
	return out
}

func (l *lower) listAt(e *ast.CallExpression, v value, n *tree, i value) value {
	if !i.t.only(kInt) {
		l.refuse(e.Idx0(), "at of "+i.t.describe(), "use a whole number")
	}
	wide := unary(opI64ExtI32U, n)
	k := l.temp(choose(binary2(opI64LtS, i.n, constI64(0)), binary2(opI64Add, i.n, wide), i.n))
	inside := l.temp(binary2(opI64LtU, k, wide))
	yes, no := l.ways(inside)
	return l.either(e, inside, yes, no, func() value { return l.listElement(v, unary(opI32WrapI64, k)) }, undefinedValue, e.Idx0())
}

// sortPlain sorts by text, as sort without a function does.
func (l *lower) sortPlain(v value, n *tree, at file.Idx) value {
	elem := v.t.cell().elem
	if !elem.only(kInt|kNumber|kUndefined) && !elem.only(kString|kUndefined) {
		l.refuse(at, "sort of "+elem.describe()+" by text", "give sort a function")
	}
	l.burnSort(n)
	l.emit(&statement{kind: stmtCall, callee: l.hostImport("sortTexts", []valueType{i32, i32}, nil),
		values: []*tree{v.n, constI32(int32(b2i(elem.has(kString))))}})
	return v
}

// burnSort burns for a sort of n elements.
func (l *lower) burnSort(n *tree) {
	length := unary(opI64ExtI32U, n)
	l.burnTree(binary2(opI64Mul, length, binary2(opI64Sub, constI64(64), unary(opI64Clz, length))))
}

// join makes the text of the elements with separators in between: all parts
// first, then one text of their size.
func (l *lower) join(e *ast.CallExpression, v value, n *tree, separator value) value {
	at := e.Idx0()
	if separator.t.only(kUndefined) {
		separator = l.stringConstant(",", at)
	}
	if !separator.t.only(kString) {
		l.refuse(at, "a separator that is "+separator.t.describe(), "use a string")
	}
	separator = l.keep(separator)
	l.burnElements(n)
	cell := l.newCell([2]any{e, "parts"})
	cell.elem = wideT
	parts := l.newList(l.atLeast(n, listRoom), heapT(kArray, cell))
	t := stringT
	t.wide = separator.t.wide
	l.eachElement(e, at, l.sequenceOf(v, false, at), func(i, x value, _ *jump) {
		l.burn(1)
		l.branch(binary2(opI64Ne, i.n, constI64(0)), func() { l.burnUnits(separator.units()) }, nil)
		text := l.keep(l.partText(x, at))
		t.wide = t.wide || text.t.wide
		l.burnUnits(text.units())
		l.push(parts, text, at)
	})
	return l.hostString("textJoin", t, parts.n, separator.n, separator.m)
}

// partText is an element as join writes it: nothing for undefined and null.
func (l *lower) partText(x value, at file.Idx) value {
	if !x.t.has(kNil) {
		return l.toText(l.simple(x), at)
	}
	x = l.simple(x)
	some := x
	some.t = x.t.without(kNil)
	empty := func() value { return l.stringConstant("", at) }
	if some.t.isNever() {
		return empty()
	}
	c := l.temp(x.isNil())
	yes, no := l.ways(c)
	return l.either(nil, c, yes, no, empty, func() value { return l.toText(some, at) }, at)
}

// buildReverse turns a list around.
func (c *compiler) buildReverse(f *function) {
	l := c.bodyOf(f, []valueType{i32}, nil)
	l.stable[0] = true
	list := localGet(0, i32)
	data := l.temp(load(opI32Load, list, listData))
	low, high := l.newLocal(i32), l.newLocal(i32)
	l.emit(setLocal(low, data))
	l.emit(setLocal(high, binary2(opI32Sub, binary2(opI32Add, data, binary2(opI32Shl, load(opI32Load, list, listLen), constI32(3))), constI32(slotBytes))))
	a, b := localGet(low, i32), localGet(high, i32)
	head, end := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: end, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		l.emit(&statement{kind: stmtBrIf, value: not(binary2(opI32LtS, a, b)), label: end})
		x := l.temp(load(opF64Load, a, 0))
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{a}, value: load(opF64Load, b, 0)})
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{b}, value: x})
		l.emit(setLocal(low, binary2(opI32Add, a, constI32(slotBytes))))
		l.emit(setLocal(high, binary2(opI32Sub, b, constI32(slotBytes))))
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
	l.emit(&statement{kind: stmtReturn})
}
