package compile

import (
	"encoding/binary"
	"unicode/utf16"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// A string is an address and a length word: ASCII lies in bytes, any other
// string in UTF-16 with WideText set in the word, which counts code units. A
// string has one form only, so equal strings are equal in word and bytes. A type
// that is not wide needs no look at the flag; text from outside is taken for
// ASCII until a guard has met other text.

// WideText is the flag of strings in UTF-16, as the host sees it.
const WideText = 1 << 31

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// units is the length of a string in code units.
func (v value) units() *tree {
	if !v.t.wide {
		return v.m
	}
	return binary2(opI32And, v.m, constI32(1<<31-1))
}

// isWideText is the condition that one of the strings is in UTF-16; nil if none can be.
func isWideText(list ...value) (c *tree) {
	for _, v := range list {
		switch {
		case !v.t.wide:
		case c == nil:
			c = v.m
		default:
			c = binary2(opI32Or, c, v.m)
		}
	}
	if c == nil {
		return nil
	}
	return binary2(opI32LtS, c, constI32(0))
}

func (l *lower) stringConstant(s string, _ file.Idx) value {
	if !isASCII(s) {
		return l.unitConstant(utf16.Encode([]rune(s)))
	}
	return l.constantText(l.text(s), int32(len(s)), stringT)
}

// literal is a constant of the source, which may hold lone surrogates.
func (l *lower) literal(s unistring.String) value {
	if u := s.AsUtf16(); u != nil {
		return l.unitConstant(u[1:])
	}
	return l.constantText(l.text(string(s)), int32(len(s)), stringT)
}

func (l *lower) unitConstant(units []uint16) value {
	var b []byte
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return l.constantText(l.text(string(b)), int32(uint32(len(units))|WideText), wideT)
}

func (l *lower) constantText(offset int, word int32, t Type) value {
	return l.simple(pairValue(binary2(opI32Add, globalGet(globalData), constI32(int32(offset))), constI32(word), t))
}

func (l *lower) equalStrings(a, b value) *tree {
	return l.callHelper(helperEqual, a.n, a.m, b.n, b.m)
}

// callHelper calls a helper that returns one i32.
func (l *lower) callHelper(name string, args ...*tree) *tree {
	n := l.newLocal(i32)
	l.stable[n] = true
	l.emit(&statement{kind: stmtCall, callee: l.helper(name), values: args, sets: []int{n}})
	return localGet(n, i32)
}

// hostCall calls a function of the host that gives one value.
func (l *lower) hostCall(name string, result valueType, args ...*tree) *tree {
	params := make([]valueType, len(args))
	for i, a := range args {
		params[i] = a.t
	}
	n := l.newLocal(result)
	l.stable[n] = true
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, params, []valueType{result}), values: args, sets: []int{n}})
	return localGet(n, result)
}

// hostString calls a function of the host that makes a string: address << 32 |
// length word, or all ones when scratch is used up.
func (l *lower) hostString(name string, t Type, args ...*tree) value {
	l.scratch = true
	packed := l.hostCall(name, i64, args...)
	l.exitIf(binary2(opI64Eq, packed, constI64(-1)), ExitScratch, l.f.literal.Function, "", false)
	return pairValue(l.temp(unary(opI32WrapI64, binary2(opI64ShrU, packed, constI64(32)))), l.temp(unary(opI32WrapI64, packed)), t)
}

func (l *lower) compareStrings(op token.Token, a, b value) *tree {
	a, b = l.simple(a), l.simple(b)
	var order *tree
	if wide := isWideText(a, b); wide == nil {
		order = l.callHelper(helperOrder, a.n, a.m, b.n, b.m)
	} else {
		order = l.hostCall("textOrder", i32, a.n, a.m, b.n, b.m)
	}
	zero := constI32(0)
	switch op {
	case token.LESS:
		return binary2(opI32LtS, order, zero)
	case token.GREATER:
		return binary2(opI32GtS, order, zero)
	case token.LESS_OR_EQUAL:
		return binary2(opI32LeS, order, zero)
	}
	return not(binary2(opI32LtS, order, zero))
}

