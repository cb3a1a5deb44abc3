package compile

import "math"

// value is a typed value: one tree, or two for a pair.
type value struct {
	t    Type
	rep  rep
	n, m *tree
}

func nothing() value                     { return value{t: never, rep: repI32, n: constI32(codeUndefined)} }
func undefinedValue() value              { return value{undefinedT, repI32, constI32(codeUndefined), nil} }
func nullValue() value                   { return value{nullT, repI32, constI32(codeNull), nil} }
func boolValue(cond *tree) value         { return value{boolT, repI32, cond, nil} }
func intValue(n *tree, t Type) value     { return value{t, repI64, n, nil} }
func numberValue(n *tree) value          { return value{numberT, repF64, n, nil} }
func pairValue(p, n *tree, t Type) value { return value{t, repPair, p, n} }

// constNumber is a literal: an integer when it is a safe one and not −0.
func constNumber(f float64) value {
	if f == math.Trunc(f) && math.Abs(f) <= maxSafe && !(f == 0 && math.Signbit(f)) {
		return intValue(constI64(int64(f)), intT(int64(f), int64(f)))
	}
	return numberValue(constF64(f))
}

func (v value) isNever() bool { return v.t.isNever() }

// constant returns the integer that v always is.
func (v value) constant() (int64, bool) {
	return v.t.lo, v.t.only(kInt) && v.t.lo == v.t.hi
}

// is returns the condition that v is the nil or boolean of that code. v must
// be cheap to evaluate twice.
func (v value) is(code int64, kind kinds) *tree {
	if !v.t.has(kind) {
		return constI32(0)
	}
	if v.t.only(kind) && kind != kBool {
		return constI32(1)
	}
	switch v.rep {
	case repI32:
		return binary2(opI32Eq, v.n, constI32(int32(code)))
	case repI64:
		return binary2(opI64Eq, v.n, constI64(sentinelInt+code))
	case repF64:
		return binary2(opI64Eq, unary(opI64ReintF64, v.n), constI64(sentinelBitsSigned+code))
	}
	// Pairs and references: 0 is undefined, 1 null.
	return binary2(opI32Eq, v.n, constI32(int32(code-codeUndefined)))
}

func (v value) isUndefined() *tree { return v.is(codeUndefined, kUndefined) }
func (v value) isNull() *tree      { return v.is(codeNull, kNull) }

// isNil is v == null.
func (v value) isNil() *tree {
	switch {
	case !v.t.has(kNil):
		return constI32(0)
	case v.t.only(kNil):
		return constI32(1)
	case !v.t.has(kNull):
		return v.isUndefined()
	case !v.t.has(kUndefined):
		return v.isNull()
	}
	switch v.rep {
	case repI32:
		return binary2(opI32GeU, v.n, constI32(codeUndefined))
	case repPair, repRef:
		return binary2(opI32LeU, v.n, constI32(1))
	}
	return binary2(opI32Or, v.isUndefined(), v.isNull())
}

// truthy is ToBoolean as a condition.
func (v value) truthy() *tree {
	switch {
	case v.t.only(kNil):
		return constI32(0)
	case v.t.only(kBool):
		if v.rep == repI32 {
			return v.n
		}
		return v.is(codeTrue, kBool)
	}
	switch v.rep {
	case repI32:
		return binary2(opI32Eq, v.n, constI32(codeTrue))
	case repI64:
		c := binary2(opI64Ne, v.n, constI64(0))
		if v.t.has(kNil | kBool) { // sentinels but true are falsy
			c = binary2(opI32And, c, not(binary2(opI64LeS, v.n, constI64(sentinelInt+codeNull))))
			if v.t.has(kBool) {
				c = binary2(opI32Or, c, v.is(codeTrue, kBool))
			}
		}
		return c
	case repF64:
		// NaN, and so every sentinel, is neither above 0 nor below it.
		c := binary2(opF64Gt, unary(opF64Abs, v.n), constF64(0))
		if v.t.has(kBool) {
			c = binary2(opI32Or, c, v.is(codeTrue, kBool))
		}
		return c
	case repRef:
		if v.t.has(kValue) {
			return v.valueTruthy()
		}
	case repPair:
		if v.t.has(kString) { // undefined and null have length 0, too
			return binary2(opI32Ne, v.m, constI32(0))
		}
	}
	if !v.t.has(kNil) {
		return constI32(1)
	}
	return not(v.isNil())
}

// numeric is the type of ToNumber(v) for a primitive.
func numeric(t Type) Type {
	if t.isNever() {
		return t
	}
	if t.has(kUndefined | kNumber | kString | kValue) {
		return numberT
	}
	out := never
	if t.has(kInt) {
		out = intT(t.lo, t.hi)
	}
	if t.has(kNull) {
		out, _ = join(out, intT(0, 0))
	}
	if t.has(kBool) {
		out, _ = join(out, intT(0, 1))
	}
	return out
}

// double is ToNumber(v) as an f64. v must be cheap to evaluate twice.
func (v value) double() *tree {
	switch v.rep {
	case repI32:
		if v.t.only(kBool) {
			return unary(opF64ConvI32S, v.n)
		}
		d := unary(opF64ConvI32S, binary2(opI32Eq, v.n, constI32(codeTrue)))
		if v.t.has(kUndefined) {
			d = choose(v.isUndefined(), constF64(math.NaN()), d)
		}
		return d
	case repI64:
		d := unary(opF64ConvI64S, v.n)
		return v.sentinelsToDouble(d)
	case repF64:
		return v.sentinelsToDouble(v.n)
	}
	return constF64(math.NaN())
}

