package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// A JSON value is what JSON.parse, store.json and a call's JSON argument give:
// a reference to a node in scratch, 0 for undefined and 1 for null. Numbers,
// strings and booleans become nodes where they flow together with JSON values.
// A node has 16 bytes: its tag, a word, and eight bytes.
const (
	NodeTag   = 0
	NodeWord  = 4 // boolean: 0 or 1; string: length word; array, object: count
	NodeData  = 8 // number: an f64; string, array, object: address
	NodeSize  = 16
	NodeIndex = 12 // object: address of the entries' numbers in order of their names, 0 for few

	TagBool   = 1
	TagNumber = 2
	TagText   = 3
	TagArray  = 4
	TagObject = 5

	// EntrySize of an object's entries: address and length word of the name,
	// the value.
	EntrySize = 16
)

// What the host's functions on JSON values return instead of a reference or
// address: values that tier 0 must look at, and the end of scratch.
const (
	ValueOther   = 2 // a method of a prototype, an object as a number …
	ValueScratch = 3
	ValueThrow   = 4 // the exception is raised
)

var valueT = Type{k: kValue}

// otherValue is the guard of what only tier 0 can do with a JSON value.
const otherValue = "a JSON value of another type"

func (v value) tag() *tree { return load(opI32Load, v.n, NodeTag) }

// valueTruthy is ToBoolean. What lies at addresses 0 and 1 does no harm.
func (v value) valueTruthy() *tree {
	number := binary2(opF64Gt, unary(opF64Abs, load(opF64Load, v.n, NodeData)), constF64(0))
	word := binary2(opI32Ne, load(opI32Load, v.n, NodeWord), constI32(0))
	c := choose(binary2(opI32Eq, v.tag(), constI32(TagNumber)), number, word)
	c = choose(binary2(opI32GeU, v.tag(), constI32(TagArray)), constI32(1), c)
	return binary2(opI32And, binary2(opI32GtU, v.n, constI32(1)), c)
}

// box makes a JSON value of a primitive or a string.
func (l *lower) box(v value) value {
	v = l.simple(v)
	var r *tree
	if v.t.has(kString) {
		r = l.hostCall("boxText", i32, v.n, v.m)
	} else {
		r = l.hostCall("boxNumber", i32, l.boxed(v).n)
	}
	return l.valueResult(r, v.t.boxed(), l.f.literal.Function)
}

// valueResult looks at a reference that the host has made.
func (l *lower) valueResult(r *tree, t Type, at file.Idx) value {
	l.scratch = true
	odd := binary2(opI32LtU, binary2(opI32Sub, r, constI32(2)), constI32(3))
	l.branch(odd, func() {
		l.exitIf(binary2(opI32Eq, r, constI32(ValueScratch)), ExitScratch, at, "", false)
		l.exitIf(binary2(opI32Eq, r, constI32(ValueOther)), ExitGuard, at, otherValue, false)
		if l.catching() {
			l.raise(l.makeError("SyntaxError", l.hostString("raisedText", wideT), at))
		} else {
			l.exitIf(constI32(1), ExitThrow, at, "", false)
		}
	}, nil)
	return refValue(r, t)
}

func (l *lower) expectTag(v value, tag int32, at file.Idx) {
	l.exitIf(binary2(opI32Ne, v.tag(), constI32(tag)), ExitGuard, at, otherValue, false)
}

// valueProperty is v.name.
func (l *lower) valueProperty(v value, name string, at file.Idx) value {
	v = l.simple(v)
	if name == "length" {
		// Of a string or an array; an object's own is for tier 0.
		l.exitIf(binary2(opI32GtU, binary2(opI32Sub, v.tag(), constI32(TagText)), constI32(1)), ExitGuard, at, otherValue, false)
		return l.simple(v.valueCount())
	}
	key := l.stringConstant(name, at)
	return l.valueResult(l.hostCall("valueGet", i32, v.n, key.n, key.m), valueT.with(kNil), at)
}

// valueCount is how many elements an array has, or units a string.
func (v value) valueCount() value {
	return intValue(unary(opI64ExtI32U, v.count()), lengthT)
}

func (v value) count() *tree {
	return binary2(opI32And, load(opI32Load, v.n, NodeWord), constI32(1<<31-1))
}

// valueItem is v[i].
func (l *lower) valueItem(v value, e *ast.BracketExpression) value {
	mark := l.mark()
	i := l.expr(e.Member)
	if l.flow == nil {
		return nothing()
	}
	v = l.simple(l.hold(v, mark))
	i = l.simple(i)
	at := e.LeftBracket
	t := valueT.with(kNil)
	switch {
	case i.t.only(kInt | kNumber):
		return l.valueResult(l.hostCall("valueAt", i32, v.n, i.double()), t, at)
	case i.t.only(kValue | kString):
		s := l.simple(l.toText(i, at))
		return l.valueResult(l.hostCall("valueGet", i32, v.n, s.n, s.m), t, at)
	}
	l.refuse(e.Member.Idx0(), "a name that is "+i.t.describe(), "use a number or a string")
	return nothing()
}

// valueArray makes sure that for … of goes over an array.
func (l *lower) valueArray(v value, at file.Idx) value {
	v = l.keep(v)
	l.expectTag(v, TagArray, at)
	return v
}

