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
	if !x.t.only(kInt) {
		l.refuse(p.Idx0(), name+" that is "+x.t.describe(), "give a whole number")
	}
	n := l.temp(x.integer())
	if name == "ttl" {
		l.throw(binary2(opI64LtS, n, constI64(0)), at, "TypeError: ttl is a whole number from 0 to 2^53−1")
		l.throw(unary(opI64Eqz, n), at, "RangeError: ttl is at least 1 ms")
		o.ttl = n
		return
	}
	l.throw(binary2(opI64LtS, n, constI64(0)), at, "TypeError: ifVersion is a whole number from 0 to 2^53−1")
	o.ifVersion, o.hasIf = n, true
}

// keyTrees passes a key to the host: an integer with address 0, or bytes.
func (l *lower) keyTrees(key value, at file.Idx) []*tree {
	if key.t.only(kString) || key.t.only(kView) && key.t.elem == elemU8 {
		key = l.simple(key)
		return []*tree{constI64(0), key.n, key.m}
	}
	return []*tree{l.integerKey(l.simple(key), at), constI32(0), constI32(0)}
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
		trees := append(l.keyTrees(args[0], at), o.ifVersion)
		r := l.hostStore("delete", at, true, trees, FailKey)
		return boolValue(binary2(opI64Eq, r, constI64(1)))
	case "incr":
		delta := constI64(1)
		if !args[1].t.only(kUndefined) {
			if !args[1].t.only(kInt) {
				l.refuse(at, "incr by "+args[1].t.describe(), "give a whole number")
			}
			delta = l.temp(args[1].integer())
		}
		r := l.hostStore("incr", at, true, append(l.keyTrees(args[0], at), delta), FailKey, FailLarge, FailText, FailOverflow, FailUnsafe)
		return intValue(r, safeT)
	}
	l.tally(countLookups, constI64(1))
	r := l.hostStore("version", at, false, l.keyTrees(args[0], at), FailKey)
	return intValue(r, versionT)
}

func (l *lower) storeSet(args []value, o storeOptions, at file.Idx) value {
	v := args[1]
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
	trees := append(l.keyTrees(args[0], at), v.n, v.m, o.ttl, o.ifVersion)
	r := l.hostStore("set", at, true, trees, FailKey, FailLarge)
	if !o.hasIf {
		return intValue(r, versionT)
	}
	ok := binary2(opI64GeS, r, constI64(0))
	t, _ := join(versionT, boolT)
	return l.simple(value{t: t, rep: repI64, n: choose(ok, r, constI64(sentinelInt+codeFalse))})
}
