package compile

import (
	"encoding/binary"
	"math"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// bulkMethod lowers the methods of a typed array that move elements; ok is
// false for a name that is none of them.
func (l *lower) bulkMethod(e *ast.CallExpression, name string, v value) (out value, ok bool) {
	switch name {
	case "fill", "set", "slice", "subarray", "sort":
	default:
		return value{}, false
	}
	at := e.Idx0()
	if name == "sort" && len(e.ArgumentList) == 1 {
		return l.sortWith(e, v), true
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing(), true
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	shift := constI32(int32(elementShifts[v.t.elem]))
	bytes := func(n *tree) *tree { return l.temp(binary2(opI32Shl, n, shift)) }
	quarter := binary2(opI64ShrU, unary(opI64ExtI32U, v.m), constI64(2)) // 16 bytes an element, 64 a unit
	switch name {
	case "subarray":
		from, n := l.section(v, args, at)
		part := v.t
		part.part = true
		return pairValue(l.temp(binary2(opI32Add, v.n, bytes(from))), n, part), true
	case "slice":
		l.charge(quarter)
		l.burnTree(quarter)
		from, n := l.section(v, args, at)
		t, site := viewT(v.t.elem, 0, true), siteOf(e)
		if !v.t.mutable && l.copying&site == 0 {
			// Nothing writes to what is cut, nor to what is cut out of it.
			t.sites, t.mutable = site, false
			return pairValue(l.temp(binary2(opI32Add, v.n, bytes(from))), n, t), true
		}
		size := bytes(n)
		p := l.callHelper(helperAlloc, size)
		l.copyBytes(p, binary2(opI32Add, v.n, bytes(from)), size)
		return pairValue(p, n, t), true
	}
	l.writable(v, e.Callee.Idx0())
	switch name {
	case "sort":
		l.burnSort(v.m)
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("sort", []valueType{i32, i32, i32}, nil), values: []*tree{v.n, v.m, constI32(int32(v.t.elem))}})
	case "fill":
		if len(args) != 1 {
			l.refuse(at, "fill of a part", "write a loop")
		}
		x := l.temp(l.stored(v.t.elem, l.simple(l.number(args[0], at))))
		l.burnTree(quarter)
		l.eachIndex(e, at, v.m, func(i value, _ *jump) {
			address := binary2(opI32Add, v.n, binary2(opI32Shl, unary(opI32WrapI64, i.n), shift))
			l.emit(&statement{kind: stmtStore, op: elementStores[v.t.elem], values: []*tree{address}, value: x})
		})
	case "set":
		l.setElements(e, v, args, quarter)
		return undefinedValue(), true
	}
	return v, true
}

// section is the part that slice and subarray take: first element and length.
func (l *lower) section(v value, args []value, at file.Idx) (from, n *tree) {
	length := l.temp(unary(opI64ExtI32U, v.m))
	place := func(i int, otherwise *tree) *tree {
		if i >= len(args) || args[i].t.only(kUndefined) {
			return otherwise
		}
		if !args[i].t.only(kInt) {
			l.refuse(at, "a bound that is "+args[i].t.describe(), "use a whole number")
		}
		x := l.temp(args[i].integer())
		if c, ok := args[i].constant(); ok && c == 0 {
			return x
		}
		if args[i].t.lo >= 0 {
			return l.atMost(x, length)
		}
		negative := l.notNegative(binary2(opI64Add, length, x))
		return l.temp(choose(binary2(opI64LtS, x, constI64(0)), negative, l.atMost(x, length)))
	}
	start, end := place(0, constI64(0)), place(1, length)
	count := end
	if !start.isConst() {
		count = l.notNegative(binary2(opI64Sub, end, start))
	}
	return l.temp(unary(opI32WrapI64, start)), l.temp(unary(opI32WrapI64, count))
}

// atMost is the smaller of two integers that are not far apart, and notNegative
// the larger of one and 0: by masks, for a select costs wazero its condition twice.
func (l *lower) atMost(x, limit *tree) *tree {
	over := l.temp(binary2(opI64Sub, x, limit))
	return l.temp(binary2(opI64Add, limit, binary2(opI64And, over, binary2(opI64ShrS, over, constI64(63)))))
}

func (l *lower) notNegative(x *tree) *tree {
	x = l.temp(x)
	return l.temp(binary2(opI64And, x, binary2(opI64Xor, binary2(opI64ShrS, x, constI64(63)), constI64(-1))))
}

