package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// ArrayBuffers and DataViews are bytes of a value or of scratch, as typed arrays
// are: address and length. The element type of a kBuffer tells which it is.
const (
	elemBuffer = elemU8
	elemData   = elemI8
)

func (v value) retagged(t Type) value { v.t = t; return v }

// bytesType is a type over the same bytes as t's.
func bytesType(k kinds, elem element, t Type) Type {
	return Type{k: k, elem: elem, sites: t.sites, mutable: t.mutable}
}

// newBuffer is new ArrayBuffer(n).
func (l *lower) newBuffer(e *ast.NewExpression) value {
	v := l.newTypedArray(e, elemU8)
	if l.flow == nil {
		return nothing()
	}
	return v.retagged(bytesType(kBuffer, elemBuffer, v.t))
}

// bufferOf is view.buffer: the whole buffer, which a view that may begin or end
// within it does not know.
func (l *lower) bufferOf(v value, at file.Idx) value {
	if v.t.part {
		l.refuse(at, "the buffer of a part of a typed array", "keep the buffer in a variable")
	}
	v = l.keep(v)
	v.m = l.temp(binary2(opI32Shl, v.m, constI32(int32(elementShifts[v.t.elem]))))
	return v.retagged(bytesType(kBuffer, elemBuffer, v.t))
}

// overBuffer makes a view of elements of size 1 << shift over a buffer: new
// C(buffer, offset, length). What throws a RangeError is for tier 0.
func (l *lower) overBuffer(args []value, t Type, shift int64, at file.Idx) value {
	b := l.keep(args[0])
	size := unary(opI64ExtI32U, b.m)
	number := func(i int, otherwise *tree) *tree {
		if i >= len(args) || args[i].t.only(kUndefined) {
			return otherwise
		}
		if !args[i].t.only(kInt) {
			l.refuse(at, "an offset or length that is "+args[i].t.describe(), "use whole numbers")
		}
		return l.temp(l.simple(args[i]).integer())
	}
	from := number(1, constI64(0))
	rest := l.temp(binary2(opI64Sub, size, from))
	count := number(2, binary2(opI64ShrS, rest, constI64(shift)))
	count = l.temp(count)
	mask := constI64(1<<shift - 1)
	bad := binary2(opI32Or, binary2(opI64GtU, from, size), binary2(opI64GtU, count, constI64(maxElements)))
	bad = binary2(opI32Or, bad, binary2(opI64GtU, binary2(opI64Shl, count, constI64(shift)), rest))
	if shift > 0 {
		odd := from
		if len(args) < 3 || args[2].t.only(kUndefined) {
			odd = binary2(opI64Or, from, size)
		}
		bad = binary2(opI32Or, bad, binary2(opI64Ne, binary2(opI64And, odd, mask), constI64(0)))
	}
	l.exitIf(bad, ExitGuard, at, "a view beyond its buffer", false)
	if l.flow == nil {
		return nothing()
	}
	t.part = len(args) > 1
	return pairValue(l.temp(binary2(opI32Add, b.n, unary(opI32WrapI64, from))), l.temp(unary(opI32WrapI64, count)), t)
}