// largestText bounds a string that is made in a call, in units.
const largestText = 1 << 24

// concatenate is a + b where one is a string. Tier 0 burns for the result where
// it cannot see that it is short: two literals are never long enough to matter.
func (l *lower) concatenate(a, b value, at file.Idx) value {
	x := l.toText(l.simple(a), at)
	if b.t.only(kInt) && x.t.only(kString) && !x.t.wide && l.flow != nil {
		out := l.appendInteger(x, b)
		l.burnUnits(out.units())
		return out
	}
	y := l.toText(l.simple(b), at)
	if l.flow == nil {
		return nothing()
	}
	out := l.appendText(x, y)
	l.burnUnits(out.units())
	return out
}

// appendInteger writes an integer's digits behind ASCII text, where they stay.
func (l *lower) appendInteger(x, n value) value {
	x, n = l.simple(x), l.simple(n)
	l.exitIf(binary2(opI32GtU, x.m, constI32(largestText-largestDecimal)), ExitScratch, l.f.literal.Function, "", false)
	if l.flow == nil {
		return nothing()
	}
	p := l.callHelper(helperAlloc, binary2(opI32Add, x.m, constI32(largestDecimal)))
	l.copyBytes(p, x.n, x.m)
	size := l.callHelper(helperDecimal, n.integer(), binary2(opI32Add, p, x.m))
	return pairValue(p, l.temp(binary2(opI32Add, x.m, size)), stringT)
}

// burnUnits burns for work on so many code units or bytes.
func (l *lower) burnUnits(n *tree) {
	l.burnTree(binary2(opI64ShrU, unary(opI64ExtI32U, n), constI64(6)))
}

// appendText joins two strings; it burns nothing.
func (l *lower) appendText(x, y value) value {
	x, y = l.simple(x), l.simple(y)
	size := l.temp(binary2(opI32Add, x.units(), y.units()))
	l.exitIf(binary2(opI32GtU, size, constI32(largestText)), ExitScratch, l.f.literal.Function, "", false)
	if l.flow == nil {
		return nothing()
	}
	ascii := func() value {
		p := l.callHelper(helperAlloc, size)
		l.copyBytes(p, x.n, x.m)
		l.copyBytes(binary2(opI32Add, p, x.m), y.n, y.m)
		return pairValue(p, size, stringT)
	}
	return l.narrowOrWide(isWideText(x, y), ascii, func() value {
		return l.hostString("textAppend", wideT, x.n, x.m, y.n, y.m)
	})
}

// narrowOrWide makes a string in one of two ways, by a condition that may be
// known to be false (nil).
func (l *lower) narrowOrWide(wide *tree, narrow, host func() value) value {
	if wide == nil {
		return narrow()
	}
	p, m := l.newLocal(i32), l.newLocal(i32)
	l.stable[p], l.stable[m] = true, true
	way := func(f func() value) []*statement {
		return l.into(func() {
			v := f()
			l.emit(setLocal(p, v.n))
			l.emit(setLocal(m, v.m))
		})
	}
	l.emit(&statement{kind: stmtIf, value: wide, body: way(host), other: way(narrow)})
	return pairValue(localGet(p, i32), localGet(m, i32), wideT)
}

// toText is String(v) of a primitive.
func (l *lower) toText(v value, at file.Idx) value {
	if v.isNever() || v.t.only(kString) {
		return v
	}
	if v.t.only(kPrimitive) {
		return l.primitiveText(v, at)
	}
	if v.t.only(kError) {
		return l.errorText(v, at)
	}
	if v.t.has(kValue) && v.t.only(kValue|kNil) {
		return l.textOfValue(v, at)
	}
	if !v.t.only(kString | kNil) {
		l.refuse(at, v.t.describe()+" as text", "test for undefined first")
	}
	v = l.keep(v)
	text := v
	text.t = v.t.without(kNil)
	c := l.temp(v.isNil())
	yes, no := l.ways(c)
	return l.either(nil, c, yes, no, func() value {
		undefined, null := l.stringConstant("undefined", at), l.stringConstant("null", at)
		isNull := l.temp(v.isNull())
		return pairValue(choose(isNull, null.n, undefined.n), choose(isNull, null.m, undefined.m), stringT)
	}, func() value { return text }, at)
}

