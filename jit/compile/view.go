package compile

import (
	"math"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

var infinity = math.Inf(1)

// dot lowers a property that is read.
func (l *lower) dot(e *ast.DotExpression) value {
	name := e.Identifier.Name.String()
	if r := l.recordNamed(e.Left); r != nil {
		if v := r.fields[name]; v != nil {
			return l.read(v)
		}
		if inheritedNames[name] {
			l.refuse(e.Identifier.Idx, "property "+name+" of an object", "use fields of its own")
		}
		return undefinedValue()
	}
	if id, ok := e.Left.(*ast.Identifier); ok && !l.isBound(id.Name.String()) {
		if v, ok := l.globalProperty(id.Name.String(), name); ok {
			return v
		}
		if id.Name != "undefined" {
			l.refuse(id.Idx, id.Name.String()+"."+name, "compiled functions know store, Math, Number and request")
		}
	}
	v := l.expr(e.Left)
	if l.flow == nil {
		return nothing()
	}
	v = l.present(v, e.Left.Idx0())
	if l.flow == nil {
		return nothing()
	}
	return l.propertyNamed(v, name, e.Identifier.Idx)
}

// propertyNamed reads a property of a value that is there.
func (l *lower) propertyNamed(v value, name string, at file.Idx) value {
	switch {
	case v.t.only(kValue):
		return l.valueProperty(v, name, at)
	case name == "length" && v.t.only(kView|kString):
		return l.length(v)
	case name == "length" && v.t.only(kArray):
		return l.lengthOfList(l.keep(v))
	case name == "size" && (v.t.only(kSet) || v.t.only(kMap)):
		return l.liveSize(l.keep(v))
	case name == "byteLength" && v.t.only(kView):
		n := l.length(v)
		return intValue(binary2(opI64Shl, n.n, constI64(elementShifts[v.t.elem])), intT(0, maxElements))
	}
	switch {
	case name == "buffer" && v.t.only(kView|kBuffer):
		return l.bufferOf(v, at)
	case name == "byteLength" && v.t.only(kBuffer):
		return l.length(v)
	case name == "byteOffset" && v.t.only(kView|kBuffer) && !v.t.part:
		return constNumber(0)
	}
	if v.t.only(kRecord) {
		return l.fieldNamed(v, name, at)
	}
	if v.t.only(kError) {
		return l.errorField(l.keep(v), name, at)
	}
	l.refuse(at, "property "+name+" of "+v.t.describe(), "compiled functions know length and byteLength")
	return nothing()
}

// fieldNamed reads a field of an object in memory; one that it does not have is
// undefined, unless every object has it.
func (l *lower) fieldNamed(v value, name string, at file.Idx) value {
	i := v.t.cell().field(name)
	if i >= 0 {
		return l.recordField(l.keep(v), i)
	}
	if inheritedNames[name] {
		l.refuse(at, "property "+name+" of an object", "use fields of its own")
	}
	return undefinedValue()
}

var inheritedNames = map[string]bool{"constructor": true, "toString": true, "toLocaleString": true, "valueOf": true, "hasOwnProperty": true,
	"isPrototypeOf": true, "propertyIsEnumerable": true, "__proto__": true, "__defineGetter__": true, "__defineSetter__": true,
	"__lookupGetter__": true, "__lookupSetter__": true}

func (l *lower) globalProperty(object, name string) (value, bool) {
	switch object {
	case "request":
		switch name {
		case "now":
			return intValue(globalGet(globalNow), intT(0, maxSafe)), true
		case "tenant":
			return l.hostString("tenant", wideT), true
		case "id":
			return l.requestID(), true
		}
	case "Math":
		if c, ok := mathConstants[name]; ok {
			return constNumber(c), true
		}
	case "Number":
		if c, ok := numberConstants[name]; ok {
			return constNumber(c), true
		}
	}
	return value{}, false
}

// present leaves the call when a value of which something is read is nil: tier
// 0 throws the TypeError then.
func (l *lower) present(v value, at file.Idx) value {
	if !v.t.has(kNil) {
		return v
	}
	v = l.simple(v)
	l.exitIf(v.isNil(), ExitGuard, at, "a property of undefined or null", false)
	v.t = v.t.without(kNil)
	return v
}

// length is the number of elements, or of characters.
func (l *lower) length(v value) value {
	if v.t.wide {
		return intValue(unary(opI64ExtI32U, v.units()), lengthT)
	}
	return intValue(unary(opI64ExtI32U, v.m), lengthT)
}

// chain is an optional chain that is being lowered.
type chain struct {
	result *variable
	end    *label
	flow   *flow
	at     file.Idx
}

// optionalChain is a?.b…: a link that finds nil ends the chain with undefined.
func (l *lower) optionalChain(e *ast.OptionalChain) value {
	r := l.inst.variable(e, "the chain")
	l.allocate(r)
	outer := l.chain
	c := &chain{result: r, end: &label{}, at: e.Idx0()}
	l.wrap(c.end, func() {
		l.chain = c
		v := l.expr(e.Expression)
		l.chain = outer
		if l.flow != nil {
			l.assign(r, v, c.at)
		}
	})
	l.flow = merge(l.flow, c.flow)
	return l.resultOf(r)
}

func (l *lower) optionalLink(o *ast.Optional) value {
	c := l.chain
	v := l.expr(o.Expression)
	if l.flow == nil {
		return nothing()
	}
	v = l.keep(v)
	some := v
	some.t = v.t.without(kNil)
	l.branch(v.isNil(), func() {
		l.assign(c.result, undefinedValue(), c.at)
		if l.flow != nil {
			c.flow = merge(c.flow, l.flow)
			c.end.used = true
			l.emit(&statement{kind: stmtBr, label: c.end})
			l.flow = nil
		}
	}, nil)
	if some.t.isNever() {
		l.flow = nil
	}
	return some
}

func (l *lower) bracket(e *ast.BracketExpression) value {
	v := l.expr(e.Left)
	if l.flow == nil {
		return nothing()
	}
	v = l.present(v, e.Left.Idx0())
	if l.flow == nil {
		return nothing()
	}
	return l.elementOf(v, e)
}

// elementOf is v[e.Member].
func (l *lower) elementOf(v value, e *ast.BracketExpression) value {
	if v.t.only(kString) {
		return l.characterAt(v, e)
	}
	if v.t.only(kValue) {
		return l.valueItem(v, e)
	}
	if v.t.only(kArray) {
		return l.listPlace(l.keep(v), e).get()
	}
	if !v.t.only(kView) {
		l.refuse(e.Left.Idx0(), "an element of "+v.t.describe(), "use a typed array")
	}
	mark := l.mark()
	i := l.expr(e.Member)
	if l.flow == nil {
		return nothing()
	}
	v = l.simple(l.hold(v, mark))
	known := l.isBelow(e)
	return l.elementOrUndefined(v, i, e, known)
}

// isBelow says that the loop's test has shown the index to be in range.
func (l *lower) isBelow(e *ast.BracketExpression) bool {
	x, y := l.variableNamed(e.Member), l.variableNamed(e.Left)
	return x != nil && y != nil && l.flow.facts[fact{x, y}]
}

// elementOrUndefined reads element i. Beyond the end is undefined: by a guard,
// so that the result stays a number, until the guard has failed once.
func (l *lower) elementOrUndefined(v, i value, e *ast.BracketExpression, known bool) value {
	index, inside := l.index(v, i, e.Member.Idx0(), known)
	if !l.isWide(e.LeftBracket, guardElement) {
		l.guard(not(inside), e.LeftBracket, guardElement)
		if l.flow == nil {
			return nothing()
		}
		return l.elementAt(v, index)
	}
	inside = l.temp(inside)
	index = l.temp(index)
	yes, no := l.ways(inside)
	return l.either(e, inside, yes, no, func() value { return l.elementAt(v, index) }, undefinedValue, e.Idx0())
}

// index converts an index to an i32 and says when it names an element of v.
func (l *lower) index(v, i value, at file.Idx, known bool) (n, inside *tree) {
	if !i.t.only(kInt | kNumber) {
		l.refuse(at, "an index that is "+i.t.describe(), "use a number, with a test for undefined before")
	}
	if i.t.only(kInt) {
		n64 := i.integer()
		if known {
			return unary(opI32WrapI64, n64), constI32(1)
		}
		n64 = l.temp(n64)
		return unary(opI32WrapI64, n64), binary2(opI64LtU, n64, unary(opI64ExtI32U, v.m))
	}
	d := l.temp(i.n)
	n64 := l.temp(unary(opI64TruncSatS, d))
	whole := binary2(opF64Eq, unary(opF64ConvI64S, n64), d)
	return unary(opI32WrapI64, n64), binary2(opI32And, whole, binary2(opI64LtU, n64, unary(opI64ExtI32U, v.m)))
}

var elementLoads = [...]opcode{opI64Load8U, opI64Load8S, opI64Load16U, opI64Load16S, opI64Load32U, opI64Load32S, opF32Load, opF64Load}

// elementAt reads an element that is there.
func (l *lower) elementAt(v value, index *tree) value {
	e := v.t.elem
	address := binary2(opI32Add, v.n, binary2(opI32Shl, index, constI32(int32(elementShifts[e]))))
	x := load(elementLoads[e], address, 0)
	var out value
	switch e {
	case elemF32:
		out = numberValue(unary(opF64PromF32, x))
	case elemF64:
		out = numberValue(x)
	default:
		out = intValue(x, intT(elementLow[e], elementHigh[e]))
	}
	return l.simple(out)
}

var elementStores = [...]opcode{opI64Store8, opI64Store8, opI64Store16, opI64Store16, opI64Store32, opI64Store32, opF32Store, opF64Store}

// elementPlace is an element that is assigned.
func (l *lower) elementPlace(e *ast.BracketExpression) place {
	v := l.expr(e.Left)
	if l.flow == nil {
		return place{func() value { return nothing() }, func(value) {}}
	}
	v = l.present(v, e.Left.Idx0())
	if v.t.only(kArray) {
		return l.listPlace(l.keep(v), e)
	}
	if !v.t.only(kView) {
		l.refuse(e.Left.Idx0(), "assignment to an element of "+v.t.describe(), "use a typed array")
	}
	l.writable(v, e.Left.Idx0())
	mark := l.mark()
	i := l.expr(e.Member)
	if l.flow == nil {
		return place{func() value { return nothing() }, func(value) {}}
	}
	v = l.simple(l.hold(v, mark))
	i = l.simple(i)
	known := l.isBelow(e)
	return place{
		get: func() value { return l.elementOrUndefined(v, i, e, known) },
		set: func(x value) {
			if l.flow == nil {
				return
			}
			x = l.number(l.simple(x), e.Idx0())
			index, inside := l.index(v, i, e.Member.Idx0(), known)
			y := l.stored(v.t.elem, x)
			address := binary2(opI32Add, v.n, binary2(opI32Shl, index, constI32(int32(elementShifts[v.t.elem]))))
			s := &statement{kind: stmtStore, op: elementStores[v.t.elem], values: []*tree{address}, value: y}
			if inside.isConst() {
				l.emit(s)
				return
			}
			l.emit(&statement{kind: stmtIf, value: inside, body: []*statement{s}})
		},
	}
}

// stored converts a number to what an element of e keeps of it.
func (l *lower) stored(e element, x value) *tree {
	switch e {
	case elemF32:
		return unary(opF32DemoteF64, l.simple(x).double())
	case elemF64:
		return l.simple(x).double()
	}
	if x.t.only(kInt) {
		return l.temp(x.integer()) // the store keeps the low bits
	}
	return l.temp(l.toInt32(x).n)
}
