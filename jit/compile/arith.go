package compile

import (
	"math"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
)

func (l *lower) binaryExpr(e *ast.BinaryExpression) value {
	switch e.Operator {
	case token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE:
		return l.logical(e)
	case token.LESS, token.GREATER, token.LESS_OR_EQUAL, token.GREATER_OR_EQUAL,
		token.EQUAL, token.NOT_EQUAL, token.STRICT_EQUAL, token.STRICT_NOT_EQUAL:
		c, yes, no := l.cond(e)
		l.flow = merge(yes, no)
		return boolValue(c)
	case token.INSTANCEOF:
		return l.instanceOf(e)
	case token.IN:
		l.refuse(e.Left.Idx0(), e.Operator.String(), "test for undefined with ===")
	}
	left, right := l.operands(e.Left, e.Right)
	if l.flow == nil {
		return nothing()
	}
	return l.operate(e.Operator, left, right, e.Left.Idx0())
}

// operands lowers two expressions in order.
func (l *lower) operands(a, b ast.Expression) (x, y value) {
	x = l.expr(a)
	mark := l.mark()
	y = l.expr(b)
	if l.flow != nil {
		x = l.hold(x, mark)
	}
	return x, y
}

// operate applies an arithmetic or bit operator.
func (l *lower) operate(op token.Token, a, b value, at file.Idx) value {
	if op == token.PLUS && (a.t.has(kValue) || b.t.has(kValue)) && !a.t.has(kString) && !b.t.has(kString) {
		if a, b = l.valueOperands(a, b, at); l.flow == nil {
			return nothing()
		}
	}
	if op == token.PLUS && (a.t.has(kString) || b.t.has(kString)) {
		return l.concatenate(a, b, at)
	}
	a, b = l.number(a, at), l.number(b, at)
	switch op {
	case token.AND, token.OR, token.EXCLUSIVE_OR, token.SHIFT_LEFT, token.SHIFT_RIGHT, token.UNSIGNED_SHIFT_RIGHT:
		return l.bits(op, a, b)
	}
	return l.arithmetic(op, a, b, at)
}

// arithmetic works on numbers: in i64 where both are integers, and behind a
// guard where the result may not be one.
func (l *lower) arithmetic(op token.Token, a, b value, at file.Idx) value {
	if a.t.only(kInt) && b.t.only(kInt) {
		if x, ok := a.constant(); ok {
			if y, ok := b.constant(); ok {
				if v, ok := fold(op, float64(x), float64(y)); ok {
					return v
				}
			}
		}
		switch op {
		case token.PLUS, token.MINUS:
			if lo, hi := sumBounds(op, a.t, b.t); lo <= maxSafe && hi >= -maxSafe && !l.isWide(at, guardRange) {
				return l.addIntegers(op, a, b, at)
			}
		case token.MULTIPLY:
			if lo, hi, _ := productBounds(a.t, b.t); lo <= hi && !l.isWide(at, guardRange) && !l.isWide(at, guardZero) {
				return l.multiplyIntegers(a, b, at)
			}
		case token.REMAINDER:
			if !l.isWide(at, guardModulo) && !l.isWide(at, guardZero) {
				return l.remainderIntegers(a, b, at)
			}
		}
	}
	x, y := l.simple(a).double(), l.simple(b).double()
	switch op {
	case token.PLUS:
		return numberValue(binary2(opF64Add, x, y))
	case token.MINUS:
		return numberValue(binary2(opF64Sub, x, y))
	case token.MULTIPLY:
		return numberValue(binary2(opF64Mul, x, y))
	case token.SLASH:
		return numberValue(binary2(opF64Div, x, y))
	case token.REMAINDER:
		return l.hostNumber("mod", x, y)
	case token.EXPONENT:
		return l.hostNumber("pow", x, y)
	}
	l.refuse(at, op.String(), "write it otherwise")
	return nothing()
}

func fold(op token.Token, x, y float64) (value, bool) {
	switch op {
	case token.PLUS:
		return constNumber(x + y), true
	case token.MINUS:
		return constNumber(x - y), true
	case token.MULTIPLY:
		return constNumber(x * y), true
	case token.SLASH:
		return constNumber(x / y), true
	}
	return value{}, false
}