func (l *lower) primitiveText(v value, at file.Idx) value {
	switch v.t.k {
	case kUndefined:
		return l.stringConstant("undefined", at)
	case kNull:
		return l.stringConstant("null", at)
	}
	v = l.simple(v)
	if v.t.only(kBool) {
		c := l.temp(v.truthy())
		yes, no := l.ways(c)
		return l.either(nil, c, yes, no, func() value { return l.stringConstant("true", at) }, func() value { return l.stringConstant("false", at) }, at)
	}
	p := l.callHelper(helperAlloc, constI32(largestNumberText))
	if v.t.only(kInt) {
		return pairValue(p, l.callHelper(helperDecimal, v.integer(), p), stringT)
	}
	return pairValue(p, l.hostCall("textOfNumber", i32, l.boxed(v).n, p), stringT)
}

// boxed is a primitive as an f64, nil and booleans by their code.
func (l *lower) boxed(v value) value {
	t, _ := join(v.t, numberT)
	t, _ = join(t, undefinedT)
	return l.convert(v, t)
}

// largestNumberText is room for the text of any number, in bytes.
const largestNumberText = 32

// template is `…${x}…`: tier 0 burns once, for the whole result.
func (l *lower) template(e *ast.TemplateLiteral) value {
	if e.Tag != nil {
		l.refuse(e.OpenQuote, "a tagged template", "call the function")
	}
	out := l.literal(e.Elements[0].Parsed)
	for i, x := range e.Expressions {
		v := l.expr(x)
		if l.flow == nil {
			return nothing()
		}
		v = l.toText(l.simple(v), x.Idx0())
		if l.flow == nil {
			return nothing()
		}
		if i == 0 && e.Elements[0].Parsed == "" {
			out = v
		} else {
			out = l.appendText(out, v)
		}
		if s := e.Elements[i+1].Parsed; s != "" && l.flow != nil {
			out = l.appendText(out, l.literal(s))
		}
		if l.flow == nil {
			return nothing()
		}
	}
	if len(e.Expressions) > 0 {
		l.burnUnits(out.units())
	}
	return out
}

// methodCall lowers x.name(…) of a value.
func (l *lower) methodCall(e *ast.CallExpression, callee *ast.DotExpression) value {
	name := callee.Identifier.Name.String()
	if v, ok := l.filledArray(e, callee); ok {
		return v
	}
	v := l.expr(callee.Left)
	if l.flow == nil {
		return nothing()
	}
	v = l.present(l.simple(v), callee.Left.Idx0())
	if l.flow == nil {
		return nothing()
	}
	return l.methodOf(e, name, v)
}

// methodOf lowers a method of a value that is there.
func (l *lower) methodOf(e *ast.CallExpression, name string, v value) value {
	switch {
	case v.t.only(kString):
		return l.stringMethod(e, name, l.keep(v))
	case v.t.only(kView):
		return l.viewMethod(e, name, v)
	case v.t.only(kBuffer):
		return l.bufferMethod(e, name, l.keep(v))
	case v.t.only(kError) && name == "toString" && len(e.ArgumentList) == 0:
		return l.errorText(v, e.Idx0())
	case v.t.only(kValue):
		return l.valueMethod(e, name, v)
	case v.t.only(kArray):
		return l.listMethod(e, name, v)
	case v.t.only(kSet) || v.t.only(kMap):
		return l.hashMethod(e, name, v)
	case v.t.only(kInt|kNumber) && (name == "toString" || name == "toFixed"):
		return l.numberMethod(e, name, v)
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of "+v.t.describe(), "use a function of the library")
	return nothing()
}
