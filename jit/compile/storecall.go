package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// maxKey is the largest integer key.
const maxKey = maxSafe

func elementNamed(name string) (element, bool) {
	for i, n := range elementNames {
		if n == name {
			return element(i), true
		}
	}
	return 0, false
}

// storeCall lowers store.name(…).
func (l *lower) storeCall(e *ast.CallExpression, name string) value {
	at := e.LeftParenthesis // where tier 0 reports exceptions
	switch name {
	case "set", "delete", "incr", "version":
		return l.storeChange(e, name)
	}
	if v, ok := l.batchCall(e, name); ok {
		return v
	}
	var mark *tree
	if l.makesKey(e.ArgumentList) {
		mark = l.temp(globalGet(globalScratch))
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	if mark != nil && args[0].t.only(kString) {
		l.keyMark = mark
	}
	arg := func(i int) value {
		if i < len(args) {
			return args[i]
		}
		return undefinedValue()
	}
	if name == "get" {
		name = "u8"
	}
	if elem, ok := elementNamed(name); ok {
		return l.storeView(elem, arg(0), e)
	}
	if n := len(name) - 2; n > 0 && name[n:] == "At" {
		if elem, ok := elementNamed(name[:n]); ok && len(args) >= 2 {
			return l.storeScalar(elem, args[0], args[1], e)
		}
	}
	switch name {
	case "text":
		return l.storeText(arg(0), at)
	case "json":
		return l.storeJSON(arg(0), at)
	case "scan":
		return l.storeScan(arg(0), arg(1), at)
	case "has":
		ptr, _ := l.lookup(arg(0), at)
		return boolValue(binary2(opI32Ne, ptr, constI32(0)))
	case "size":
		ptr, n := l.lookup(arg(0), at)
		found := binary2(opI32Ne, ptr, constI32(0))
		size := intValue(unary(opI64ExtI32U, n), lengthT)
		return l.orUndefined(found, size)
	}
	l.refuse(at, "store."+name, "compiled functions know get, text, u8 to f64, u8At to f64At, has, size, version, set, delete, incr, lengths, sumLengths, gather, sum, concat, json and scan")
	return nothing()
}

// orUndefined says that a pair's address may be 0.
func (v value) orUndefined() value { v.t = v.t.with(kUndefined); return v }

// orUndefined is found ? v : undefined.
func (l *lower) orUndefined(found *tree, v value) value {
	t, _ := join(v.t, undefinedT)
	x, u := v.as(t), undefinedValue().as(t)
	return l.simple(value{t: t, rep: t.rep(), n: choose(found, x.n, u.n)})
}

// siteOf is the bit of a call whose view lies where something else reads it.
func siteOf(e *ast.CallExpression) uint64 { return 1 << (uint(e.LeftParenthesis) % 64) }

// storeView is store.u8(key) and kin.
func (l *lower) storeView(elem element, key value, e *ast.CallExpression) value {
	ptr, size := l.lookup(key, e.LeftParenthesis)
	if l.flow == nil {
		return nothing()
	}
	if shift := elementShifts[elem]; shift > 0 {
		odd := binary2(opI32Ne, binary2(opI32And, size, constI32(int32(1)<<shift-1)), constI32(0))
		l.throw(odd, e.LeftParenthesis, "RangeError: the value's length is no multiple of the element size of "+elementNames[elem])
	}
	wide := unary(opI64ExtI32U, size)
	l.tally(countRead, wide)
	l.charge(binary2(opI64ShrU, wide, constI64(6)))
	site := siteOf(e)
	t := viewT(elem, site, false).with(kUndefined)
	if l.copying&site != 0 {
		t.sites, t.mutable = 0, true
		l.checkFuel()
		ptr = l.copyOf(ptr, size, e.Callee.Idx0())
	}
	n := binary2(opI32ShrU, size, constI32(int32(elementShifts[elem])))
	return l.simple(pairValue(ptr, n, t))
}

// storeText is store.text(key): ASCII as it lies, until a guard has met other
// text, which the host turns into UTF-16.
func (l *lower) storeText(key value, at file.Idx) value {
	ptr, size := l.lookup(key, at)
	if l.flow == nil {
		return nothing()
	}
	wide := unary(opI64ExtI32U, size)
	l.tally(countRead, wide)
	l.burnTree(binary2(opI64ShrU, wide, constI64(6)))
	ascii := l.callHelper(helperASCII, ptr, size)
	if !l.isWide(at, guardText) {
		l.guard(not(ascii), at, guardText)
		return pairValue(ptr, size, stringT.with(kUndefined))
	}
	return l.narrowOrWide(not(ascii), func() value { return pairValue(ptr, size, stringT) }, func() value {
		return l.hostString("textOfBytes", wideT, ptr, size)
	}).orUndefined()
}

// storeScalar is store.u32At(key, i) and kin.
func (l *lower) storeScalar(elem element, key, index value, e *ast.CallExpression) value {
	if !index.t.only(kPrimitive) {
		l.refuse(e.Idx0(), "an index that is "+index.t.describe(), "use a number")
	}
	index = l.simple(index)
	ptr, size := l.lookup(key, e.LeftParenthesis)
	if l.flow == nil {
		return nothing()
	}
	n := l.temp(binary2(opI32ShrU, size, constI32(int32(elementShifts[elem])))) // 0 when missing
	v := pairValue(ptr, n, viewT(elem, 0, false))
	if !index.t.only(kInt | kNumber) {
		// undefined, null and booleans name no element, as in tier 0.
		l.refuse(e.Idx0(), "an index that is "+index.t.describe(), "use a number, with a test for undefined before")
	}
	i, inside := l.index(v, index, e.Idx0(), false)
	inside, i = l.temp(inside), l.temp(i)
	yes, no := l.ways(inside)
	return l.either(e, inside, yes, no, func() value {
		l.tally(countRead, constI64(1<<elementShifts[elem]))
		return l.elementAt(v, i)
	}, undefinedValue, e.Idx0())
}

// makesKey says that arguments put a text together, as key, and do nothing else:
// after the lookup its scratch is free again. A loop over names needs it, and
// finds the text in the cache.
func (l *lower) makesKey(args []ast.Expression) bool {
	makes := false
	pure := true
	for i, a := range args {
		syntax.Walk(a, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpression:
				makes = makes || i == 0 && n.Operator == token.PLUS
			case *ast.TemplateLiteral:
				makes = makes || i == 0
				pure = pure && n.Tag == nil
			case *ast.Identifier:
				// Objects may turn into text by steps that others see.
				v := l.variableNamed(n)
				pure = pure && (v == nil || l.read(v).t.only(kPrimitive|kString))
			case *ast.NumberLiteral, *ast.StringLiteral, *ast.TemplateElement, *ast.UnaryExpression:
			default:
				pure = false
			}
			return pure
		})
	}
	return makes && pure
}

