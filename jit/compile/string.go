package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"shredder/jit/syntax"
)

// stringMethod lowers a method of a string. What looks at single characters and
// what cuts is inline for ASCII; the rest is the host's.
func (l *lower) stringMethod(e *ast.CallExpression, name string, v value) value {
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	c := &stringCall{l, e, name, v, args, e.Idx0()}
	switch name {
	case "toString", "valueOf":
		return v
	case "charCodeAt":
		return c.charCodeAt()
	case "charAt", "at":
		return c.charAt()
	case "codePointAt":
		l.burnTree(binary2(opI64ShrU, binary2(opI64Add, unary(opI64ExtI32U, v.units()), extent(c.arg(0))), constI64(6)))
		r := l.hostCall("textPoint", i64, v.n, v.m, c.integer(0, constI64(0)))
		t, _ := join(intT(0, 0x10ffff), undefinedT)
		return l.narrowed(value{t: t, rep: repI64, n: r}, e.LeftParenthesis)
	case "slice", "substring", "substr":
		from, to := c.section()
		return l.cut(v, from, to)
	case "indexOf", "lastIndexOf", "includes":
		return c.search()
	case "startsWith", "endsWith":
		s := c.text(0)
		start := constI64(0)
		end := constI32(0)
		if name == "endsWith" {
			start, end = unary(opI64ExtI32U, v.units()), constI32(1)
		}
		return boolValue(l.hostCall("textStarts", i32, v.n, v.m, s.n, s.m, c.integer(1, start), end))
	case "concat":
		return c.concat()
	case "trim", "trimStart", "trimEnd", "trimLeft", "trimRight", "toLowerCase", "toUpperCase":
		c.refuseTrimAlias()
		c.burnCopy()
		return l.hostString("textChange", v.t, v.n, v.m, constI32(textChanges[name]))
	case "repeat":
		c.burnProduct(unary(opI64ExtI32U, v.units()), c.arg(0))
		n := c.integer(0, constI64(0))
		l.throw(binary2(opI64LtS, n, constI64(0)), e.LeftParenthesis, "RangeError: Invalid count value")
		return l.hostString("textRepeat", v.t, v.n, v.m, n)
	case "padStart", "padEnd":
		return c.pad()
	case "replace", "replaceAll":
		return c.replace()
	case "split":
		return c.split()
	}
	l.refuse(e.Callee.Idx0(), "method "+name+" of a string", stringInstead(name))
	return nothing()
}

func stringInstead(name string) string {
	switch name {
	case "localeCompare":
		return "compare with < and ==="
	case "match", "matchAll", "search":
		return "look for text with indexOf and startsWith, and for characters with charCodeAt"
	}
	return "build it from slice, indexOf and charCodeAt"
}

// Changes of a whole text, as the host numbers them.
const (
	TrimStart = 1
	TrimEnd   = 2
	ToLower   = 4
	ToUpper   = 8
)

var textChanges = map[string]int32{"trim": TrimStart | TrimEnd, "trimStart": TrimStart, "trimEnd": TrimEnd, "toLowerCase": ToLower, "toUpperCase": ToUpper}

// stringCall is a call of a string's method with its arguments evaluated.
type stringCall struct {
	*lower
	e    *ast.CallExpression
	name string
	v    value
	args []value
	at   file.Idx
}

// refuseTrimAlias: trimLeft and trimRight burn nothing on tier 0.
func (c *stringCall) refuseTrimAlias() {
	if textChanges[c.name] == 0 {
		c.refuse(c.e.Callee.Idx0(), "method "+c.name, "write trimStart or trimEnd")
	}
}

func (c *stringCall) arg(i int) value {
	if i < len(c.args) {
		return c.args[i]
	}
	return undefinedValue()
}

// text is String(argument).
func (c *stringCall) text(i int) value { return c.keep(c.toText(c.arg(i), c.at)) }