// hostNumber calls a Go function of doubles: the one that tier 0 calls, so that
// both give the same bits.
func (l *lower) hostNumber(name string, args ...*tree) value {
	params := make([]valueType, len(args))
	for i := range params {
		params[i] = f64
	}
	n := l.newLocal(f64)
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, params, []valueType{f64}), values: args, sets: []int{n}})
	l.stable[n] = true
	return numberValue(localGet(n, f64))
}

// sumBounds are those of a + b or a − b; no sum of safe integers overflows.
func sumBounds(op token.Token, a, b Type) (lo, hi int64) {
	if op == token.PLUS {
		return a.lo + b.lo, a.hi + b.hi
	}
	return a.lo - b.hi, a.hi - b.lo
}

func (l *lower) addIntegers(op token.Token, a, b value, at file.Idx) value {
	lo, hi := sumBounds(op, a.t, b.t)
	if op == token.PLUS {
		return l.inRange(binary2(opI64Add, a.n, b.n), lo, hi, at)
	}
	return l.inRange(binary2(opI64Sub, a.n, b.n), lo, hi, at)
}

// inRange guards that a sum is a safe integer, where its bounds do not show it.
func (l *lower) inRange(sum *tree, lo, hi int64, at file.Idx) value {
	if lo >= -maxSafe && hi <= maxSafe {
		return intValue(sum, intT(lo, hi))
	}
	sum = l.temp(sum)
	switch {
	case lo >= -maxSafe:
		l.guard(binary2(opI64GtS, sum, constI64(maxSafe)), at, guardRange)
	case hi <= maxSafe:
		l.guard(binary2(opI64LtS, sum, constI64(-maxSafe)), at, guardRange)
	default:
		l.guard(binary2(opI64GtU, binary2(opI64Add, sum, constI64(maxSafe)), constI64(2*maxSafe)), at, guardRange)
	}
	return intValue(sum, intT(max(lo, -maxSafe), min(hi, maxSafe)))
}

func (l *lower) multiplyIntegers(a, b value, at file.Idx) value {
	a, b = l.simple(a), l.simple(b)
	lo, hi, safe := productBounds(a.t, b.t)
	if !safe {
		// The double product is exact up to 2^53 and not below it beyond.
		p := unary(opF64Abs, binary2(opF64Mul, a.double(), b.double()))
		l.guard(not(binary2(opF64Le, p, constF64(maxSafe))), at, guardRange)
	}
	p := binary2(opI64Mul, a.n, b.n)
	if a.t.lo < 0 && b.t.lo <= 0 && b.t.hi >= 0 || b.t.lo < 0 && a.t.lo <= 0 && a.t.hi >= 0 {
		p = l.temp(p)
		negative := binary2(opI64LtS, binary2(opI64Or, a.n, b.n), constI64(0))
		l.guard(binary2(opI32And, unary(opI64Eqz, p), negative), at, guardZero)
	}
	return intValue(p, intT(lo, hi))
}

func productBounds(a, b Type) (lo, hi int64, safe bool) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, x := range []int64{a.lo, a.hi} {
		for _, y := range []int64{b.lo, b.hi} {
			p := float64(x) * float64(y)
			low, high = math.Min(low, p), math.Max(high, p)
		}
	}
	safe = low >= -maxSafe && high <= maxSafe
	if low > maxSafe || high < -maxSafe {
		return 1, 0, false // never an integer
	}
	return int64(math.Max(low, -maxSafe)), int64(math.Min(high, maxSafe)), safe
}

