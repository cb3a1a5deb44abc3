package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
)

// typeofKinds are the kinds of value that typeof gives a name.
var typeofKinds = map[string]kinds{"undefined": kUndefined, "boolean": kBool, "number": kInt | kNumber, "string": kString,
	"object": kNull | kView | kBuffer | kHeap}

// isKind is the condition that a value is of one of the kinds. v must be cheap
// to evaluate twice.
func (v value) isKind(k kinds) *tree {
	switch {
	case v.t.without(^k).isNever():
		return constI32(0)
	case v.t.only(k):
		return constI32(1)
	}
	// A representation holds one kind beside nil and booleans.
	c := constI32(0)
	or := func(x *tree) {
		if c.isConst() {
			c = x
		} else {
			c = binary2(opI32Or, c, x)
		}
	}
	isNot := k&(v.t.k&^(kNil|kBool)) != 0 // its main kind is wanted: test for what is not
	wanted := k & (kNil | kBool)
	if isNot {
		wanted = v.t.k & (kNil | kBool) &^ k
	}
	if wanted&kUndefined != 0 {
		or(v.isUndefined())
	}
	if wanted&kNull != 0 {
		or(v.isNull())
	}
	if wanted&kBool != 0 {
		or(v.is(codeTrue, kBool))
		or(v.is(codeFalse, kBool))
	}
	if isNot {
		return not(c)
	}
	return c
}

// isTypeof is the condition that typeof gives a value that name.
func (v value) isTypeof(name string) *tree {
	if v.t.has(kValue) {
		return v.isNodeOf(name)
	}
	return v.isKind(typeofKinds[name])
}

// typeofExpr is typeof as a value.
func (l *lower) typeofExpr(e *ast.UnaryExpression) value {
	if name, ok := l.functionNamed(e.Operand); ok {
		return l.stringConstant(name, e.Idx)
	}
	v := l.expr(e.Operand)
	if l.flow == nil {
		return nothing()
	}
	v = l.keep(v)
	out := l.stringConstant("object", e.Idx)
	for _, name := range []string{"undefined", "boolean", "number", "string"} {
		c := v.isTypeof(name)
		if c.isConst() && c.imm == 0 {
			continue
		}
		x := l.stringConstant(name, e.Idx)
		if c.isConst() {
			return x
		}
		c = l.temp(c)
		out = l.simple(pairValue(choose(c, x.n, out.n), choose(c, x.m, out.m), stringT))
	}
	return out
}

// functionNamed says that an expression names a function.
func (l *lower) functionNamed(e ast.Expression) (string, bool) {
	id, ok := e.(*ast.Identifier)
	if !ok {
		return "", false
	}
	if b := l.scope.find(id.Name.String()); b != nil {
		return "function", b.closure != nil
	}
	return "function", l.Library.functions[id.Name.String()] != nil
}

// typeofTest lowers typeof x === 'name' and narrows x by it; ok is false for any
// other comparison.
func (l *lower) typeofTest(e *ast.BinaryExpression) (c *tree, yes, no *flow, ok bool) {
	u, isUnary := e.Left.(*ast.UnaryExpression)
	s, isText := e.Right.(*ast.StringLiteral)
	if !isUnary || !isText || u.Operator != token.TYPEOF {
		return nil, nil, nil, false
	}
	if _, isFunction := l.functionNamed(u.Operand); isFunction {
		return nil, nil, nil, false
	}
	v := l.expr(u.Operand)
	if l.flow == nil {
		return constI32(0), nil, nil, true
	}
	v = l.keep(v)
	k := typeofKinds[s.Value.String()]
	c = l.temp(v.isTypeof(s.Value.String()))
	yes, no = l.ways(c)
	if id := l.variableNamed(u.Operand); id != nil && !v.t.has(kValue) {
		l.narrow(yes, id, func(t Type) Type { return t.without(^k) })
		l.narrow(no, id, func(t Type) Type { return t.without(k) })
	}
	if e.Operator == token.STRICT_NOT_EQUAL || e.Operator == token.NOT_EQUAL {
		return not(c), no, yes, true
	}
	return c, yes, no, true
}

// instanceOf is x instanceof C for the classes that compiled code has.
func (l *lower) instanceOf(e *ast.BinaryExpression) value {
	id, ok := e.Right.(*ast.Identifier)
	if !ok || l.isBound(id.Name.String()) {
		l.refuse(e.Right.Idx0(), "instanceof of this class", "use classes that exist everywhere")
	}
	v := l.expr(e.Left)
	if l.flow == nil {
		return nothing()
	}
	v = l.keep(v)
	name := id.Name.String()
	if class := classNumber(name); class > 0 {
		is := v.isKind(kError)
		if class == 1 || is.isConst() && is.imm == 0 {
			return boolValue(is)
		}
		same := binary2(opI32Eq, load(opI32Load, v.n, errorClass), constI32(class)) // undefined and null read the arena's header
		return boolValue(l.temp(binary2(opI32And, is, same)))
	}
	if elem, ok := arrayClasses[name]; ok {
		if v.t.has(kView) && v.t.elem != elem {
			return boolValue(constI32(0))
		}
		return boolValue(v.isKind(kView))
	}
	classes := map[string]kinds{"Array": kArray, "Set": kSet, "Map": kMap, "Object": kView | kHeap}
	k, ok := classes[name]
	if !ok {
		l.refuse(e.Right.Idx0(), "instanceof "+name, "test for undefined with ===")
	}
	return boolValue(v.isKind(k))
}

// giveResult hands text or bytes to the host as the call's result, where the
// function returns other things elsewhere.
func (l *lower) giveResult(v value, at file.Idx) {
	size, name := v.m, "giveText"
	if v.t.only(kValue) {
		size, name = constI32(0), "giveValue"
	}
	if v.t.only(kView) {
		size, name = binary2(opI32Shl, v.m, constI32(int32(elementShifts[v.t.elem]))), "giveBytes"
	}
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, []valueType{i32, i32}, nil), values: []*tree{v.n, size}})
}