// valueElement is an element that is there.
func (l *lower) valueElement(v value, i *tree) value {
	at := binary2(opI32Add, load(opI32Load, v.n, NodeData), binary2(opI32Shl, i, constI32(2)))
	return l.simple(refValue(load(opI32Load, at, 0), valueT.with(kNull)))
}

func (l *lower) numberOfValue(v value, at file.Idx) value {
	d := l.hostCall("valueNumber", f64, l.simple(v).n)
	l.exitIf(binary2(opI64Eq, unary(opI64ReintF64, d), constI64(sentinelBitsSigned+codeJSON)), ExitGuard, at, otherValue, false)
	return numberValue(d)
}

func (l *lower) textOfValue(v value, at file.Idx) value {
	l.scratch = true
	packed := l.hostCall("valueText", i64, l.simple(v).n)
	l.exitIf(binary2(opI64Eq, packed, constI64(-1)), ExitScratch, at, "", false)
	l.exitIf(binary2(opI64Eq, packed, constI64(-2)), ExitGuard, at, otherValue, false)
	return pairValue(l.temp(unary(opI32WrapI64, binary2(opI64ShrU, packed, constI64(32)))), l.temp(unary(opI32WrapI64, packed)), wideT)
}

// isTextNode is the condition that a JSON value is a string; loads at 0 and 1
// do no harm.
func (v value) isTextNode() *tree {
	return binary2(opI32And, binary2(opI32GtU, v.n, constI32(1)), binary2(opI32Eq, v.tag(), constI32(TagText)))
}

// valueOperands makes numbers or strings of the operands of + and comparisons:
// a JSON value is a string beside a string, and else taken for a number until a
// guard has failed.
func (l *lower) valueOperands(a, b value, at file.Idx) (value, value) {
	a, b = l.simple(a), l.simple(b)
	text := a.t.only(kString) || b.t.only(kString) || l.isWide(at, guardValue)
	one := func(v value) value {
		if !v.t.has(kValue) || l.flow == nil {
			return v
		}
		if text {
			l.exitIf(not(v.isTextNode()), ExitGuard, at, otherValue, false)
			return l.simple(l.textOfValue(v, at))
		}
		l.guard(v.isTextNode(), at, guardValue)
		return l.simple(l.numberOfValue(v, at))
	}
	return one(a), one(b)
}

// valueEquals is === where one side is a JSON value.
func (l *lower) valueEquals(a, b value, at file.Idx) *tree {
	if !a.t.has(kValue) {
		a, b = b, a
	}
	switch {
	case b.t.only(kUndefined):
		return a.isUndefined()
	case b.t.only(kNull):
		return a.isNull()
	case b.t.only(kPrimitive):
		return l.hostCall("valueIsNumber", i32, a.n, l.boxed(b).n)
	case b.t.only(kString | kNil):
		return l.hostCall("valueIsText", i32, a.n, b.n, b.m)
	case b.t.only(kValue | kNil):
		return l.hostCall("valueSame", i32, a.n, b.n)
	}
	l.refuse(at, "a comparison of "+a.t.describe()+" with "+b.t.describe(), "compare numbers, strings and booleans")
	return nil
}

// textOrNumber is a JSON value as a key or a value to be stored, by its text: a
// key that is an integer's text is that integer.
func (l *lower) textOrNumber(v value, at file.Idx, message string) value {
	v = l.keep(v)
	known := binary2(opI32LtU, binary2(opI32Sub, v.tag(), constI32(TagNumber)), constI32(2))
	l.throw(not(l.temp(binary2(opI32And, binary2(opI32GtU, v.n, constI32(1)), known))), at, message)
	if l.flow == nil {
		return nothing()
	}
	return l.simple(l.textOfValue(v, at))
}

// textMethods are methods that only strings have.
var textMethods = map[string]bool{"charAt": true, "charCodeAt": true, "codePointAt": true, "startsWith": true, "endsWith": true, "trim": true,
	"trimStart": true, "trimEnd": true, "toLowerCase": true, "toUpperCase": true, "padStart": true, "padEnd": true, "repeat": true,
	"replace": true, "replaceAll": true, "substring": true, "substr": true}

// valueMethod is a method of a JSON value: of a string, by a guard.
func (l *lower) valueMethod(e *ast.CallExpression, name string, v value) value {
	switch {
	case textMethods[name]:
		v = l.keep(v)
		l.expectTag(v, TagText, e.Callee.Idx0())
		return l.stringMethod(e, name, l.keep(l.textOfValue(v, e.Callee.Idx0())))
	case name == "toFixed":
		v = l.keep(v)
		l.expectTag(v, TagNumber, e.Callee.Idx0())
		return l.numberMethod(e, name, l.numberOfValue(v, e.Callee.Idx0()))
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of a JSON value", "loop over it with for … of, or take it apart: numbers with +x, strings with String(x)")
	return nothing()
}

// isNodeOf is the condition that a JSON value has one of the types that typeof
// names.
func (v value) isNodeOf(name string) *tree {
	tag := choose(binary2(opI32GtU, v.n, constI32(1)), v.tag(), constI32(0))
	switch name {
	case "undefined":
		return v.isUndefined()
	case "boolean":
		return binary2(opI32Eq, tag, constI32(TagBool))
	case "number":
		return binary2(opI32Eq, tag, constI32(TagNumber))
	case "string":
		return binary2(opI32Eq, tag, constI32(TagText))
	case "object":
		return binary2(opI32Or, v.isNull(), binary2(opI32GeU, tag, constI32(TagArray)))
	}
	return constI32(0)
}