// lookup finds the value of a key: its address, 0 if it is missing, and size.
func (l *lower) lookup(key value, at file.Idx) (ptr, size *tree) {
	l.tally(countLookups, constI64(1))
	if key.t.has(kValue) {
		if key = l.textOrNumber(key, at, badKey); l.flow == nil {
			return constI32(0), constI32(0)
		}
	}
	p, n := l.newLocal(i32), l.newLocal(i32)
	ptr, size = localGet(p, i32), localGet(n, i32)
	l.stable[p], l.stable[n] = true, true
	if key.t.only(kString|kNil) || key.t.only(kView|kNil) {
		key = l.bytesKey(key, at)
		if l.flow == nil {
			return ptr, size
		}
		packed := l.newLocal(i64)
		l.emit(&statement{kind: stmtCall, callee: l.helper(helperLookupBytes), values: []*tree{key.n, key.m}, sets: []int{packed}})
		l.unpack(packed, p, n, at)
		if l.keyMark != nil {
			l.emit(setGlobal(globalScratch, l.keyMark))
			l.keyMark = nil
		}
		return ptr, size
	}
	key = l.checkedKey(key, at)
	if l.flow == nil {
		return ptr, size
	}
	k, isInt := l.integerKey(key)
	if isInt.isConst() {
		l.emitLookup(k, p, n)
		return ptr, size
	}
	packed := l.newLocal(i64)
	other := l.into(func() {
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("lookupNumber", []valueType{f64}, []valueType{i64}), values: []*tree{key.double()}, sets: []int{packed}})
		l.unpack(packed, p, n, at)
	})
	l.emit(&statement{kind: stmtIf, value: isInt, body: l.into(func() { l.emitLookup(k, p, n) }), other: other})
	return ptr, size
}

