package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// deadKey stands in a set or map for a key that has been deleted: an iteration
// goes over it, and no key has its bits.
const deadKey = sentinelBitsSigned + 7

// isDead says that an element was deleted.
func isDead(list value, i *tree) *tree {
	return binary2(opI64Eq, load(opI64Load, slotAddress(list, i), 0), constI64(deadKey))
}

// liveSize is size: the elements that are not deleted.
func (l *lower) liveSize(v value) value {
	n := binary2(opI32Sub, load(opI32Load, v.n, listLen), load(opI32Load, v.n, listDead))
	return intValue(unary(opI64ExtI32U, l.temp(n)), lengthT)
}

// numberKey is a key of a set or map as a double.
func (l *lower) numberKey(v value, at file.Idx) *tree {
	if !v.t.only(kInt | kNumber) {
		l.refuse(at, "a key of a map or set that is "+v.t.describe(), "use numbers; test for undefined first")
	}
	return l.simple(v).double()
}

// hashMethod lowers a method of a set or a map.
func (l *lower) hashMethod(e *ast.CallExpression, name string, v value) value {
	at := e.Idx0()
	v = l.keep(v)
	isMap := v.t.only(kMap)
	if name == "forEach" && len(e.ArgumentList) == 1 {
		call := l.callback(e.ArgumentList[0], e)
		l.eachEntry(e, at, v, func(key, x value, _ *jump) { call([]value{x, key, v}) })
		return undefinedValue()
	}
	want, ok := map[string]int{"has": 1, "delete": 1, "clear": 0, "get": 1, "set": 2, "add": 1}[name]
	if !ok || len(e.ArgumentList) != want || isMap && name == "add" || !isMap && (name == "get" || name == "set") {
		l.refuse(e.Callee.Idx0(), "method "+name+" of "+v.t.describe(), "compiled functions know has, get, set, add, delete, clear, forEach and size, and for … of")
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if name == "clear" {
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperClear), values: []*tree{v.n}})
		return undefinedValue()
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	key := l.numberKey(args[0], at)
	switch name {
	case "add":
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperAdd), values: []*tree{v.n, key}})
		return v
	case "delete":
		return boolValue(l.callHelper(helperRemove, v.n, key))
	}
	number := l.findKey(v.n, args[0], key)
	found := l.temp(binary2(opI32Ne, number, constI32(0)))
	if name == "has" {
		return boolValue(found)
	}
	values := refValue(l.temp(load(opI32Load, v.n, listValue)), heapT(kArray, v.t.cell()))
	last := binary2(opI32Sub, number, constI32(1))
	if name == "get" {
		yes, no := l.ways(found)
		return l.either(e, found, yes, no, func() value { return l.listElement(values, last) }, undefinedValue, at)
	}
	slot := l.temp(l.slotOf(v.t.cell(), args[1], at))
	l.branch(found, func() {
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{slotAddress(values, last)}, value: slot})
	}, func() {
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperAdd), values: []*tree{v.n, key}})
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{values.n, slot}})
	})
	return v
}

// entryOf reads key and value of element i of a set or a map.
func (l *lower) entryOf(v value, i *tree) (key, x value) {
	key = l.keep(l.fromSlot(slotAddress(v, i), 0, numberT))
	if v.t.only(kSet) {
		return key, key
	}
	x = l.listElement(refValue(l.temp(load(opI32Load, v.n, listValue)), heapT(kArray, v.t.cell())), i)
	if !x.isNever() {
		x = l.keep(x)
	}
	return key, x
}

// eachEntry loops over a set or a map; what is added meanwhile is visited, too.
func (l *lower) eachEntry(site any, at file.Idx, v value, body func(key, x value, j *jump)) {
	index := l.inst.variable([2]any{site, "index"}, "")
	l.allocate(index)
	l.assign(index, intValue(constI64(0), intT(0, 0)), at)
	j := &jump{end: &label{}, ret: l.ret}
	head := &label{used: true}
	l.wrap(j.end, func() {
		back := l.loopHead(site)
		code := l.into(func() {
			i := l.keep(l.read(index))
			n := unary(opI32WrapI64, i.n)
			j.end.used = true
			j.endFlow = merge(j.endFlow, l.flow.clone())
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GeU, n, load(opI32Load, v.n, listLen)), label: j.end})
			l.assign(index, intValue(binary2(opI64Add, i.n, constI64(1)), intT(1, maxElements)), at)
			dead := l.temp(isDead(v, n))
			l.branch(dead, func() {}, func() {
				key, x := l.entryOf(v, n)
				if x.isNever() {
					l.flow = nil
					return
				}
				body(key, x, j)
			})
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

// buildRemove deletes a key: its slot stays, so that probes go on behind it.
func (c *compiler) buildRemove(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, []valueType{i32})
	l.stable[0], l.stable[1] = true, true
	set := localGet(0, i32)
	number := l.callHelper(helperFind, set, localGet(1, f64))
	l.emit(&statement{kind: stmtIf, value: unary(opI32Eqz, number), body: []*statement{{kind: stmtReturn, values: []*tree{constI32(0)}}}})
	address := slotAddress(refValue(set, setT), binary2(opI32Sub, number, constI32(1)))
	l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{address}, value: unary(opF64ReintI64, constI64(deadKey))})
	l.store32(set, listDead, binary2(opI32Add, load(opI32Load, set, listDead), constI32(1)))
	l.emit(&statement{kind: stmtReturn, values: []*tree{constI32(1)}})
}

// buildClear deletes all keys, and empties the index.
func (c *compiler) buildClear(f *function) {
	l := c.bodyOf(f, []valueType{i32}, nil)
	l.stable[0] = true
	set := localGet(0, i32)
	n := l.temp(load(opI32Load, set, listLen))
	i := l.newLocal(i32)
	head, end := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: end, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		at := localGet(i, i32)
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GeU, at, n), label: end})
		l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{slotAddress(refValue(set, setT), at)}, value: unary(opF64ReintI64, constI64(deadKey))})
		l.emit(setLocal(i, binary2(opI32Add, at, constI32(1))))
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
	l.store32(set, listDead, n)
	size := binary2(opI32Shl, binary2(opI32Add, load(opI32Load, set, listMask), constI32(1)), constI32(2))
	l.emit(&statement{kind: stmtFill, values: []*tree{load(opI32Load, set, listIndex), constI32(0), size}})
	l.emit(&statement{kind: stmtReturn})
}