// newDataView is new DataView(buffer, offset, length).
func (l *lower) newDataView(e *ast.NewExpression) value {
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if len(args) == 0 || !args[0].t.only(kBuffer) || args[0].t.elem != elemBuffer {
		l.refuse(e.New, "a DataView of something else than a buffer", "give it view.buffer")
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	return l.overBuffer(args, bytesType(kBuffer, elemData, args[0].t), 0, e.New)
}

var dataElements = map[string]element{"Uint8": elemU8, "Int8": elemI8, "Uint16": elemU16, "Int16": elemI16, "Uint32": elemU32, "Int32": elemI32,
	"Float32": elemF32, "Float64": elemF64}

// bufferMethod lowers get… and set… of a DataView, and slice of a buffer.
func (l *lower) bufferMethod(e *ast.CallExpression, name string, v value) value {
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	at := e.Idx0()
	if name == "slice" && v.t.elem == elemBuffer {
		from, n := l.section(v, args, at)
		p := l.callHelper(helperAlloc, n)
		l.emit(&statement{kind: stmtCopy, values: []*tree{p, binary2(opI32Add, v.n, from), n}})
		return pairValue(p, n, Type{k: kBuffer, elem: elemBuffer, mutable: true})
	}
	elem, ok := elemU8, false
	isSet := false
	if len(name) > 3 && v.t.elem == elemData {
		elem, ok = dataElements[name[3:]]
		isSet = name[:3] == "set"
		ok = ok && (isSet || name[:3] == "get")
	}
	least := 1
	if isSet {
		least = 2
	}
	if !ok || len(args) < least || len(args) > least+1 || !args[0].t.only(kInt) {
		l.refuse(e.Callee.Idx0(), "method "+name+" of "+v.t.describe(), "use get and set of 8, 16 and 32 bits and floats, with a whole offset")
	}
	little := false
	if len(args) > least {
		c := l.simple(args[least]).truthy()
		if !c.isConst() {
			l.refuse(at, "an order of bytes that is not constant", "write true or false")
		}
		little = c.imm != 0
	}
	offset := args[0].integer()
	width := int64(1) << elementShifts[elem]
	last := binary2(opI64Sub, unary(opI64ExtI32U, v.m), constI64(width))
	beyond := binary2(opI32Or, binary2(opI64LtS, offset, constI64(0)), binary2(opI64GtS, offset, last))
	l.exitIf(beyond, ExitGuard, e.LeftParenthesis, "an offset beyond a DataView", false)
	if l.flow == nil {
		return nothing()
	}
	address := binary2(opI32Add, v.n, unary(opI32WrapI64, offset))
	if !isSet {
		return l.dataGet(address, elem, little)
	}
	l.writable(v.retagged(bytesType(kView, elemU8, v.t)), e.Callee.Idx0())
	x := l.stored(elem, l.number(args[1], at))
	if !little && width > 1 {
		x = l.swappedStore(x, elem)
		elem = [...]element{elemU8, elemU8, elemU16, elemU16, elemU32, elemU32, elemU32, elemF64}[elem]
	}
	op := elementStores[elem]
	if !little && elem == elemF64 {
		op = opI64Store
	}
	l.emit(&statement{kind: stmtStore, op: op, values: []*tree{address}, value: x})
	return undefinedValue()
}

// dataGet reads a number at an address.
func (l *lower) dataGet(address *tree, elem element, little bool) value {
	if little || elementShifts[elem] == 0 {
		return l.elementAt(pairValue(address, constI32(1), viewT(elem, 0, false)), constI32(0))
	}
	switch elem {
	case elemF64:
		return numberValue(l.temp(unary(opF64ReintI64, l.swapped(load(opI64Load, address, 0), 64))))
	case elemF32:
		return numberValue(l.temp(unary(opF64PromF32, unary(opF32ReintI32, unary(opI32WrapI64, l.swapped(load(opI64Load32U, address, 0), 32))))))
	}
	bits := 8 << elementShifts[elem]
	op := opI64Load16U
	if bits == 32 {
		op = opI64Load32U
	}
	x := l.swapped(load(op, address, 0), bits)
	if elem == elemI16 || elem == elemI32 {
		shift := constI64(int64(64 - bits))
		x = binary2(opI64ShrS, binary2(opI64Shl, x, shift), shift)
	}
	return l.simple(intValue(x, intT(elementLow[elem], elementHigh[elem])))
}

// swappedStore is what is stored of a value, as an i64 with its bytes turned.
func (l *lower) swappedStore(x *tree, elem element) *tree {
	switch elem {
	case elemF64:
		return l.swapped(unary(opI64ReintF64, x), 64)
	case elemF32:
		return l.swapped(unary(opI64ExtI32U, unary(opI32ReintF32, x)), 32)
	}
	return l.swapped(x, 8<<elementShifts[elem])
}

// swapped turns the low bytes of an i64 around; those above become 0.
func (l *lower) swapped(x *tree, bits int) *tree {
	x = l.temp(x)
	var out *tree
	for at := 0; at < bits; at += 8 {
		b := binary2(opI64And, binary2(opI64ShrU, x, constI64(int64(at))), constI64(0xff))
		b = binary2(opI64Shl, b, constI64(int64(bits-8-at)))
		if out == nil {
			out = b
		} else {
			out = binary2(opI64Or, out, b)
		}
	}
	return l.temp(out)
}