// integer is ToIntegerOrInfinity of an argument; undefined gives standard.
func (c *stringCall) integer(i int, standard *tree) *tree {
	v := c.arg(i)
	if v.t.only(kUndefined) {
		return standard
	}
	if !v.t.only(kPrimitive) {
		c.refuse(c.at, v.t.describe()+" as a position", "use a number")
	}
	missing := v.isUndefined()
	n := c.lower.integerOf(v, c.at)
	if missing.isConst() {
		return n
	}
	return c.temp(choose(missing, standard, n))
}

// integerOf is ToIntegerOrInfinity of a primitive, infinities as the largest
// integers.
func (l *lower) integerOf(v value, at file.Idx) *tree {
	v = l.simple(l.number(l.simple(v), at))
	if v.t.only(kInt) {
		return v.n
	}
	return l.temp(unary(opI64TruncSatS, v.n))
}

func (c *stringCall) length() *tree { return c.temp(unary(opI64ExtI32U, c.v.units())) }

func minimum(a, b *tree) *tree { return choose(binary2(opI64LtS, a, b), a, b) }
func maximum(a, b *tree) *tree { return choose(binary2(opI64GtS, a, b), a, b) }

// clamped is n within 0 and most; n may count from the end.
func (c *stringCall) clamped(n, most *tree, fromEnd bool) *tree {
	if n.isConst() && n.imm == 0 {
		return n
	}
	n = c.temp(n)
	if fromEnd {
		n = c.temp(choose(binary2(opI64LtS, n, constI64(0)), binary2(opI64Add, n, most), n))
	}
	return c.temp(maximum(c.temp(minimum(n, most)), constI64(0)))
}

// section is the part that slice, substring and substr cut out, from ≤ to.
func (c *stringCall) section() (from, to *tree) {
	n := c.length()
	switch c.name {
	case "slice":
		from, to = c.clamped(c.integer(0, constI64(0)), n, true), c.clamped(c.integer(1, n), n, true)
		return from, c.temp(maximum(from, to))
	case "substring":
		a, b := c.clamped(c.integer(0, constI64(0)), n, false), c.clamped(c.integer(1, n), n, false)
		return c.temp(minimum(a, b)), c.temp(maximum(a, b))
	}
	from = c.clamped(c.integer(0, constI64(0)), n, true)
	size := c.temp(minimum(c.temp(maximum(c.integer(1, n), constI64(0))), binary2(opI64Sub, n, from)))
	return from, c.temp(binary2(opI64Add, from, size))
}

// cut is the part of a string between two positions within it.
func (l *lower) cut(v value, from, to *tree) value {
	start, end := l.temp(unary(opI32WrapI64, from)), l.temp(unary(opI32WrapI64, to))
	narrow := func() value {
		return l.simple(pairValue(binary2(opI32Add, v.n, start), binary2(opI32Sub, end, start), stringT))
	}
	return l.narrowOrWide(isWideText(v), narrow, func() value {
		return l.hostString("textCut", wideT, v.n, v.m, start, end)
	})
}

// unit reads a code unit that is there.
func (l *lower) unit(v value, i *tree) value {
	narrow := func() *tree { return load(opI64Load8U, binary2(opI32Add, v.n, i), 0) }
	if !v.t.wide {
		return l.simple(intValue(narrow(), intT(0, 127)))
	}
	n := l.newLocal(i64)
	l.stable[n] = true
	l.emit(&statement{kind: stmtIf, value: isWideText(v),
		body:  []*statement{setLocal(n, load(opI64Load16U, binary2(opI32Add, v.n, binary2(opI32Shl, i, constI32(1))), 0))},
		other: []*statement{setLocal(n, narrow())}})
	return intValue(localGet(n, i64), intT(0, 1<<16-1))
}

// character is the string of one code unit that is there. In UTF-16 an ASCII
// unit's low byte comes first, so it is a string as it lies.
func (l *lower) character(v value, i *tree) value {
	if !v.t.wide {
		return l.simple(pairValue(binary2(opI32Add, v.n, i), constI32(1), stringT))
	}
	i = l.temp(i)
	u := l.unit(v, i)
	p := binary2(opI32Add, v.n, binary2(opI32Shl, i, binary2(opI32ShrU, v.m, constI32(31))))
	one := uint32(1)
	m := choose(binary2(opI64GtU, u.n, constI64(127)), constI32(int32(one|WideText)), constI32(1))
	return l.simple(pairValue(p, m, wideT))
}

