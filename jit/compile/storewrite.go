package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// What the host's store functions return instead of a result: FailBase + code.
// Results are safe integers, so they never meet.
const (
	FailBase     = -1 << 62
	FailStopped  = 1 // the host has ended the call and knows why
	FailKey      = 2 // a key of 0 or more than 1024 bytes
	FailLarge    = 3 // a value above its limit
	FailText     = 4 // incr of what is no integer
	FailOverflow = 5 // incr beyond 64 bits
	FailUnsafe   = 6 // incr beyond 2^53
	FailConflict = 7 // ifVersion did not match
)

var failMessages = map[int64]string{
	FailKey:      "RangeError: a key has 1 to 1024 bytes",
	FailLarge:    "RangeError: a value or key is too large",
	FailText:     "TypeError: incr: the value is not an integer in decimal text",
	FailOverflow: "RangeError: incr: the sum leaves the 64-bit range",
	FailUnsafe:   "RangeError: incr: the sum is beyond 2^53",
}

// NoOption says that ttl or ifVersion is not given.
const NoOption = -1

// storeOptions are the {ttl, ifVersion} of a write, NoOption where absent.
type storeOptions struct {
	ttl, ifVersion *tree
	hasIf          bool
	given          []namedOption // evaluated, to be checked where tier 0 does
}

type namedOption struct {
	name string
	v    value
}

// writeArguments lowers the arguments of a write, of which the last may be an
// object literal.
func (l *lower) writeArguments(list []ast.Expression, plain int, at file.Idx) (args []value, o storeOptions) {
	o = storeOptions{ttl: constI64(NoOption), ifVersion: constI64(NoOption)}
	if len(list) > plain {
		if object, ok := list[plain].(*ast.ObjectLiteral); ok {
			args = l.arguments(list[:plain])
			for i := range args {
				args[i] = l.simple(args[i])
			}
			for _, p := range object.Value {
				l.storeOption(p, &o, at)
			}
			return args, o
		}
		if id, ok := list[plain].(*ast.Identifier); !ok || id.Name != "undefined" {
			l.refuse(list[plain].Idx0(), "options that are not written as an object", "write {ttl: …, ifVersion: …} in the call")
		}
	}
	return l.arguments(list), o
}

func (l *lower) storeOption(p ast.Property, o *storeOptions, at file.Idx) {
	keyed, ok := p.(*ast.PropertyKeyed)
	name := ""
	var x value
	if ok && !keyed.Computed {
		if key, ok := keyed.Key.(*ast.StringLiteral); ok {
			name = key.Value.String()
			x = l.expr(keyed.Value)
		}
	} else if short, ok := p.(*ast.PropertyShort); ok {
		name = short.Name.Name.String()
		x = l.identifier(&short.Name)
	}
	if name != "ttl" && name != "ifVersion" {
		l.refuse(p.Idx0(), "this option", "the options are ttl and ifVersion")
	}
	if l.flow == nil || x.t.only(kUndefined) {
		return
	}
	o.given = append(o.given, namedOption{name, l.keep(x)})
}

// check converts what was given.
func (o *storeOptions) check(l *lower, at file.Idx) {
	for _, name := range []string{"ttl", "ifVersion"} {
		for _, g := range o.given {
			if g.name != name || l.flow == nil {
				continue
			}
			n := l.wholeOption(g.v, name, NoOption, at)
			if name == "ttl" {
				l.throw(unary(opI64Eqz, n), at, "RangeError: ttl is at least 1 ms")
				o.ttl = n
			} else {
				o.ifVersion, o.hasIf = n, true
			}
		}
	}
}

// wholeOption wants a whole number from 0 to 2^53−1; undefined gives standard.
func (l *lower) wholeOption(x value, name string, standard int64, at file.Idx) *tree {
	message := "TypeError: " + name + " is a whole number from 0 to 2^53−1"
	x = l.simple(x)
	missing := x.isUndefined()
	if x.t.only(kUndefined) {
		return constI64(standard)
	}
	if !x.t.only(kPrimitive) || x.t.has(kNull|kBool) {
		if x.t.has(kUndefined | kInt | kNumber) {
			l.refuse(at, name+" that is "+x.t.describe(), "give a whole number")
		}
		l.throw(constI32(1), at, message)
		l.flow = nil
		return constI64(standard)
	}
	var n, ok *tree
	if x.t.only(kInt | kUndefined) {
		n = x.n
		ok = binary2(opI64GeS, n, constI64(0))
	} else {
		n, ok = l.integerKey(value{t: numberT, rep: repF64, n: x.n})
	}
	l.throw(not(binary2(opI32Or, ok, missing)), at, message)
	return l.temp(choose(missing, constI64(standard), n))
}

// keyTrees passes a key to the host: an integer with address 0, or bytes.
func (l *lower) keyTrees(key value, at file.Idx) []*tree {
	none := []*tree{constI64(0), constI32(0), constI32(0)}
	if key.t.has(kValue) {
		if key = l.textOrNumber(key, at, badKey); l.flow == nil {
			return none
		}
	}
	if key.t.only(kString|kNil) || key.t.only(kView|kNil) {
		if key = l.bytesKey(key, at); l.flow == nil {
			return none
		}
		return []*tree{constI64(0), key.n, key.m}
	}
	if key = l.checkedKey(key, at); l.flow == nil {
		return none
	}
	key = l.simple(key)
	k, isInt := l.integerKey(key)
	if isInt.isConst() {
		return []*tree{k, constI32(0), constI32(0)}
	}
	p, n := l.newLocal(i32), l.newLocal(i32)
	l.stable[p], l.stable[n] = true, true
	text := l.into(func() {
		v := l.primitiveText(key, at)
		l.emit(setLocal(p, v.n))
		l.emit(setLocal(n, v.m))
	})
	l.emit(&statement{kind: stmtIf, value: isInt, body: []*statement{setLocal(p, constI32(0)), setLocal(n, constI32(0))}, other: text})
	return []*tree{k, localGet(p, i32), localGet(n, i32)}
}

