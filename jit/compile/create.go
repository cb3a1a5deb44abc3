package compile

import (
	"math"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"shredder/jit/syntax"
)

var nan = math.NaN()

var arrayClasses = map[string]element{"Uint8Array": elemU8, "Int8Array": elemI8, "Uint16Array": elemU16, "Int16Array": elemI16,
	"Uint32Array": elemU32, "Int32Array": elemI32, "Float32Array": elemF32, "Float64Array": elemF64}

// newExpr lowers new X(…): typed arrays in scratch memory.
func (l *lower) newExpr(e *ast.NewExpression) value {
	if class := l.errorClassOf(e); class != "" {
		return l.newError(e, class)
	}
	id, ok := e.Callee.(*ast.Identifier)
	if ok && !l.isBound(id.Name.String()) {
		if elem, ok := arrayClasses[id.Name.String()]; ok {
			return l.newTypedArray(e, elem)
		}
		if id.Name == "Set" && len(e.ArgumentList) == 0 {
			return l.newList(constI32(listRoom), setT)
		}
		if id.Name == "Set" && len(e.ArgumentList) == 1 {
			return l.setOf(e)
		}
		if id.Name == "ArrayBuffer" && len(e.ArgumentList) == 1 {
			return l.newBuffer(e)
		}
		if id.Name == "DataView" {
			return l.newDataView(e)
		}
		if id.Name == "Array" && len(e.ArgumentList) == 0 {
			return l.newList(constI32(listRoom), heapT(kArray, l.newCell(e)))
		}
		if id.Name == "Map" && len(e.ArgumentList) == 0 {
			return l.newList(constI32(listRoom), heapT(kMap, l.newCell(e)))
		}
	}
	l.refuse(e.New, "new", "compiled functions make typed arrays, as in new Float64Array(n), new Set() and new Map()")
	return nothing()
}

func (l *lower) newTypedArray(e *ast.NewExpression, elem element) value {
	if len(e.ArgumentList) == 1 {
		if list, ok := e.ArgumentList[0].(*ast.ArrayLiteral); ok {
			return l.typedArrayOf(e, elem, list)
		}
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if len(args) > 0 && args[0].t.only(kBuffer) && args[0].t.elem == elemBuffer {
		for i := range args {
			args[i] = l.keep(args[i])
		}
		return l.overBuffer(args, bytesType(kView, elem, args[0].t), elementShifts[elem], e.New)
	}
	if len(args) == 1 && (args[0].t.only(kArray) || args[0].t.only(kView)) {
		return l.typedArrayFrom(e, elem, args[0])
	}
	if len(args) != 1 || !args[0].t.only(kInt|kNumber) {
		l.refuse(e.New, "a typed array of something that is not known to be a number", "give its length, or a list of numbers")
	}
	n := l.simple(args[0])
	if !n.t.only(kInt) { // fractions are cut off, NaN is 0
		n = intValue(l.temp(unary(opI64TruncSatS, n.double())), safeT)
	}
	l.exitIf(binary2(opI64GtU, n.n, constI64(maxElements>>3)), ExitGuard, e.New, "a typed array of this length", false)
	if l.flow == nil {
		return nothing()
	}
	count := l.temp(unary(opI32WrapI64, n.n))
	size := l.temp(binary2(opI32Shl, count, constI32(int32(elementShifts[elem]))))
	l.burnTree(binary2(opI64ShrU, unary(opI64ExtI32U, size), constI64(6)))
	p := l.callHelper(helperAlloc, size)
	l.emit(&statement{kind: stmtFill, values: []*tree{p, constI32(0), size}})
	return pairValue(p, count, viewT(elem, 0, true))
}

func (l *lower) typedArrayOf(e *ast.NewExpression, elem element, list *ast.ArrayLiteral) value {
	var items []value
	var marks []int
	for _, x := range list.Value {
		if x == nil {
			l.refuse(list.LeftBracket, "a hole in a list", "write every element")
		}
		if s, ok := x.(*ast.SpreadElement); ok {
			l.refuse(s.Idx0(), "a spread element", "write every element")
		}
		items = append(items, l.expr(x))
		marks = append(marks, l.mark())
		if l.flow == nil {
			return nothing()
		}
	}
	for i := len(items) - 1; i >= 0; i-- {
		items[i] = l.hold(items[i], marks[i])
	}
	shift := elementShifts[elem]
	size := int32(len(items)) << shift
	cost := int64(len(items)) * 16 / syntax.BytesPerFuel // a list's elements are charged at 16 bytes
	if l.iterators && len(items) > 0 {
		cost += int64(len(items)) + 1
	}
	l.burn(cost)
	p := l.callHelper(helperAlloc, constI32(size))
	for i, x := range items {
		x = l.number(l.simple(x), list.Value[i].Idx0())
		l.emit(&statement{kind: stmtStore, op: elementStores[elem], values: []*tree{p}, value: l.stored(elem, x), offset: uint32(i << shift)})
	}
	return pairValue(p, constI32(int32(len(items))), viewT(elem, 0, true))
}

// copyOf copies a stored value into scratch, for a view that is written to; a
// missing value stays missing.
func (l *lower) copyOf(ptr, size *tree, at file.Idx) *tree {
	out := l.newLocal(i32)
	l.emit(setLocal(out, constI32(0)))
	l.emit(&statement{kind: stmtIf, value: ptr, body: l.into(func() {
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperAlloc), values: []*tree{size}, sets: []int{out}})
		l.emit(&statement{kind: stmtCopy, values: []*tree{localGet(out, i32), ptr, size}})
	})})
	l.stable[out] = true
	return localGet(out, i32)
}