// codePoint is the string of the code point at i, which is there, and its units.
func (l *lower) codePoint(v value, i *tree) (one value, size *tree) {
	if !v.t.wide {
		return l.character(v, l.temp(unary(opI32WrapI64, i))), constI64(1)
	}
	i = l.temp(i)
	c := l.hostCall("textPoint", i64, v.n, v.m, i)
	size = l.temp(binary2(opI64Add, unary(opI64ExtI32U, binary2(opI64GtU, c, constI64(1<<16-1))), constI64(1)))
	flag := binary2(opI32Shl, binary2(opI64GtU, c, constI64(127)), constI32(31))
	p := binary2(opI32Add, v.n, binary2(opI32Shl, unary(opI32WrapI64, i), binary2(opI32ShrU, v.m, constI32(31))))
	return l.simple(pairValue(p, binary2(opI32Or, unary(opI32WrapI64, size), flag), wideT)), size
}

// orElse is read() where inside holds and other where not: by a guard, until it
// has failed once.
func (l *lower) orElse(key any, inside *tree, at file.Idx, read, other func() value) value {
	inside = l.temp(inside)
	if !l.isWide(at, guardElement) {
		l.guard(not(inside), at, guardElement)
		if l.flow == nil {
			return nothing()
		}
		return read()
	}
	yes, no := l.ways(inside)
	return l.either(key, inside, yes, no, read, other, at)
}

func (c *stringCall) charCodeAt() value {
	i := c.integer(0, constI64(0))
	inside := binary2(opI64LtU, i, c.length())
	return c.orElse(c.e, inside, c.e.LeftParenthesis, func() value {
		return c.unit(c.v, c.temp(unary(opI32WrapI64, i)))
	}, func() value { return numberValue(constF64(nan)) })
}

func (c *stringCall) charAt() value {
	n := c.length()
	i := c.integer(0, constI64(0))
	other := func() value { return c.stringConstant("", c.at) }
	if c.name == "at" {
		i = c.temp(choose(binary2(opI64LtS, i, constI64(0)), binary2(opI64Add, i, n), i))
		other = undefinedValue
	}
	return c.orElse(c.e, binary2(opI64LtU, i, n), c.e.LeftParenthesis, func() value {
		return c.character(c.v, c.temp(unary(opI32WrapI64, i)))
	}, other)
}

// characterAt is s[i].
func (l *lower) characterAt(s value, e *ast.BracketExpression) value {
	mark := l.mark()
	i := l.expr(e.Member)
	if l.flow == nil {
		return nothing()
	}
	s = l.keep(l.hold(s, mark))
	whole := s
	whole.m = l.temp(s.units())
	n, inside := l.index(whole, i, e.Member.Idx0(), false)
	n = l.temp(n)
	return l.orElse(e, inside, e.LeftBracket, func() value { return l.character(s, n) }, undefinedValue)
}

// narrowed takes a result that is seldom undefined for what it is otherwise,
// until a guard has failed.
func (l *lower) narrowed(v value, at file.Idx) value {
	v = l.simple(v)
	if l.isWide(at, guardElement) {
		return v
	}
	l.guard(v.isUndefined(), at, guardElement)
	v.t = v.t.without(kUndefined)
	return v
}

func (c *stringCall) search() value {
	s := c.text(0)
	// Tier 0 burns for both together.
	c.burnTree(binary2(opI64ShrU, binary2(opI64Add, c.length(), extent(c.arg(0))), constI64(6)))
	start, name := c.integer(1, constI64(0)), "textIndex"
	if c.name == "lastIndexOf" {
		name = "textLast"
		start = c.lastStart()
	}
	r := c.hostCall(name, i64, c.v.n, c.v.m, s.n, s.m, start)
	if c.name == "includes" {
		return boolValue(binary2(opI64GeS, r, constI64(0)))
	}
	return intValue(r, intT(-1, maxElements))
}

