package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
)

// Strings are ASCII text: an address and a length in bytes, which are then the
// code units that JavaScript counts. Text that is not ASCII comes in only from
// outside (arguments, stored values), where a guard turns it away, and
// constants that are not ASCII are refused.

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (l *lower) stringConstant(s string, at file.Idx) value {
	if !isASCII(s) {
		l.refuse(at, "text that is not ASCII", "keep such text in the store as bytes")
	}
	offset := l.text(s)
	return l.simple(pairValue(binary2(opI32Add, globalGet(globalData), constI32(int32(offset))), constI32(int32(len(s))), stringT))
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

func (l *lower) compareStrings(op token.Token, a, b value) *tree {
	a, b = l.simple(a), l.simple(b)
	order := l.callHelper(helperOrder, a.n, a.m, b.n, b.m)
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

// largestText bounds a string that is made in a call, in bytes.
const largestText = 1 << 24

// concatenate is a + b where one is a string.
func (l *lower) concatenate(a, b value, at file.Idx) value {
	x := l.toText(l.simple(a), at)
	y := l.toText(l.simple(b), at)
	if l.flow == nil {
		return nothing()
	}
	return l.appendText(x, y)
}

func (l *lower) appendText(x, y value) value {
	x, y = l.simple(x), l.simple(y)
	size := l.temp(binary2(opI32Add, x.m, y.m))
	l.exitIf(binary2(opI32GtU, size, constI32(largestText)), ExitScratch, l.f.literal.Function, "", false)
	l.burnTree(binary2(opI64ShrU, unary(opI64ExtI32U, size), constI64(6)))
	p := l.callHelper(helperAlloc, size)
	l.emit(&statement{kind: stmtCopy, values: []*tree{p, x.n, x.m}})
	l.emit(&statement{kind: stmtCopy, values: []*tree{binary2(opI32Add, p, x.m), y.n, y.m}})
	return pairValue(p, size, stringT)
}

// toText is String(v) of a primitive.
func (l *lower) toText(v value, at file.Idx) value {
	if v.isNever() || v.t.only(kString) {
		return v
	}
	if !v.t.only(kInt | kNumber) {
		switch {
		case v.t.only(kString|kNil) && v.t.has(kString):
			v = l.keep(v)
			text := v
			text.t = stringT
			c := l.temp(v.isNil())
			yes, no := l.ways(c)
			return l.either(nil, c, yes, no, func() value {
				undefined, null := l.stringConstant("undefined", at), l.stringConstant("null", at)
				isNull := l.temp(v.isNull())
				return pairValue(choose(isNull, null.n, undefined.n), choose(isNull, null.m, undefined.m), stringT)
			}, func() value { return text }, at)
		case v.t.k == kUndefined:
			return l.stringConstant("undefined", at)
		case v.t.k == kNull:
			return l.stringConstant("null", at)
		case v.t.only(kBool):
			v = l.simple(v)
			c := l.temp(v.truthy())
			yes, no := l.ways(c)
			return l.either(nil, c, yes, no, func() value { return l.stringConstant("true", at) }, func() value { return l.stringConstant("false", at) }, at)
		}
		l.refuse(at, v.t.describe()+" as text", "test for undefined first")
	}
	v = l.simple(v)
	p := l.callHelper(helperAlloc, constI32(largestNumberText))
	n := l.newLocal(i32)
	l.stable[n] = true
	if v.t.only(kInt) {
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("textOfInt", []valueType{i64, i32}, []valueType{i32}), values: []*tree{v.integer(), p}, sets: []int{n}})
	} else {
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("textOfNumber", []valueType{f64, i32}, []valueType{i32}), values: []*tree{v.double(), p}, sets: []int{n}})
	}
	return pairValue(p, localGet(n, i32), stringT)
}

// hostText asks the host for text that it writes to scratch.
func (l *lower) hostText(name string) value {
	p := l.callHelper(helperAlloc, constI32(largestTenant))
	n := l.newLocal(i32)
	l.stable[n] = true
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, []valueType{i32}, []valueType{i32}), values: []*tree{p}, sets: []int{n}})
	l.exitIf(binary2(opI32LtS, localGet(n, i32), constI32(0)), ExitGuard, l.f.literal.Function, guardText, false)
	return pairValue(p, localGet(n, i32), stringT)
}

// largestTenant bounds a tenant's name in bytes; a longer one is for tier 0.
const largestTenant = 256

// largestNumberText is room for the text of any number, in bytes.
const largestNumberText = 32

func (l *lower) template(e *ast.TemplateLiteral) value {
	if e.Tag != nil {
		l.refuse(e.OpenQuote, "a tagged template", "call the function")
	}
	out := l.stringConstant(e.Elements[0].Parsed.String(), e.OpenQuote)
	for i, x := range e.Expressions {
		v := l.expr(x)
		if l.flow == nil {
			return nothing()
		}
		out = l.appendText(out, l.toText(l.simple(v), x.Idx0()))
		if l.flow == nil {
			return nothing()
		}
		if s := e.Elements[i+1].Parsed.String(); s != "" {
			out = l.appendText(out, l.stringConstant(s, e.OpenQuote))
		}
	}
	return out
}

// methodCall lowers x.name(…) of a value.
func (l *lower) methodCall(e *ast.CallExpression, callee *ast.DotExpression) value {
	name := callee.Identifier.Name.String()
	v := l.expr(callee.Left)
	if l.flow == nil {
		return nothing()
	}
	v = l.present(l.simple(v), callee.Left.Idx0())
	if l.flow == nil {
		return nothing()
	}
	if v.t.only(kString) {
		return l.stringMethod(e, name, v)
	}
	if v.t.only(kView) {
		return l.viewMethod(e, name, v)
	}
	if v.t.only(kArray) || v.t.only(kSet) || v.t.only(kMap) {
		return l.listMethod(e, name, v)
	}
	l.refuse(callee.Identifier.Idx, "method "+name+" of "+v.t.describe(), "use a function of the library")
	return nothing()
}

func (l *lower) stringMethod(e *ast.CallExpression, name string, v value) value {
	switch name {
	case "charCodeAt":
		args := l.arguments(e.ArgumentList)
		if l.flow == nil {
			return nothing()
		}
		i := constNumber(0)
		if len(args) > 0 {
			i = l.number(l.simple(args[0]), e.Idx0())
		}
		if !i.t.only(kInt) {
			l.refuse(e.Idx0(), "charCodeAt of a number that may not be whole", "use an integer")
		}
		i = l.simple(i)
		inside := l.temp(binary2(opI64LtU, i.n, unary(opI64ExtI32U, v.m)))
		at := e.LeftParenthesis
		read := func() value {
			return l.simple(intValue(load(opI64Load8U, binary2(opI32Add, v.n, unary(opI32WrapI64, i.n)), 0), intT(0, 127)))
		}
		if !l.isWide(at, guardElement) {
			l.guard(not(inside), at, guardElement)
			if l.flow == nil {
				return nothing()
			}
			return read()
		}
		yes, no := l.ways(inside)
		return l.either(e, inside, yes, no, read, func() value { return numberValue(constF64(nan)) }, e.Idx0())
	case "toString":
		return v
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of a string", "compiled functions know length, charCodeAt, + and comparisons")
	return nothing()
}
