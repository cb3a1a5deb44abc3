package compile

import (
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// Exceptions. A throw that nothing around it can catch ends the call at once, as
// all other exits do. Within a try, and in functions that are called from one,
// it makes an error object, puts it into a global and goes to the handler: by a
// branch, or by returning to a caller that looks at the global. Ends that are no
// exceptions (fuel, limits, guards) are traps always, so nothing catches them.

// An error lies in scratch.
const (
	errorClass   = 0  // u32: number of its class, from 1
	errorExit    = 4  // u32: the exit to take if nothing catches it, + 1
	errorMessage = 8  // address and length of a string
	errorName    = 16 // the same
	errorSize    = 24
)

var errorT = Type{k: kError}

var errorClassNames = []string{"Error", "TypeError", "RangeError", "SyntaxError", "EvalError", "ReferenceError", "URIError"}

func classNumber(name string) int32 {
	for i, n := range errorClassNames {
		if n == name {
			return int32(i + 1)
		}
	}
	return 0
}

// region is a try around a point of the code.
type region struct {
	handler *label
	flow    *flow // what is known where an exception arrives
	finally *ast.BlockStatement
	scope   *scope
	ret     *returns // of the body it stands in
	jumps   int      // jumps around it
}

// catching says that an exception here may be caught.
func (l *lower) catching() bool { return len(l.regions) > 0 || l.f.propagates }

// makeError makes an error object.
func (l *lower) makeError(class string, message value, at file.Idx) value {
	message = l.keep(message)
	name := l.stringConstant(class, at)
	exit := l.exit(ExitThrow, at, "", false) + 1
	p := l.callHelper(helperAlloc, constI32(errorSize))
	for i, x := range []*tree{constI32(classNumber(class)), constI32(int32(exit)), message.n, message.m, name.n, name.m} {
		l.store32(p, uint32(4*i), x)
	}
	return refValue(p, errorT)
}

// raise throws an error object.
func (l *lower) raise(e value) {
	l.emit(setGlobal(globalError, e.n))
	l.unwind()
}

// unwind goes to where the exception in the global is caught.
func (l *lower) unwind() {
	if l.flow == nil {
		return
	}
	if n := len(l.regions); n > 0 {
		r := l.regions[n-1]
		r.flow = merge(r.flow, l.flow)
		r.handler.used = true
		l.emit(&statement{kind: stmtBr, label: r.handler})
		l.flow = nil
		return
	}
	if l.f.propagates {
		values := []*tree{localGet(l.fuel, i64)}
		if !l.f.result.isNever() {
			zero := zeroOf(l.f.result.rep(), never)
			values = append(values, zero.n)
			if zero.m != nil {
				values = append(values, zero.m)
			}
		}
		l.emit(&statement{kind: stmtReturn, values: values})
		l.flow = nil
		return
	}
	for _, s := range append([]*statement{setGlobal(globalFuel, localGet(l.fuel, i64))}, l.uncaught()...) {
		l.emit(s)
	}
	l.flow = nil
}

// uncaught ends the call with the exception in the global.
func (c *compiler) uncaught() []*statement {
	e := globalGet(globalError)
	return []*statement{
		{kind: stmtCall, callee: c.hostImport("raiseError", []valueType{i32}, nil), values: []*tree{e}},
		setGlobal(globalExit, load(opI32Load, e, errorExit)),
		{kind: stmtUnreachable},
	}
}

// throw throws an exception of the store or of a builtin, whose message begins
// with its class.
func (l *lower) throw(cond *tree, at file.Idx, message string) {
	if !l.catching() {
		l.exitIf(cond, ExitThrow, at, message, false)
		return
	}
	class, text, _ := strings.Cut(message, ": ")
	l.branch(cond, func() { l.raise(l.makeError(class, l.stringConstant(text, at), at)) }, nil)
}

// calledFrom marks a function as one whose exceptions a caller looks for.
func (l *lower) calledFrom(target *function) {
	if l.catching() && !target.propagates {
		target.propagates = true
		l.changed = true
	}
}

// afterCall looks whether a call has thrown.
func (l *lower) afterCall(target *function) {
	if !target.propagates {
		return
	}
	if target.result.isNever() {
		l.unwind()
		return
	}
	l.branch(binary2(opI32Ne, globalGet(globalError), constI32(0)), l.unwind, nil)
}

// throwStatement throws; what nothing can catch is not even made.
func (l *lower) throwStatement(s *ast.ThrowStatement) {
	if e, ok := s.Argument.(*ast.NewExpression); ok && !l.catching() {
		if class := l.errorClassOf(e); class != "" {
			l.throwNew(e, class)
			return
		}
	}
	if l.catching() {
		v := l.expr(s.Argument)
		if l.flow == nil {
			return
		}
		if !v.t.only(kError) {
			l.refuse(s.Throw, "throw of "+v.t.describe()+" where it may be caught", `write throw new Error("…")`)
		}
		l.raise(l.keep(v))
		return
	}
	if c, ok := s.Argument.(*ast.StringLiteral); ok && isASCII(c.Value.String()) {
		l.exitIf(constI32(1), ExitThrow, s.Throw, c.Value.String(), false)
		l.flow = nil
		return
	}
	v := l.expr(s.Argument)
	if l.flow == nil {
		return
	}
	if v.t.only(kError) {
		l.raise(l.keep(v))
		return
	}
	l.throwText(v, "", s.Throw)
}

// errorClassOf names the class of new Error(…) and its kin; "" for anything else.
func (l *lower) errorClassOf(e *ast.NewExpression) string {
	id, ok := e.Callee.(*ast.Identifier)
	if !ok || classNumber(id.Name.String()) == 0 || l.isBound(id.Name.String()) || len(e.ArgumentList) > 1 {
		return ""
	}
	return id.Name.String()
}

// newError is new Error(…) as a value.
func (l *lower) newError(e *ast.NewExpression, class string) value {
	message := l.stringConstant("", e.New)
	if len(e.ArgumentList) == 1 {
		x := l.expr(e.ArgumentList[0])
		if l.flow == nil {
			return nothing()
		}
		if !x.t.only(kUndefined) {
			message = l.messageText(x, e.New)
		}
	}
	if l.flow == nil {
		return nothing()
	}
	return l.makeError(class, message, e.New)
}

func (l *lower) messageText(x value, at file.Idx) value {
	if x.t.has(kUndefined | kView) {
		l.refuse(at, "a message that is "+x.t.describe(), "give the error a text")
	}
	return l.simple(l.toText(l.simple(x), at))
}

// throwNew throws a new error that nothing catches.
func (l *lower) throwNew(e *ast.NewExpression, class string) {
	text := ast.Expression(nil)
	if len(e.ArgumentList) == 1 {
		text = e.ArgumentList[0]
	}
	c, isConst := text.(*ast.StringLiteral)
	switch {
	case text == nil:
		l.exitIf(constI32(1), ExitThrow, e.New, class, false)
	case isConst && isASCII(c.Value.String()):
		l.exitIf(constI32(1), ExitThrow, e.New, thrownMessage(class, c.Value.String()), false)
	default:
		if v := l.expr(text); l.flow != nil {
			l.throwText(v, class, e.New)
		}
		return
	}
	l.flow = nil
}

// thrownMessage is what an uncaught exception says.
func thrownMessage(class, text string) string {
	if text == "" {
		return class
	}
	return class + ": " + text
}

// throwText throws a message that is made when it is thrown; class "" throws the
// text itself.
func (l *lower) throwText(v value, class string, at file.Idx) {
	if class == "" && !v.t.only(kString) {
		l.refuse(at, "throw of "+v.t.describe(), `write throw new Error("…")`)
	}
	v = l.messageText(v, at)
	if class != "" {
		l.exitIf(unary(opI32Eqz, v.m), ExitThrow, at, class, false)
		v = l.simple(l.appendText(l.stringConstant(class+": ", at), v))
	}
	l.emit(&statement{kind: stmtCall, callee: l.hostImport("raise", []valueType{i32, i32}, nil), values: []*tree{v.n, v.m}})
	l.exitIf(constI32(1), ExitThrow, at, "", false)
	l.flow = nil
}

// errorField is the message or the name of an error.
func (l *lower) errorField(e value, name string, at file.Idx) value {
	offset := map[string]uint32{"message": errorMessage, "name": errorName}[name]
	if offset == 0 {
		l.refuse(at, "property "+name+" of an error", "errors have a message and a name")
	}
	return pairValue(l.temp(load(opI32Load, e.n, offset)), l.temp(load(opI32Load, e.n, offset+4)), wideT)
}

// errorText is String(e): name and message.
func (l *lower) errorText(e value, at file.Idx) value {
	e = l.keep(e)
	name, message := l.errorField(e, "name", at), l.errorField(e, "message", at)
	empty := l.temp(unary(opI32Eqz, message.m))
	yes, no := l.ways(empty)
	return l.either(nil, empty, yes, no, func() value { return name }, func() value {
		return l.appendText(l.appendText(name, l.stringConstant(": ", at)), message)
	}, at)
}

// tryStatement lowers try with catch, finally or both.
func (l *lower) tryStatement(s *ast.TryStatement) {
	if s.Finally == nil {
		l.tryCatch(s)
		return
	}
	r := &region{handler: &label{}, finally: s.Finally, scope: l.scope, ret: l.ret, jumps: len(l.jumps)}
	l.guarded(r, func() {
		if s.Catch != nil {
			l.tryCatch(s)
		} else {
			l.block(s.Body.List)
		}
	}, func() { l.finallyCode(r) }, func() {
		e := l.newLocal(i32)
		l.stable[e] = true
		l.emit(setLocal(e, globalGet(globalError)))
		l.emit(setGlobal(globalError, constI32(0)))
		l.finallyCode(r)
		if l.flow != nil {
			l.raise(refValue(localGet(e, i32), errorT))
		}
	})
}

// guarded lowers body under a region, then what follows it where it has ended
// normally, and the handler where it has not.
func (l *lower) guarded(r *region, body, then, handler func()) {
	end := &label{}
	var after *flow
	l.wrap(end, func() {
		var onward *flow
		l.wrap(r.handler, func() {
			l.regions = append(l.regions, r)
			body()
			l.regions = l.regions[:len(l.regions)-1]
			if l.flow != nil {
				then()
			}
			if l.flow != nil && r.handler.used {
				onward = l.flow
				end.used = true
				l.emit(&statement{kind: stmtBr, label: end})
				l.flow = nil
			}
		})
		after = onward
		if r.handler.used {
			l.flow = r.flow
			handler()
		}
	})
	l.flow = merge(l.flow, after)
}

func (l *lower) tryCatch(s *ast.TryStatement) {
	r := &region{handler: &label{}, scope: l.scope, ret: l.ret, jumps: len(l.jumps)}
	l.guarded(r, func() { l.block(s.Body.List) }, func() {}, func() {
		e := l.newLocal(i32)
		l.stable[e] = true
		l.emit(setLocal(e, globalGet(globalError)))
		l.emit(setGlobal(globalError, constI32(0)))
		outer := l.scope
		l.scope = newScope(outer)
		if s.Catch.Parameter != nil {
			l.bind(s.Catch.Parameter, refValue(localGet(e, i32), errorT), bindLet)
		}
		if l.flow != nil {
			l.block(s.Catch.Body.List)
		}
		l.scope = outer
	})
}

// finallyCode lowers the block of a finally where one of the ways out of its try
// has come by. Each way has a copy.
func (l *lower) finallyCode(r *region) {
	scope, jumps, regions := l.scope, l.jumps, l.regions
	l.scope, l.jumps = r.scope, l.jumps[:r.jumps:r.jumps]
	for i, x := range l.regions {
		if x == r {
			l.regions = l.regions[:i:i]
			break
		}
	}
	l.block(r.finally.List)
	l.scope, l.jumps, l.regions = scope, jumps, regions
}

// leaveRegions runs what the tries around this point do finally, from the
// innermost on: those of this body that lie within the jump of that number.
func (l *lower) leaveRegions(jump int) {
	for i := len(l.regions) - 1; i >= 0 && l.flow != nil; i-- {
		r := l.regions[i]
		if r.ret != l.ret || r.jumps <= jump {
			return
		}
		if r.finally != nil {
			l.finallyCode(r)
		}
	}
}

// hasFinally says that a return here runs code first.
func (l *lower) hasFinally() bool {
	for _, r := range l.regions {
		if r.ret == l.ret && r.finally != nil {
			return true
		}
	}
	return false
}