// bytesKey is a string, or the bytes of a typed array, as a key.
func (l *lower) bytesKey(key value, at file.Idx) value {
	key = l.simple(l.checkedKey(key, at))
	if key.t.has(kView) {
		key.m = l.temp(binary2(opI32Shl, key.m, constI32(int32(elementShifts[key.t.elem]))))
	}
	return key
}

// unpack splits what the lookup of a byte key returns: address << 32 | size, −1 when
// it has ended the call, −2 for a key that throws.
func (l *lower) unpack(packed, p, n int, at file.Idx) {
	x := localGet(packed, i64)
	l.throw(binary2(opI64Eq, x, constI64(-2)), at, "RangeError: a key has 1 to 1024 bytes")
	l.exitIf(binary2(opI64Eq, x, constI64(-1)), ExitStopped, at, "", false)
	l.emit(setLocal(p, unary(opI32WrapI64, binary2(opI64ShrU, x, constI64(32)))))
	l.emit(setLocal(n, unary(opI32WrapI64, x)))
}

const (
	badKey   = "TypeError: a key is a number, a string or bytes"
	badValue = "TypeError: a value is a string, a number, a BigInt or bytes: use JSON.stringify for objects"
)

// without throws where a value is nil or a boolean; the rest is a number, or a
// string or a view. What it says of other kinds is for the caller.
func (l *lower) without(v value, at file.Idx, message string) value {
	if !v.t.has(kNil | kBool) {
		return v
	}
	v = l.simple(v)
	l.throw(v.isSentinel(), at, message)
	v.t = v.t.without(kNil | kBool)
	if v.isNever() {
		l.flow = nil
	}
	return v
}

// isSentinel is the condition that v is nil or a boolean.
func (v value) isSentinel() *tree {
	switch {
	case v.t.only(kNil | kBool):
		return constI32(1)
	case v.rep == repI64:
		return binary2(opI64LeS, v.n, constI64(sentinelInt+codeNull))
	case v.rep == repF64:
		return binary2(opI64LtU, binary2(opI64Sub, unary(opI64ReintF64, v.n), constI64(sentinelBitsSigned)), constI64(4))
	}
	return v.isNil()
}

// checkedKey throws where a key is none.
func (l *lower) checkedKey(key value, at file.Idx) value {
	key = l.without(key, at, badKey)
	if l.flow != nil && !key.t.only(kInt|kNumber) && !key.t.only(kString) && !key.t.only(kView) {
		l.refuse(at, "a key that is "+key.t.describe(), "use a number, a string or bytes")
	}
	return key
}

// integerKey gives the integer that a number as a key may be, and whether it
// is. Other numbers are keys by their text.
func (l *lower) integerKey(key value) (k, isInt *tree) {
	if key.t.only(kInt) {
		k = l.temp(key.integer())
		if key.t.lo >= 0 {
			return k, constI32(1)
		}
		return k, l.temp(binary2(opI64GeS, k, constI64(0)))
	}
	d := l.temp(key.double())
	k = l.temp(unary(opI64TruncSatS, d)) // −0 is the key 0, as String(−0) is "0"
	whole := binary2(opI32And, binary2(opF64Eq, unary(opF64ConvI64S, k), d), binary2(opI64LtU, k, constI64(maxKey+1)))
	return k, l.temp(whole)
}
