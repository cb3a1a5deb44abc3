package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// The batch functions walk a list of keys in the host: a typed array, or the
// value of one key, which holds integer keys as u32.

// batchCall lowers them; ok is false for a name that is none of them.
func (l *lower) batchCall(e *ast.CallExpression, name string) (out value, ok bool) {
	kindFirst := false
	switch name {
	case "lengths":
	case "sumLengths", "sum", "gather", "concat":
		kindFirst = true
	default:
		return value{}, false
	}
	at := e.LeftParenthesis
	list := e.ArgumentList
	elem := elemU8
	if kindFirst {
		if elem, ok = literalElement(list); !ok {
			l.refuse(at, "store."+name+" of a kind that is not written out", "write 'u32' or another kind in the call")
		}
		list = list[1:]
	}
	args := l.arguments(list)
	if l.flow == nil {
		return nothing(), true
	}
	for i := range args {
		args[i] = l.keep(args[i])
	}
	for len(args) < 2 {
		args = append(args, undefinedValue())
	}
	index := constI64(0)
	if name == "sum" || name == "gather" {
		// Tier 0 looks at the index before it reads any key, but after it has
		// counted the keys of gather.
		if !args[1].t.only(kInt | kUndefined) {
			l.refuse(at, "an index that is "+args[1].t.describe(), "give a whole number")
		}
		index = l.wholeOption(args[1], "index", 0, at)
	}
	keys := l.keyList(args[0], at)
	if l.flow == nil {
		return nothing(), true
	}
	n := l.temp(unary(opI64ExtI32U, keys.m))
	trees := []*tree{constI32(int32(keys.t.elem)), keys.n, keys.m}
	kind := constI32(int32(elem))
	switch name {
	case "sumLengths":
		return intValue(l.batchHost("batchLengths", i64, append(trees, kind, constI32(0))), versionT), true
	case "sum":
		return numberValue(l.batchHost("batchSum", f64, append(trees, kind, index, constI32(0)))), true
	case "concat":
		l.scratch = true
		r := l.batchHost("batchConcat", i64, append(trees, kind))
		l.throw(binary2(opI64Eq, r, constI64(-2)), at, "RangeError: the value's length is no multiple of the element size of "+elementNames[elem])
		l.exitIf(binary2(opI64Eq, r, constI64(-1)), ExitScratch, at, "", false)
		p := l.temp(unary(opI32WrapI64, binary2(opI64ShrU, r, constI64(32))))
		return l.simple(pairValue(p, binary2(opI32ShrU, unary(opI32WrapI64, r), constI32(int32(elementShifts[elem]))), viewT(elem, 0, true))), true
	case "lengths":
		p := l.batchRoom(n, 2)
		l.batchHost("batchLengths", i64, append(trees, kind, p))
		return pairValue(p, keys.m, viewT(elemI32, 0, true)), true
	}
	p := l.batchRoom(n, 3)
	l.batchHost("batchSum", f64, append(trees, kind, index, p))
	return pairValue(p, keys.m, viewT(elemF64, 0, true)), true
}

// literalElement reads the kind, which must be written out.
func literalElement(list []ast.Expression) (element, bool) {
	if len(list) == 0 {
		return 0, false
	}
	s, ok := list[0].(*ast.StringLiteral)
	if !ok {
		return 0, false
	}
	return elementNamed(s.Value.String())
}

// keyList is a list of keys as a view of them.
func (l *lower) keyList(keys value, at file.Idx) value {
	if keys.t.only(kView) {
		return keys
	}
	if keys.t.has(kView) || !keys.t.only(kPrimitive) && !keys.t.only(kString|kNil) {
		l.refuse(at, "a list of keys that is "+keys.t.describe(), "give a typed array, or the key of a list in the store")
	}
	ptr, size := l.lookup(keys, at)
	if l.flow == nil {
		return keys
	}
	odd := binary2(opI32Ne, binary2(opI32And, size, constI32(3)), constI32(0))
	l.throw(odd, at, "RangeError: the value's length is no multiple of the element size of u32")
	l.tally(countRead, unary(opI64ExtI32U, size))
	return pairValue(ptr, l.temp(binary2(opI32ShrU, size, constI32(2))), viewT(elemU32, 0, false))
}

// batchRoom takes scratch for a result of n elements and burns for it.
func (l *lower) batchRoom(n *tree, shift int64) *tree {
	size := l.temp(binary2(opI64Shl, n, constI64(shift)))
	l.burnTree(binary2(opI64ShrU, size, constI64(6)))
	return l.callHelper(helperAlloc, unary(opI32WrapI64, size))
}

// batchHost hands the fuel to the host, which burns one unit a key, and takes
// back what is left with the result.
func (l *lower) batchHost(name string, result valueType, args []*tree) *tree {
	args = append([]*tree{localGet(l.fuel, i64)}, args...)
	params := make([]valueType, len(args))
	for i, a := range args {
		params[i] = a.t
	}
	r := l.newLocal(result)
	l.stable[r] = true
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, params, []valueType{i64, result}), values: args, sets: []int{l.fuel, r}})
	l.exitIf(binary2(opI64LtS, localGet(l.fuel, i64), constI64(0)), ExitStopped, l.f.literal.Function, "", false)
	return localGet(r, result)
}