// lastStart is where lastIndexOf begins: NaN means the end.
func (c *stringCall) lastStart() *tree {
	v := c.arg(1)
	if v.t.only(kUndefined) {
		return constI64(maxElements)
	}
	n := c.integer(1, constI64(maxElements))
	if !v.t.has(kNumber) {
		return n
	}
	d := c.temp(c.number(v, c.at).n)
	return c.temp(choose(binary2(opF64Eq, d, d), n, constI64(maxElements)))
}

// burnCopy burns as tier 0 does for methods that make a string of about the
// same size: twice the receiver and the strings among the arguments.
func (c *stringCall) burnCopy() {
	n := c.length()
	for _, a := range c.args {
		n = binary2(opI64Add, n, extent(a))
	}
	c.burnTree(binary2(opI64ShrU, binary2(opI64Shl, n, constI64(1)), constI64(6)))
}

// extent is the size of a value in elements or code units, as tier 0 counts.
func extent(v value) *tree {
	switch {
	case v.t.has(kString):
		return unary(opI64ExtI32U, v.units())
	case v.t.has(kView):
		return unary(opI64ExtI32U, v.m)
	}
	return constI64(0)
}

func (c *stringCall) concat() value {
	c.burnCopy()
	out := c.v
	for i := range c.args {
		out = c.appendText(out, c.text(i))
		if c.flow == nil {
			return nothing()
		}
	}
	return out
}

// burnProduct burns for a string of n × times units, fractions of times included.
func (c *stringCall) burnProduct(n *tree, times value) {
	product := c.temp(binary2(opF64Mul, unary(opF64ConvI64S, n), c.simple(c.number(c.simple(times), c.at)).double()))
	c.exitIf(binary2(opF64Gt, product, constF64(largestText)), ExitScratch, c.at, "", false)
	c.burnTree(binary2(opI64ShrU, unary(opI64TruncSatS, binary2(opF64Max, product, constF64(0))), constI64(6)))
}

func (c *stringCall) pad() value {
	n := c.integer(0, constI64(0))
	c.burnProduct(constI64(1), c.arg(0))
	filler := c.stringConstant(" ", c.at)
	if a := c.arg(1); a.t.has(kUndefined) && !a.t.only(kUndefined) {
		c.refuse(c.at, "a filler that may be undefined", "give a string")
	} else if !a.t.only(kUndefined) {
		filler = c.text(1)
	}
	atEnd := constI32(0)
	if c.name == "padEnd" {
		atEnd = constI32(1)
	}
	t := c.v.t
	t.wide = t.wide || filler.t.wide
	return c.hostString("textPad", t, c.v.n, c.v.m, n, filler.n, filler.m, atEnd)
}

// replace is replace and replaceAll of text by text, in which $ has a meaning.
func (c *stringCall) replace() value {
	if len(c.e.ArgumentList) == 2 {
		switch c.e.ArgumentList[1].(type) {
		case *ast.ArrowFunctionLiteral, *ast.FunctionLiteral:
			c.refuse(c.e.ArgumentList[1].Idx0(), "a function that makes the replacement", "find the text with indexOf and cut with slice")
		}
	}
	pattern, with := c.text(0), c.text(1)
	c.burn(1)
	c.burnUnits(c.v.units())
	c.burnTree(binary2(opI64ShrU, binary2(opI64Shl, c.length(), constI64(1)), constI64(6)))
	all := constI32(0)
	if c.name == "replaceAll" {
		all = constI32(1)
	}
	t := stringT
	t.wide = c.v.t.wide || with.t.wide
	out := c.hostString("textReplace", t, c.v.n, c.v.m, pattern.n, pattern.m, with.n, with.m, all)
	c.burnUnits(out.units())
	return out
}

