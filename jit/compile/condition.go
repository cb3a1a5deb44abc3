package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// cond lowers an expression as a condition and says what is known where it
// holds and where it does not; nil for a way that is not taken.
func (l *lower) cond(e ast.Expression) (c *tree, yes, no *flow) {
	l.count(1)
	switch e := e.(type) {
	case *ast.UnaryExpression:
		if e.Operator == token.NOT {
			c, yes, no = l.cond(e.Operand)
			return not(c), no, yes
		}
	case *ast.BinaryExpression:
		switch e.Operator {
		case token.LOGICAL_AND:
			return l.both(e)
		case token.LOGICAL_OR:
			c, yes, no = l.bothNot(e)
			return c, yes, no
		case token.LESS, token.GREATER, token.LESS_OR_EQUAL, token.GREATER_OR_EQUAL:
			return l.relation(e)
		case token.EQUAL, token.NOT_EQUAL, token.STRICT_EQUAL, token.STRICT_NOT_EQUAL:
			return l.equality(e)
		}
	}
	v := l.expr(e)
	if l.flow == nil {
		return constI32(0), nil, nil
	}
	if v.rep == repI64 || v.rep == repF64 {
		v = l.simple(v)
	}
	c = v.truthy()
	yes, no = l.ways(c)
	if id := l.variableNamed(e); id != nil {
		l.narrow(yes, id, func(t Type) Type { return t.without(kNil) })
		if v.t.has(kView|kHeap) && no != nil {
			l.narrow(no, id, func(t Type) Type { return t.without(kView | kHeap) })
		}
	}
	return c, yes, no
}

// ways splits what is known by a condition that may be constant.
func (l *lower) ways(c *tree) (yes, no *flow) {
	if c.isConst() {
		if c.imm != 0 {
			return l.flow, nil
		}
		return nil, l.flow
	}
	return l.flow.clone(), l.flow
}

// variableNamed returns the variable that an expression names, or nil.
func (l *lower) variableNamed(e ast.Expression) *variable {
	id, ok := e.(*ast.Identifier)
	if !ok {
		if a, ok := e.(*ast.AssignExpression); ok && a.Operator == token.ASSIGN {
			return l.variableNamed(a.Left)
		}
		return nil
	}
	b := l.scope.find(id.Name.String())
	if b == nil {
		return nil
	}
	return b.variable
}

// narrow replaces what is known of a variable on one way. A type without
// values means that the way is not taken; the caller's condition is not
// constant then, so the variable keeps its type.
func (l *lower) narrow(f *flow, v *variable, to func(Type) Type) {
	if f == nil || v == nil {
		return
	}
	if t, ok := f.types[v]; ok {
		if u := to(t); !u.isNever() {
			f.types[v] = u
		}
	}
}

// both is a && b.
func (l *lower) both(e *ast.BinaryExpression) (c *tree, yes, no *flow) {
	a, yesA, noA := l.cond(e.Left)
	if yesA == nil {
		return a, nil, noA
	}
	l.flow = yesA
	if noA == nil {
		return l.cond(e.Right)
	}
	var b *tree
	var yesB, noB *flow
	code := l.into(func() { b, yesB, noB = l.cond(e.Right) })
	if len(code) == 0 && isPure(b) && treeSize(b) <= 8 {
		return binary2(opI32And, a, b), yesB, merge(noA, noB)
	}
	r := l.newLocal(i32)
	l.stable[r] = true
	if yesB != nil || noB != nil {
		code = append(code, setLocal(r, b))
	}
	l.flow = noA // reached: the statement must be kept
	l.emit(&statement{kind: stmtIf, value: a, body: code, other: []*statement{setLocal(r, constI32(0))}})
	return localGet(r, i32), yesB, merge(noA, noB)
}

// bothNot is a || b.
func (l *lower) bothNot(e *ast.BinaryExpression) (c *tree, yes, no *flow) {
	a, yesA, noA := l.cond(e.Left)
	if noA == nil {
		return a, yesA, nil
	}
	l.flow = noA
	if yesA == nil {
		return l.cond(e.Right)
	}
	var b *tree
	var yesB, noB *flow
	code := l.into(func() { b, yesB, noB = l.cond(e.Right) })
	if len(code) == 0 && isPure(b) && treeSize(b) <= 8 {
		return binary2(opI32Or, a, b), merge(yesA, yesB), noB
	}
	r := l.newLocal(i32)
	l.stable[r] = true
	if yesB != nil || noB != nil {
		code = append(code, setLocal(r, b))
	}
	l.flow = yesA
	l.emit(&statement{kind: stmtIf, value: a, body: []*statement{setLocal(r, constI32(1))}, other: code})
	return localGet(r, i32), merge(yesA, yesB), noB
}