func (l *lower) remainderIntegers(a, b value, at file.Idx) value {
	a, b = l.simple(a), l.simple(b)
	if b.t.lo <= 0 && b.t.hi >= 0 {
		l.guard(unary(opI64Eqz, b.n), at, guardModulo)
		if l.flow == nil {
			return nothing()
		}
	}
	m := max(-(b.t.lo + 1), b.t.hi-1, -b.t.lo-1, 0)
	if n, ok := b.constant(); ok && n > 0 && n&(n-1) == 0 && a.t.lo >= 0 {
		return intValue(binary2(opI64And, a.n, constI64(n-1)), intT(0, min(n-1, a.t.hi)))
	}
	r := binary2(opI64RemS, a.n, b.n)
	if a.t.lo >= 0 {
		return intValue(l.temp(r), intT(0, min(m, a.t.hi)))
	}
	r = l.temp(r)
	l.guard(binary2(opI32And, unary(opI64Eqz, r), binary2(opI64LtS, a.n, constI64(0))), at, guardZero)
	return intValue(r, intT(max(-m, a.t.lo), min(m, max(a.t.hi, 0))))
}

// toInt32 is ToInt32 of a number, sign-extended.
func (l *lower) toInt32(v value) value {
	if v.t.only(kInt) {
		return v.int32()
	}
	d := l.temp(v.double())
	n := l.newLocal(i64)
	l.emit(setLocal(n, unary(opI64Ext32S, unary(opI64TruncSatS, d))))
	// From 2^63 up the conversion saturates: take the modulus in the host.
	far := l.into(func() {
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("toInt32", []valueType{f64}, []valueType{i64}), values: []*tree{d}, sets: []int{n}})
	})
	l.emit(&statement{kind: stmtIf, value: binary2(opF64Ge, unary(opF64Abs, d), constF64(1<<63)), body: far})
	return intValue(l.temp(localGet(n, i64)), int32T)
}

// bits applies a bit operator. Operands are sign-extended 32-bit integers.
func (l *lower) bits(op token.Token, a, b value) value {
	mark := l.mark()
	x := l.toInt32(a)
	y := l.toInt32(b)
	x = l.hold(x, mark)
	switch op {
	case token.AND:
		n := binary2(opI64And, x.n, y.n)
		switch {
		case x.t.lo >= 0 && y.t.lo >= 0:
			return intValue(n, intT(0, min(x.t.hi, y.t.hi)))
		case x.t.lo >= 0:
			return intValue(n, intT(0, x.t.hi))
		case y.t.lo >= 0:
			return intValue(n, intT(0, y.t.hi))
		}
		return intValue(n, int32T)
	case token.OR:
		if c, ok := y.constant(); ok && c == 0 {
			return x
		}
		return intValue(binary2(opI64Or, x.n, y.n), bitBounds(x.t, y.t))
	case token.EXCLUSIVE_OR:
		return intValue(binary2(opI64Xor, x.n, y.n), bitBounds(x.t, y.t))
	}
	count := binary2(opI64And, y.n, constI64(31))
	switch op {
	case token.SHIFT_LEFT:
		shifted := binary2(opI64Shl, x.n, count)
		if c, ok := y.constant(); ok && x.t.lo >= 0 && x.t.hi<<(c&31) <= 1<<31-1 {
			return intValue(shifted, intT(x.t.lo<<(c&31), x.t.hi<<(c&31)))
		}
		return intValue(unary(opI64Ext32S, shifted), int32T)
	case token.SHIFT_RIGHT:
		if c, ok := y.constant(); ok {
			return intValue(binary2(opI64ShrS, x.n, constI64(c&31)), intT(x.t.lo>>(c&31), x.t.hi>>(c&31)))
		}
		return intValue(binary2(opI64ShrS, x.n, count), intT(min(x.t.lo, 0), max(x.t.hi, 0)))
	}
	u := x.n
	hi := int64(1<<32 - 1)
	if x.t.lo < 0 {
		u = binary2(opI64And, u, constI64(1<<32-1))
	} else {
		hi = x.t.hi
	}
	if c, ok := y.constant(); ok {
		return intValue(binary2(opI64ShrU, u, constI64(c&31)), intT(0, hi>>(c&31)))
	}
	return intValue(binary2(opI64ShrU, u, count), intT(0, hi))
}

// bitBounds of x | y and x ^ y: below the next power of two if neither is negative.
func bitBounds(a, b Type) Type {
	if a.lo < 0 || b.lo < 0 {
		return int32T
	}
	n := int64(1)
	for n <= max(a.hi, b.hi) {
		n *= 2
	}
	return intT(0, n-1)
}