// split cuts a text up at each place of a separator.
func (c *stringCall) split() value {
	c.burn(1)
	c.burnUnits(c.v.units())
	c.burnTree(binary2(opI64ShrU, binary2(opI64Shl, c.length(), constI64(2)), constI64(6)))
	limit := constI64(1<<32 - 1)
	if a := c.arg(1); !a.t.only(kUndefined) {
		if !a.t.only(kInt | kNumber) {
			c.refuse(c.at, "a limit that is "+a.t.describe(), "give a number")
		}
		limit = binary2(opI64And, c.toInt32(c.simple(c.number(a, c.at))).n, constI64(1<<32-1))
	}
	separator, whole := c.arg(0), constI32(0)
	if separator.t.only(kUndefined) {
		separator, whole = c.stringConstant("", c.at), constI32(1)
	} else if separator.t.only(kString) {
		separator = c.keep(separator)
	} else {
		c.refuse(c.at, "split at "+separator.t.describe(), "give a string")
	}
	cell := c.newCell(c.e)
	if !cell.grow(&cell.elem, Type{k: kString, wide: c.v.t.wide}) {
		c.refuse(c.at, "an array of strings that also takes others", "use an array for each type of element")
	}
	c.scratch = true
	r := c.hostCall("textSplit", i32, c.v.n, c.v.m, separator.n, separator.m, limit, whole)
	c.exitIf(unary(opI32Eqz, r), ExitScratch, c.at, "", false)
	return refValue(r, heapT(kArray, cell))
}

// numberMethod is toString and toFixed of a number.
func (l *lower) numberMethod(e *ast.CallExpression, name string, v value) value {
	v = l.keep(v)
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	at := e.LeftParenthesis
	var digits value
	if len(args) == 0 || args[0].t.only(kUndefined) {
		if name == "toString" {
			return l.toText(v, at)
		}
		digits = constNumber(0)
	} else if digits = args[0]; !digits.t.only(kInt | kNumber | kBool | kNull) {
		l.refuse(at, name+" with "+digits.t.describe(), "give a number")
	}
	n := l.integerOf(digits, at)
	if name == "toString" {
		l.throw(binary2(opI64GtU, binary2(opI64Sub, n, constI64(2)), constI64(34)), at, "RangeError: toString() radix argument must be between 2 and 36")
		return l.hostString("numberRadix", stringT, l.simple(v).double(), n)
	}
	l.throw(binary2(opI64GtU, n, constI64(100)), at, "RangeError: toFixed() precision must be between 0 and 100")
	return l.hostString("numberFixed", stringT, l.simple(v).double(), n)
}

// fromCharCode is String.fromCharCode.
func (l *lower) fromCharCode(e *ast.CallExpression) value {
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	out := l.stringConstant("", e.Idx0())
	for i, x := range args {
		n := l.toInt32(l.simple(l.number(l.simple(x), e.Idx0()))).n
		one := l.hostString("textOfUnit", wideT, binary2(opI64And, n, constI64(1<<16-1)))
		if x.t.only(kInt) && x.t.lo >= 0 && x.t.hi < 128 {
			one.t = stringT
		}
		if i == 0 {
			out = one
			continue
		}
		out = l.appendText(out, one)
	}
	return out
}

// parseNumber is parseInt and parseFloat.
func (l *lower) parseNumber(e *ast.CallExpression, name string, args []value) value {
	at := e.Idx0()
	x := undefinedValue()
	if len(args) > 0 {
		x = l.keep(args[0])
	}
	l.burnTree(binary2(opI64ShrU, extent(x), constI64(6)))
	s := l.keep(l.toText(x, at))
	if l.flow == nil {
		return nothing()
	}
	if name == "parseFloat" {
		return numberValue(l.hostCall("parseFloat", f64, s.n, s.m))
	}
	radix := constI64(0)
	if len(args) > 1 {
		radix = l.toInt32(l.simple(l.number(l.simple(args[1]), at))).n
	}
	return numberValue(l.hostCall("parseInt", f64, s.n, s.m, radix))
}

// numberOfText is ToNumber of a string, nil allowed beside it.
func (l *lower) numberOfText(v value) value {
	v = l.keep(v)
	n := l.hostCall("numberOfText", f64, v.n, v.m)
	return numberValue(n)
}

var _ = [1]struct{}{}[syntax.BytesPerFuel-1<<6] // shifts by 6 count on it