// logical is && || ?? as a value.
func (l *lower) logical(e *ast.BinaryExpression) value {
	v := l.expr(e.Left)
	if l.flow == nil {
		return nothing()
	}
	v = l.simple(v)
	var c *tree // the left side is the result
	keep := v
	switch e.Operator {
	case token.LOGICAL_AND:
		c = not(v.truthy())
	case token.LOGICAL_OR:
		c = v.truthy()
		keep.t = v.t.without(kNil)
	case token.COALESCE:
		c = not(v.isNil())
		keep.t = v.t.without(kNil)
	}
	yes, no := l.ways(c)
	if id := l.variableNamed(e.Left); id != nil {
		if e.Operator == token.LOGICAL_AND {
			l.narrow(no, id, func(t Type) Type { return t.without(kNil) })
		} else {
			l.narrow(yes, id, func(t Type) Type { return t.without(kNil) })
		}
	}
	if e.Operator == token.LOGICAL_AND && v.t.has(kView|kHeap) && v.t.has(kNil) {
		keep.t = v.t.without(kView | kHeap)
	}
	return l.either(e, c, yes, no, func() value { return keep }, func() value { return l.expr(e.Right) }, e.Left.Idx0())
}

func (l *lower) relation(e *ast.BinaryExpression) (c *tree, yes, no *flow) {
	a, b := l.operands(e.Left, e.Right)
	if l.flow == nil {
		return constI32(0), nil, nil
	}
	at := e.Left.Idx0()
	if a.t.has(kValue) || b.t.has(kValue) {
		if a, b = l.valueOperands(a, b, at); l.flow == nil {
			return constI32(0), nil, nil
		}
	}
	if a.t.only(kString) && b.t.only(kString) {
		c = l.compareStrings(e.Operator, a, b)
		yes, no = l.ways(c)
		return c, yes, no
	}
	if a.t.has(kString) && b.t.has(kString) {
		l.refuse(at, "a comparison of "+a.t.describe()+" with "+b.t.describe(), "test for undefined first")
	}
	a, b = l.number(a, at), l.number(b, at)
	ints := a.t.only(kInt) && b.t.only(kInt)
	x, y := a.n, b.n
	if !ints {
		x, y = l.simple(a).double(), l.simple(b).double()
	}
	ops := map[token.Token][2]opcode{token.LESS: {opI64LtS, opF64Lt}, token.GREATER: {opI64GtS, opF64Gt},
		token.LESS_OR_EQUAL: {opI64LeS, opF64Le}, token.GREATER_OR_EQUAL: {opI64GeS, opF64Ge}}
	op := ops[e.Operator][0]
	if !ints {
		op = ops[e.Operator][1]
	}
	c = binary2(op, x, y)
	yes, no = l.ways(c)
	if ints && !c.isConst() {
		l.refine(yes, no, e, a.t, b.t)
	}
	return c, yes, no
}

// refine narrows the intervals of compared variables, and notes that an index
// is below a view's length.
func (l *lower) refine(yes, no *flow, e *ast.BinaryExpression, a, b Type) {
	left, right := e.Left, e.Right
	op := e.Operator
	if op == token.GREATER || op == token.GREATER_OR_EQUAL { // b < a, b <= a
		left, right, a, b = right, left, b, a
		if op == token.GREATER {
			op = token.LESS
		} else {
			op = token.LESS_OR_EQUAL
		}
	}
	strict := int64(0)
	if op == token.LESS {
		strict = 1
	}
	x, y := l.variableNamed(left), l.variableNamed(right)
	if l.hasEffects(e.Right) { // it may have assigned what stands on the left
		if left == e.Left {
			x = nil
		} else {
			y = nil
		}
	}
	below := func(f *flow, v *variable, hi int64) {
		l.narrow(f, v, func(t Type) Type {
			if t.has(kInt) && hi >= t.lo {
				t.hi = min(t.hi, hi)
			}
			return t
		})
	}
	above := func(f *flow, v *variable, lo int64) {
		l.narrow(f, v, func(t Type) Type {
			if t.has(kInt) && lo <= t.hi {
				t.lo = max(t.lo, lo)
			}
			return t
		})
	}
	below(yes, x, b.hi-strict)
	above(yes, y, a.lo+strict)
	above(no, x, b.lo+1-strict)
	below(no, y, a.hi-1+strict)
	if view := l.lengthOf(right); view != nil && x != nil && op == token.LESS && a.lo >= 0 && yes != nil {
		yes.facts[fact{x, view}] = true
	}
}

// lengthOf returns the view variable v of an expression v.length.
func (l *lower) lengthOf(e ast.Expression) *variable {
	d, ok := e.(*ast.DotExpression)
	if !ok || d.Identifier.Name != "length" {
		return nil
	}
	if v := l.variableNamed(d.Left); v != nil && v.storage.has(kView) {
		return v
	}
	return nil
}