// writable notes that a view is written to: the store calls that it may come
// from must copy, and a module-level table cannot be.
func (l *lower) writable(v value, at file.Idx) {
	if !v.t.mutable && v.t.sites == 0 {
		l.refuse(at, "a change of a module-level table", "copy it with slice first")
	}
	if v.t.sites&^l.copying != 0 {
		l.copying |= v.t.sites
		l.changed = true
	}
}

// setElements is v.set(source, offset).
func (l *lower) setElements(e *ast.CallExpression, v value, args []value, quarter *tree) {
	at := e.Idx0()
	if len(args) == 0 || !args[0].t.only(kView) || args[0].t.elem != v.t.elem {
		l.refuse(at, "set from something that is no typed array of the same kind", "write a loop")
	}
	source := args[0]
	offset := constI64(0)
	if len(args) > 1 {
		if !args[1].t.only(kInt) {
			l.refuse(at, "an offset that is "+args[1].t.describe(), "use a whole number")
		}
		offset = l.temp(args[1].integer())
	}
	l.burnTree(quarter)
	l.burnTree(binary2(opI64ShrU, unary(opI64ExtI32U, source.m), constI64(2)))
	end := binary2(opI64Add, offset, unary(opI64ExtI32U, source.m))
	beyond := binary2(opI32Or, binary2(opI64LtS, offset, constI64(0)), binary2(opI64GtS, end, unary(opI64ExtI32U, v.m)))
	l.exitIf(beyond, ExitGuard, e.LeftParenthesis, "set beyond the end of a typed array", false)
	shift := constI32(int32(elementShifts[v.t.elem]))
	to := binary2(opI32Add, v.n, binary2(opI32Shl, unary(opI32WrapI64, offset), shift))
	l.emit(&statement{kind: stmtCopy, values: []*tree{to, source.n, binary2(opI32Shl, source.m, shift)}})
}

// table is a module-level typed array of constant numbers: it lies with the
// constants, and nothing may write to it.
func (l *lower) table(init ast.Expression, at file.Idx) (value, bool) {
	e, ok := init.(*ast.NewExpression)
	if !ok || len(e.ArgumentList) != 1 {
		return value{}, false
	}
	id, ok := e.Callee.(*ast.Identifier)
	if !ok || l.Library.functions[id.Name.String()] != nil || l.Library.bound[id.Name.String()] != nil {
		return value{}, false
	}
	elem, ok := arrayClasses[id.Name.String()]
	list, isList := e.ArgumentList[0].(*ast.ArrayLiteral)
	if !ok || !isList {
		return value{}, false
	}
	var data []byte
	for _, x := range list.Value {
		f, ok := literalNumber(x)
		if !ok {
			return value{}, false
		}
		data = appendElement(data, elem, f)
	}
	offset := l.text(string(data))
	p := l.temp(binary2(opI32Add, globalGet(globalData), constI32(int32(offset))))
	return pairValue(p, constI32(int32(len(list.Value))), viewT(elem, 0, false)), true
}

// literalNumber reads a number or a negated one.
func literalNumber(e ast.Expression) (float64, bool) {
	sign := 1.0
	if u, ok := e.(*ast.UnaryExpression); ok && u.Operator.String() == "-" && !u.Postfix {
		sign, e = -1, u.Operand
	}
	n, ok := e.(*ast.NumberLiteral)
	if !ok {
		return 0, false
	}
	switch x := n.Value.(type) {
	case int64:
		return sign * float64(x), true
	case float64:
		return sign * x, true
	}
	return 0, false
}

// appendElement appends a number as an element of a typed array keeps it.
func appendElement(dst []byte, e element, f float64) []byte {
	switch e {
	case elemF64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
	case elemF32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f)))
	}
	n := uint32(0)
	if !math.IsNaN(f) && !math.IsInf(f, 0) {
		n = uint32(int64(math.Mod(math.Trunc(f), 1<<32)))
	}
	return append(dst, binary.LittleEndian.AppendUint32(nil, n)[:1<<elementShifts[e]]...)
}

// viewMethod lowers a method of a typed array.
func (l *lower) viewMethod(e *ast.CallExpression, name string, v value) value {
	v = l.keep(v)
	if out, ok := l.bulkMethod(e, name, v); ok {
		return out
	}
	if out, ok := l.sequenceMethod(e, name, v); ok {
		return out
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of a typed array", "write a loop")
	return nothing()
}