func (v value) sentinelsToDouble(d *tree) *tree {
	if v.t.has(kUndefined) && v.rep == repI64 {
		d = choose(v.isUndefined(), constF64(math.NaN()), d)
	}
	if v.t.has(kNull) {
		d = choose(v.isNull(), constF64(0), d)
	}
	if v.t.has(kBool) {
		d = choose(v.is(codeTrue, kBool), constF64(1), choose(v.is(codeFalse, kBool), constF64(0), d))
	}
	return d
}

// integer is ToNumber(v) as an i64; numeric(v.t) must be an integer type.
func (v value) integer() *tree {
	switch v.rep {
	case repI32:
		if v.t.only(kBool) {
			return unary(opI64ExtI32U, v.n)
		}
		return unary(opI64ExtI32U, binary2(opI32Eq, v.n, constI32(codeTrue)))
	case repF64:
		n := unary(opI64TruncSatS, v.n)
		if v.t.has(kBool) {
			n = choose(v.is(codeTrue, kBool), constI64(1), choose(v.is(codeFalse, kBool), constI64(0), n))
		}
		return n // null's NaN becomes 0
	case repI64:
		n := v.n
		if v.t.has(kNull) {
			n = choose(v.isNull(), constI64(0), n)
		}
		if v.t.has(kBool) {
			n = choose(v.is(codeTrue, kBool), constI64(1), choose(v.is(codeFalse, kBool), constI64(0), n))
		}
		return n
	}
	return constI64(0)
}

// as converts v to the representation of a type that holds it. A value that
// does not fit gives a placeholder: the pass will be repeated.
func (v value) as(t Type) value {
	r := t.rep()
	out := value{t: v.t, rep: r}
	switch {
	case v.isNever() || r == repMixed:
		return zeroOf(r, v.t)
	case r == v.rep:
		if r == repF64 && v.t.has(kNumber) && t.has(kNil|kBool) && !v.t.has(kNil|kBool) {
			v.n = choose(binary2(opF64Eq, v.n, v.n), v.n, constF64(math.NaN()))
		}
		return v
	case r == repPair && v.t.only(kNil|kJSON), r == repRef && v.t.only(kNil):
		out.n = binary2(opI32Sub, v.n, constI32(codeUndefined))
		if v.n.isConst() {
			out.n = constI32(int32(v.n.imm) - codeUndefined)
		}
		if r == repPair {
			out.m = constI32(0)
		}
		return out
	case r == repI64 && v.rep == repI32:
		out.n = binary2(opI64Add, unary(opI64ExtI32U, v.n), constI64(sentinelInt))
		return out
	case r == repF64 && v.rep == repI32:
		out.n = unary(opF64ReintI64, binary2(opI64Add, unary(opI64ExtI32U, v.n), constI64(sentinelBitsSigned)))
		return out
	case r == repF64 && v.rep == repI64:
		out.n = unary(opF64ConvI64S, v.n)
		if v.t.has(kNil | kBool) {
			boxed := binary2(opI64Add, binary2(opI64Sub, v.n, constI64(sentinelInt)), constI64(sentinelBitsSigned))
			out.n = choose(binary2(opI64LeS, v.n, constI64(sentinelInt+codeNull)), unary(opF64ReintI64, boxed), out.n)
		}
		return out
	case r == repI64 && v.rep == repF64 && v.t.only(kInt):
		out.n = unary(opI64TruncSatS, v.n)
		return out
	case r == repI32 && (v.rep == repI64 || v.rep == repF64) && v.t.only(kNil|kBool):
		bits, base := v.n, int64(sentinelInt)
		if v.rep == repF64 {
			bits, base = unary(opI64ReintF64, v.n), sentinelBitsSigned
		}
		out.n = unary(opI32WrapI64, binary2(opI64Sub, bits, constI64(base)))
		return out
	case r == repI32 && v.rep >= repPair && v.t.only(kNil):
		out.n = binary2(opI32Add, v.n, constI32(codeUndefined))
		return out
	case r == repI64 && v.rep == repF64:
		// Integers and nil in an f64: the nil by its code.
		bits := unary(opI64ReintF64, v.n)
		boxed := binary2(opI64Add, binary2(opI64Sub, bits, constI64(sentinelBitsSigned)), constI64(sentinelInt))
		out.n = choose(binary2(opF64Eq, v.n, v.n), unary(opI64TruncSatS, v.n), boxed)
		return out
	}
	return zeroOf(r, v.t)
}

// sentinelBitsSigned is sentinelBits as an int64.
const sentinelBitsSigned = -1 << 50

// sentinelCodes is how many NaNs stand for something.
const sentinelCodes = 8

func zeroOf(r rep, t Type) value {
	switch r {
	case repI64:
		return value{t, r, constI64(0), nil}
	case repF64:
		return value{t, r, constF64(0), nil}
	case repPair:
		return value{t, r, constI32(0), constI32(0)}
	}
	return value{t, repI32, constI32(0), nil}
}

// int32 is ToInt32 of a value whose number is an integer, sign-extended.
func (v value) int32() value {
	n := numeric(v.t)
	if n.only(kInt) && n.lo >= -1<<31 && n.hi <= 1<<31-1 {
		return intValue(v.integer(), n)
	}
	return intValue(unary(opI64Ext32S, v.integer()), int32T)
}