func (l *lower) equality(e *ast.BinaryExpression) (c *tree, yes, no *flow) {
	if c, yes, no, ok := l.typeofTest(e); ok {
		return c, yes, no
	}
	a, b := l.operands(e.Left, e.Right)
	if l.flow == nil {
		return constI32(0), nil, nil
	}
	at := e.Left.Idx0()
	loose := e.Operator == token.EQUAL || e.Operator == token.NOT_EQUAL
	if loose {
		c = l.looseEquals(a, b, at)
	} else {
		c = l.strictEquals(a, b, at)
	}
	yes, no = l.ways(c)
	nils := kinds(0)
	for i, pair := range [2][2]value{{a, b}, {b, a}} {
		if !pair[1].t.only(kNil) {
			continue
		}
		nils = pair[1].t.k
		if loose {
			nils = kNil
		}
		side := e.Left
		if i == 1 {
			side = e.Right
		}
		if v := l.variableNamed(side); v != nil && !(i == 0 && l.hasEffects(e.Right)) && (nils == kUndefined || nils == kNull || loose) {
			l.narrow(no, v, func(t Type) Type { return t.without(nils) })
			l.narrow(yes, v, func(t Type) Type { return t.without(^nils) })
		}
	}
	if e.Operator == token.NOT_EQUAL || e.Operator == token.STRICT_NOT_EQUAL {
		return not(c), no, yes
	}
	return c, yes, no
}

// strictEquals is a === b.
func (l *lower) strictEquals(a, b value, at file.Idx) *tree {
	a, b = l.simple(a), l.simple(b)
	if a.t.has(kValue) || b.t.has(kValue) {
		return l.valueEquals(a, b, at)
	}
	if a.t.only(kInt) && b.t.only(kInt) {
		return binary2(opI64Eq, a.integer(), b.integer())
	}
	ka, kb := a.t.k, b.t.k
	if ka&kNumber != 0 {
		ka |= kInt
	}
	if kb&kNumber != 0 {
		kb |= kInt
	}
	if ka&kb == 0 {
		return constI32(0)
	}
	// One side is one nil: the other is compared with it.
	for _, p := range [2][2]value{{a, b}, {b, a}} {
		switch p[0].t.k {
		case kUndefined:
			return p[1].isUndefined()
		case kNull:
			return p[1].isNull()
		}
	}
	t, ok := join(a.t, b.t)
	if !ok {
		l.refuse(at, "a comparison of "+a.t.describe()+" with "+b.t.describe(), "test for undefined first")
	}
	switch t.rep() {
	case repI32, repI64:
		op := opI64Eq
		if t.rep() == repI32 {
			op = opI32Eq
		}
		return binary2(op, a.as(t).n, b.as(t).n)
	case repF64:
		x, y := l.simple(a.as(t)).n, l.simple(b.as(t)).n
		c := binary2(opF64Eq, x, y)
		if t.has(kNil | kBool) {
			bits := unary(opI64ReintF64, x)
			same := binary2(opI64Eq, bits, unary(opI64ReintF64, y))
			sentinel := binary2(opI64LtU, binary2(opI64Sub, bits, constI64(sentinelBitsSigned)), constI64(4))
			c = binary2(opI32Or, c, binary2(opI32And, same, sentinel))
		}
		return c
	case repPair:
		if t.has(kString) {
			return l.equalStrings(a.as(t), b.as(t))
		}
	case repRef:
		return binary2(opI32Eq, a.as(t).n, b.as(t).n)
	}
	l.refuse(at, "a comparison of arrays", "compare their elements")
	return nil
}

// looseEquals is a == b.
func (l *lower) looseEquals(a, b value, at file.Idx) *tree {
	a, b = l.simple(a), l.simple(b)
	switch {
	case b.t.only(kNil):
		return a.isNil()
	case a.t.only(kNil):
		return b.isNil()
	case !a.t.has(kNil) && !b.t.has(kNil) && a.t.only(kPrimitive) && b.t.only(kPrimitive):
		return l.strictEquals(l.number(a, at), l.number(b, at), at)
	case a.t.only(kString) && b.t.only(kString):
		return l.equalStrings(a, b)
	case a.t.only(kString) && b.t.only(kInt|kNumber|kBool), b.t.only(kString) && a.t.only(kInt|kNumber|kBool):
		return l.strictEquals(l.number(a, at), l.number(b, at), at)
	}
	l.refuse(at, "== between "+a.t.describe()+" and "+b.t.describe(), "use ===")
	return nil
}

// hasEffects says that an expression may assign a variable.
func (l *lower) hasEffects(e ast.Expression) bool {
	switch e.(type) {
	case *ast.Identifier, *ast.NumberLiteral, *ast.DotExpression, *ast.NullLiteral, *ast.StringLiteral:
		return false
	}
	found := false
	syntax.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignExpression, *ast.CallExpression:
			found = true
		case *ast.UnaryExpression:
			found = found || n.Operator == token.INCREMENT || n.Operator == token.DECREMENT
		}
		return !found
	})
	return found
}
