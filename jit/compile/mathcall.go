package compile

import (
	"math"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

var mathConstants = map[string]float64{"E": math.E, "PI": math.Pi, "LN2": math.Ln2, "LN10": math.Ln10, "LOG2E": math.Log2E,
	"LOG10E": math.Log10E, "SQRT2": math.Sqrt2, "SQRT1_2": math.Sqrt2 / 2}

var numberConstants = map[string]float64{"MAX_SAFE_INTEGER": maxSafe, "MIN_SAFE_INTEGER": -maxSafe, "MAX_VALUE": math.MaxFloat64,
	"MIN_VALUE": math.SmallestNonzeroFloat64, "EPSILON": 1.0 / (1 << 52), "POSITIVE_INFINITY": math.Inf(1), "NEGATIVE_INFINITY": math.Inf(-1), "NaN": math.NaN()}

// hostMath are the functions of Math that the host computes, with the very Go
// functions that tier 0's Math calls: the tiers then agree to the last bit.
var hostMath = map[string]int{"acos": 1, "acosh": 1, "asin": 1, "asinh": 1, "atan": 1, "atanh": 1, "atan2": 2, "cbrt": 1, "cos": 1, "cosh": 1,
	"exp": 1, "expm1": 1, "log": 1, "log1p": 1, "log10": 1, "log2": 1, "pow": 2, "sin": 1, "sinh": 1, "tan": 1, "tanh": 1, "round": 1}

func (l *lower) mathCall(e *ast.CallExpression, name string) value {
	at := e.Callee.Idx0()
	if name == "random" {
		return l.random()
	}
	// trunc and floor of a quotient of integers that are not negative.
	if (name == "floor" || name == "trunc") && len(e.ArgumentList) == 1 {
		if v, ok := l.quotient(e.ArgumentList[0]); ok {
			return v
		}
	}
	if v, ok := l.spreadExtreme(e, name); ok {
		return v
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i := range args {
		args[i] = l.simple(l.number(l.simple(args[i]), at))
	}
	if name == "min" || name == "max" {
		return l.extreme(name, args)
	}
	if name == "hypot" {
		return l.hypot(args)
	}
	x := numberValue(constF64(math.NaN()))
	if len(args) > 0 {
		x = args[0]
	}
	if n, ok := hostMath[name]; ok {
		if name == "round" && x.t.only(kInt) {
			return x
		}
		if name == "exp" {
			n := l.newLocal(f64)
			l.stable[n] = true
			l.emit(&statement{kind: stmtCall, callee: l.helper(helperExp), values: []*tree{x.double()}, sets: []int{n}})
			return numberValue(localGet(n, f64))
		}
		trees := []*tree{x.double()}
		if n == 2 {
			y := numberValue(constF64(math.NaN()))
			if len(args) > 1 {
				y = args[1]
			}
			trees = append(trees, y.double())
		}
		return l.hostNumber(name, trees...)
	}
	return l.inlineMath(e, name, x, args)
}

func (l *lower) inlineMath(e *ast.CallExpression, name string, x value, args []value) value {
	isInt := x.t.only(kInt)
	switch name {
	case "abs":
		if !isInt {
			return numberValue(unary(opF64Abs, x.n))
		}
		if x.t.lo >= 0 {
			return x
		}
		negated := binary2(opI64Sub, constI64(0), x.n)
		lo := int64(0)
		if x.t.hi < 0 {
			lo = -x.t.hi
		}
		return intValue(choose(binary2(opI64LtS, x.n, constI64(0)), negated, x.n), intT(lo, max(-x.t.lo, x.t.hi)))
	case "floor", "ceil", "trunc":
		if isInt {
			return x
		}
		return numberValue(unary(map[string]opcode{"floor": opF64Floor, "ceil": opF64Ceil, "trunc": opF64Trunc}[name], x.n))
	case "sqrt":
		return numberValue(unary(opF64Sqrt, x.double()))
	case "fround":
		return numberValue(unary(opF64PromF32, unary(opF32DemoteF64, x.double())))
	case "sign":
		if isInt {
			above, below := binary2(opI64GtS, x.n, constI64(0)), binary2(opI64LtS, x.n, constI64(0))
			return intValue(unary(opI64ExtI32S, binary2(opI32Sub, above, below)), intT(-1, 1))
		}
		one := binary2(opF64Copysign, constF64(1), x.n)
		return numberValue(choose(binary2(opF64Gt, unary(opF64Abs, x.n), constF64(0)), one, x.n))
	case "clz32":
		n := unary(opI64Clz, binary2(opI64And, l.toInt32(x).n, constI64(1<<32-1)))
		return intValue(binary2(opI64Sub, n, constI64(32)), intT(0, 32))
	case "imul":
		a, b := l.toInt32(x), intValue(constI64(0), intT(0, 0))
		if len(args) > 1 {
			b = l.toInt32(args[1])
		}
		return intValue(unary(opI64Ext32S, binary2(opI64Mul, a.n, b.n)), int32T)
	}
	l.refuse(e.Callee.Idx0(), "Math."+name, "write it with the functions of Math that compile (docs/compiler.md)")
	return nothing()
}

// extreme is Math.min and Math.max, whose doubles are WebAssembly's own: NaN
// wins, and −0 is below 0.
func (l *lower) extreme(name string, args []value) value {
	start, op, compare := math.Inf(1), opF64Min, opI64LtS
	if name == "max" {
		start, op, compare = math.Inf(-1), opF64Max, opI64GtS
	}
	if len(args) == 0 {
		return numberValue(constF64(start))
	}
	out := args[0]
	for _, x := range args[1:] {
		if out.t.only(kInt) && x.t.only(kInt) {
			t := intT(min(out.t.lo, x.t.lo), min(out.t.hi, x.t.hi))
			if name == "max" {
				t = intT(max(out.t.lo, x.t.lo), max(out.t.hi, x.t.hi))
			}
			out = l.simple(intValue(choose(binary2(compare, out.n, x.n), out.n, x.n), t))
			continue
		}
		out = l.simple(numberValue(binary2(op, out.double(), x.double())))
	}
	return out
}

// hypot is the root of the squares' sum, added up with Kahan's compensation and
// scaled by the largest, in the order of tier 0's.
func (l *lower) hypot(args []value) value {
	largest, anyNaN := constF64(0), constI32(0)
	var list []*tree
	for _, x := range args {
		d := l.temp(unary(opF64Abs, x.double()))
		isNaN := binary2(opF64Ne, d, d)
		anyNaN = binary2(opI32Or, anyNaN, isNaN)
		d = l.temp(choose(isNaN, constF64(0), d))
		largest = l.temp(binary2(opF64Max, largest, d))
		list = append(list, d)
	}
	sum, lost := constF64(0), constF64(0)
	for _, d := range list {
		n := l.temp(binary2(opF64Div, d, largest))
		term := l.temp(binary2(opF64Sub, binary2(opF64Mul, n, n), lost))
		next := l.temp(binary2(opF64Add, sum, term))
		lost = l.temp(binary2(opF64Sub, binary2(opF64Sub, next, sum), term))
		sum = next
	}
	out := l.temp(binary2(opF64Mul, unary(opF64Sqrt, sum), largest))
	out = choose(binary2(opF64Eq, largest, constF64(0)), constF64(0), out)
	out = choose(l.temp(anyNaN), constF64(math.NaN()), l.temp(out))
	infinite := binary2(opF64Eq, largest, constF64(math.Inf(1)))
	return numberValue(l.temp(choose(infinite, constF64(math.Inf(1)), l.temp(out))))
}

// quotientLimit: below it, the double quotient of two integers is never rounded
// up to the next integer, so its floor is the integer quotient.
const quotientLimit = 1 << 40

// quotient is Math.floor(a / b) where both are integers, a not negative and b
// positive: an integer.
func (l *lower) quotient(e ast.Expression) (value, bool) {
	b, ok := e.(*ast.BinaryExpression)
	if !ok || b.Operator != token.SLASH {
		return value{}, false
	}
	mark, flowBefore := l.mark(), l.flow.clone()
	x, y := l.operands(b.Left, b.Right)
	if l.flow == nil {
		return nothing(), true
	}
	if x.t.only(kInt) && y.t.only(kInt) && x.t.lo >= 0 && y.t.lo > 0 && x.t.hi < quotientLimit {
		q := unary(opI64TruncSatS, binary2(opF64Div, x.double(), y.double()))
		return intValue(l.temp(q), intT(0, x.t.hi/y.t.lo)), true
	}
	// Not that case: drop what was emitted and lower it again as a number.
	*l.out = (*l.out)[:mark]
	l.flow = flowBefore
	return value{}, false
}

// random is the generator that tier 0 uses: splitmix64 (Steele, Lea and Flood,
// 2014), seeded by the invocation.
func (l *lower) random() value {
	gamma, mul1, mul2 := uint64(0x9e3779b97f4a7c15), uint64(0xbf58476d1ce4e5b9), uint64(0x94d049bb133111eb)
	z := l.temp(binary2(opI64Add, globalGet(globalRandom), constI64(int64(gamma))))
	l.emit(setGlobal(globalRandom, z))
	z = l.temp(binary2(opI64Mul, binary2(opI64Xor, z, binary2(opI64ShrU, z, constI64(30))), constI64(int64(mul1))))
	z = l.temp(binary2(opI64Mul, binary2(opI64Xor, z, binary2(opI64ShrU, z, constI64(27))), constI64(int64(mul2))))
	z = binary2(opI64ShrU, binary2(opI64Xor, z, binary2(opI64ShrU, z, constI64(31))), constI64(11))
	return l.simple(numberValue(binary2(opF64Mul, unary(opF64ConvI64S, z), constF64(1.0/(1<<53)))))
}