// hostStore calls a store function of the host and handles how it may fail.
func (l *lower) hostStore(name string, at file.Idx, writes bool, args []*tree, fails ...int64) *tree {
	params := make([]valueType, len(args))
	for i, a := range args {
		params[i] = a.t
	}
	l.checkFuel()
	n := l.newLocal(i64)
	l.stable[n] = true
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, params, []valueType{i64}), values: args, sets: []int{n}})
	r := localGet(n, i64)
	if writes {
		l.writes = true
		l.emit(setGlobal(globalDirty, constI32(1)))
	}
	failed := l.into(func() {
		l.exitIf(binary2(opI64Eq, r, constI64(FailBase+FailStopped)), ExitStopped, at, "", false)
		for _, f := range fails {
			l.throw(binary2(opI64Eq, r, constI64(FailBase+f)), at, failMessages[f])
		}
	})
	l.emit(&statement{kind: stmtIf, value: binary2(opI64LtS, r, constI64(-maxSafe)), body: failed})
	return r
}

func (l *lower) storeChange(e *ast.CallExpression, name string) value {
	at := e.LeftParenthesis
	plain := map[string]int{"set": 2, "delete": 1, "incr": 2, "version": 1}[name]
	args, o := l.writeArguments(e.ArgumentList, plain, at)
	if l.flow == nil {
		return nothing()
	}
	for len(args) < plain {
		args = append(args, undefinedValue())
	}
	for i := range args {
		args[i] = l.simple(args[i])
	}
	switch name {
	case "set":
		return l.storeSet(args, o, at)
	case "delete":
		o.check(l, at)
		trees := append(l.keyTrees(args[0], at), o.ifVersion)
		if l.flow == nil {
			return nothing()
		}
		r := l.hostStore("delete", at, true, trees, FailKey)
		return boolValue(binary2(opI64Eq, r, constI64(1)))
	case "incr":
		delta := constI64(1)
		if !args[1].t.only(kUndefined) {
			delta = l.incrBy(args[1], at)
		}
		trees := append(l.keyTrees(args[0], at), delta)
		if l.flow == nil {
			return nothing()
		}
		r := l.hostStore("incr", at, true, trees, FailKey, FailLarge, FailText, FailOverflow, FailUnsafe)
		return intValue(r, safeT)
	}
	l.tally(countLookups, constI64(1))
	trees := l.keyTrees(args[0], at)
	if l.flow == nil {
		return nothing()
	}
	r := l.hostStore("version", at, false, trees, FailKey)
	return intValue(r, versionT)
}

// incrBy is what incr adds: a whole number, 1 for undefined.
func (l *lower) incrBy(x value, at file.Idx) *tree {
	const message = "TypeError: incr wants a whole number"
	switch {
	case x.t.only(kInt):
		return l.temp(x.integer())
	case x.t.only(kBool | kNull):
		l.throw(constI32(1), at, message)
		l.flow = nil
		return constI64(0)
	case !x.t.only(kInt | kNumber | kUndefined):
		l.refuse(at, "incr by "+x.t.describe(), "give a whole number")
	}
	x = l.simple(x)
	missing := x.isUndefined()
	n := x.n
	if x.rep == repF64 {
		n = l.temp(unary(opI64TruncSatS, x.n))
		whole := binary2(opF64Eq, unary(opF64Trunc, x.n), x.n)
		l.throw(not(binary2(opI32Or, whole, missing)), at, message)
	}
	return l.temp(choose(missing, constI64(1), n))
}

func (l *lower) storeSet(args []value, o storeOptions, at file.Idx) value {
	v := args[1]
	if v.t.has(kValue) {
		v = l.textOrNumber(v, at, badValue)
	} else {
		v = l.without(v, at, badValue)
	}
	if l.flow == nil {
		return nothing()
	}
	switch {
	case v.t.only(kInt | kNumber):
		v = l.simple(l.toText(v, at))
	case v.t.only(kString):
		l.burnUnits(v.units())
	case v.t.only(kView):
		v.m = l.temp(binary2(opI32Shl, v.m, constI32(int32(elementShifts[v.t.elem]))))
		l.burnUnits(v.m)
	default:
		l.refuse(at, "a stored value that is "+v.t.describe(), "store a string, a number or a typed array, with a test for undefined before")
	}
	o.check(l, at)
	trees := append(l.keyTrees(args[0], at), v.n, v.m, o.ttl, o.ifVersion)
	if l.flow == nil {
		return nothing()
	}
	r := l.hostStore("set", at, true, trees, FailKey, FailLarge)
	if !o.hasIf {
		return intValue(r, versionT)
	}
	ok := binary2(opI64GeS, r, constI64(0))
	t, _ := join(versionT, boolT)
	return l.simple(value{t: t, rep: repI64, n: choose(ok, r, constI64(sentinelInt+codeFalse))})
}
