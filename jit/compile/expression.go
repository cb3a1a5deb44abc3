package compile

import (
	"math"
	"math/big"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
)

// expr lowers an expression. Behind a value that is never there, flow is nil.
func (l *lower) expr(e ast.Expression) value {
	l.count(1)
	if l.flow == nil {
		return nothing()
	}
	v := l.exprOf(e)
	if v.isNever() {
		l.flow = nil
	}
	return v
}

func (l *lower) exprOf(e ast.Expression) value {
	switch e := e.(type) {
	case *ast.NumberLiteral:
		return l.numberLiteral(e)
	case *ast.BooleanLiteral:
		return boolValue(constI32(int32(b2i(e.Value))))
	case *ast.NullLiteral:
		return nullValue()
	case *ast.StringLiteral:
		return l.literal(e.Value)
	case *ast.TemplateLiteral:
		return l.template(e)
	case *ast.Identifier:
		return l.identifier(e)
	case *ast.UnaryExpression:
		return l.unaryExpr(e)
	case *ast.BinaryExpression:
		return l.binaryExpr(e)
	case *ast.AssignExpression:
		return l.assignment(e)
	case *ast.ConditionalExpression:
		c, yes, no := l.cond(e.Test)
		return l.either(e, c, yes, no, func() value { return l.expr(e.Consequent) }, func() value { return l.expr(e.Alternate) }, e.Test.Idx0())
	case *ast.SequenceExpression:
		for _, x := range e.Sequence[:len(e.Sequence)-1] {
			l.effect(x)
		}
		return l.expr(e.Sequence[len(e.Sequence)-1])
	case *ast.CallExpression:
		return l.call(e)
	case *ast.DotExpression:
		return l.dot(e)
	case *ast.BracketExpression:
		return l.bracket(e)
	case *ast.OptionalChain:
		return l.optionalChain(e)
	case *ast.Optional:
		return l.optionalLink(e)
	case *ast.NewExpression:
		return l.newExpr(e)
	case *ast.ArrayLiteral:
		return l.arrayLiteral(e)
	case *ast.ObjectLiteral:
		return l.heapRecord(e)
	case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
		l.refuse(e.Idx0(), "a function as a value", "call it by its name")
	case *ast.RegExpLiteral:
		l.refuse(e.Idx, "a regular expression", "compare characters with charCodeAt")
	case *ast.ThisExpression:
		l.refuse(e.Idx, "this", "pass the value as a parameter")
	}
	l.refuse(e.Idx0(), "this expression", "write it with numbers, strings and typed arrays")
	return nothing()
}

func (l *lower) numberLiteral(e *ast.NumberLiteral) value {
	switch n := e.Value.(type) {
	case int64:
		return constNumber(float64(n))
	case int:
		return constNumber(float64(n))
	case float64:
		return constNumber(n)
	case *big.Int:
		l.refuse(e.Idx, "a BigInt", "use numbers up to 2^53")
	}
	l.refuse(e.Idx, "this number", "write it in decimal")
	return nothing()
}

func (l *lower) identifier(e *ast.Identifier) value {
	name := e.Name.String()
	if b := l.scope.find(name); b != nil {
		switch {
		case b.closure != nil:
			l.refuse(e.Idx, "function "+name+" as a value", "call it")
		case b.record != nil:
			l.escaped[b.record.literal] = true // next time in memory
			panic(again{})
		case !b.declared:
			l.refuse(e.Idx, "variable "+name+" before its declaration", "declare it first")
		}
		return l.read(b.variable)
	}
	if init := l.Library.constants[name]; init != nil {
		return l.constant(name, init, e.Idx)
	}
	if l.Library.functions[name] != nil {
		l.refuse(e.Idx, "function "+name+" as a value", "call it")
	}
	if l.Library.bound[name] != nil {
		l.refuse(e.Idx, "the module variable "+name, "keep state in the store; what never changes may be a module-level const")
	}
	switch name {
	case "undefined":
		return undefinedValue()
	case "NaN":
		return numberValue(constF64(math.NaN()))
	case "Infinity":
		return numberValue(constF64(math.Inf(1)))
	}
	l.refuse(e.Idx, "the name "+name, "compiled functions know parameters, variables, constants, store, Math and request")
	return nothing()
}

// constant is the value of a module-level constant: one that its initialiser
// shows to be a constant number, string, boolean or nil.
func (l *lower) constant(name string, init ast.Expression, at file.Idx) value {
	if v, ok := l.compiler.constants[name]; ok {
		return v
	}
	if v, ok := l.table(init, at); ok {
		return v
	}
	sub := &lower{compiler: l.compiler, f: &function{name: name, literal: l.f.literal}, inst: newInstance(), flow: newFlow(),
		stable: map[int]bool{}, scope: newScope(nil), ret: &returns{}}
	var code []*statement
	sub.out = &code
	v := sub.expr(init)
	if len(code) > 0 || v.isNever() || !v.n.isConst() || v.rep == repPair {
		if s, ok := init.(*ast.StringLiteral); ok {
			return l.literal(s.Value)
		}
		l.refuse(at, "module constant "+name, "give it a constant number, string or boolean")
	}
	l.compiler.constants[name] = v
	return v
}

// either is c ? a : b with different things known on each way.
func (l *lower) either(key any, c *tree, yes, no *flow, a, b func() value, at file.Idx) value {
	if yes == nil || no == nil {
		l.flow = yes
		if yes == nil {
			l.flow, a = no, b
		}
		if l.flow == nil {
			return nothing()
		}
		return a()
	}
	var x, y value
	l.flow = yes
	first := l.into(func() { x = a() })
	afterX := l.flow
	l.flow = no
	second := l.into(func() { y = b() })
	afterY := l.flow
	t, ok := join(x.t, y.t)
	if !ok {
		l.refuse(at, "a choice between "+x.t.describe()+" and "+y.t.describe(), "use an if with a variable for each")
	}
	if afterX != nil && afterY != nil && len(first) == 0 && len(second) == 0 && l.isCheap(x) && l.isCheap(y) {
		l.flow = merge(afterX, afterY)
		c = l.temp(c)
		x, y = l.convert(x, t), l.convert(y, t)
		out := value{t: t, rep: t.rep(), n: choose(c, x.n, y.n)}
		if x.m != nil {
			out.m = choose(c, x.m, y.m)
		}
		return out
	}
	l.flow = merge(afterX, afterY)
	if l.flow == nil {
		l.flow = newFlow() // so that the code is kept; the caller sees never
		l.emit(&statement{kind: stmtIf, value: c, body: first, other: second})
		l.flow = nil
		return nothing()
	}
	out := value{t: t, rep: t.rep()}
	var locals []int
	for i, vt := range out.rep.valueTypes() {
		n := l.newLocal(vt)
		l.stable[n] = true
		locals = append(locals, n)
		if i == 0 {
			out.n = localGet(n, vt)
		} else {
			out.m = localGet(n, vt)
		}
	}
	finish := func(code []*statement, v value, reached bool) []*statement {
		if !reached {
			return code
		}
		code = append(code, l.into(func() { v = l.convert(v, t) })...)
		code = append(code, setLocal(locals[0], v.n))
		if v.m != nil {
			code = append(code, setLocal(locals[1], v.m))
		}
		return code
	}
	l.emit(&statement{kind: stmtIf, value: c, body: finish(first, x, afterX != nil), other: finish(second, y, afterY != nil)})
	return out
}

// isCheap says that a value may be computed though it is not needed.
func (l *lower) isCheap(v value) bool {
	return treeSize(v.n) <= 4 && isPure(v.n) && (v.m == nil || treeSize(v.m) <= 4 && isPure(v.m))
}

func treeSize(t *tree) int {
	n := 1
	for _, a := range t.args {
		n += treeSize(a)
	}
	return n
}

// isPure says that a tree has no loads, which can trap where their guard has
// not been passed.
func isPure(t *tree) bool {
	if t.op >= opI32Load && t.op <= opI64Load32U || t.op == opI64DivS || t.op == opI64RemS {
		return false
	}
	for _, a := range t.args {
		if !isPure(a) {
			return false
		}
	}
	return true
}

func (l *lower) unaryExpr(e *ast.UnaryExpression) value {
	switch e.Operator {
	case token.INCREMENT, token.DECREMENT:
		return l.step(e, true)
	case token.NOT:
		c, yes, no := l.cond(e.Operand)
		l.flow = merge(yes, no)
		return boolValue(not(c))
	case token.VOID:
		l.effect(e.Operand)
		return undefinedValue()
	case token.TYPEOF:
		return l.typeofExpr(e)
	case token.DELETE:
		l.refuse(e.Idx, "delete", "set the field to undefined")
	}
	v := l.expr(e.Operand)
	if l.flow == nil {
		return nothing()
	}
	v = l.number(l.simple(v), e.Idx)
	switch e.Operator {
	case token.PLUS:
		return v
	case token.MINUS:
		return l.negate(v, e.Idx)
	case token.BITWISE_NOT:
		i := l.toInt32(v)
		return intValue(binary2(opI64Xor, i.n, constI64(-1)), intT(^i.t.hi, ^i.t.lo))
	}
	l.refuse(e.Idx, e.Operator.String(), "write it otherwise")
	return nothing()
}

// number refuses what has no number value in compiled code, and gives ToNumber.
func (l *lower) number(v value, at file.Idx) value {
	if v.t.has(kString) && v.t.only(kString|kNil) {
		return l.numberOfText(v)
	}
	if v.t.has(kValue) && v.t.only(kValue|kNil) {
		return l.numberOfValue(v, at)
	}
	if !v.t.only(kPrimitive) {
		l.refuse(at, v.t.describe()+" used as a number", "convert it, or test for undefined first")
	}
	t := numeric(v.t)
	if t.only(kInt) {
		return intValue(l.simple(v).integer(), t)
	}
	if v.t.only(kNumber) {
		return v
	}
	return numberValue(l.simple(v).double())
}

func (l *lower) negate(v value, at file.Idx) value {
	if !v.t.only(kInt) {
		return numberValue(unary(opF64Neg, v.n))
	}
	if n, ok := v.constant(); ok {
		return constNumber(-float64(n))
	}
	if v.t.lo <= 0 && v.t.hi >= 0 {
		if l.isWide(at, guardZero) {
			return numberValue(unary(opF64Neg, v.double()))
		}
		l.guard(unary(opI64Eqz, v.n), at, guardZero)
	}
	return intValue(binary2(opI64Sub, constI64(0), v.n), intT(-v.t.hi, -v.t.lo))
}

// step is ++ and −−.
func (l *lower) step(e *ast.UnaryExpression, needed bool) value {
	op := token.PLUS
	if e.Operator == token.DECREMENT {
		op = token.MINUS
	}
	var old value
	place := l.place(e.Operand)
	old = l.simple(l.number(l.simple(place.get()), e.Operand.Idx0()))
	if l.flow == nil {
		return nothing()
	}
	fresh := l.arithmetic(op, old, constNumber(1), e.Idx0())
	if needed {
		fresh = l.simple(fresh)
	}
	place.set(fresh)
	if e.Postfix {
		return old
	}
	return fresh
}

func (l *lower) assignment(e *ast.AssignExpression) value {
	switch e.Operator {
	case token.ASSIGN:
		if id, ok := e.Left.(*ast.Identifier); ok {
			v := l.variableOf(id)
			x := l.expr(e.Right)
			if l.flow == nil {
				return nothing()
			}
			l.assign(v, x, id.Idx)
			if l.flow == nil {
				return nothing()
			}
			return l.read(v)
		}
		switch e.Left.(type) {
		case *ast.ArrayPattern, *ast.ObjectPattern:
			x := l.keep(l.expr(e.Right))
			l.bind(e.Left, x, bindAssign)
			return x
		}
		place := l.place(e.Left)
		mark := l.mark()
		x := l.simple(l.hold(l.expr(e.Right), mark))
		if l.flow == nil {
			return nothing()
		}
		place.set(x)
		return x
	case token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE:
		id, ok := e.Left.(*ast.Identifier)
		if !ok {
			l.refuse(e.Left.Idx0(), "a logical assignment to an element", "write it with if")
		}
		return l.expr(&ast.BinaryExpression{Operator: e.Operator, Left: e.Left,
			Right: &ast.AssignExpression{Operator: token.ASSIGN, Left: id, Right: e.Right}})
	}
	place := l.place(e.Left)
	mark := l.mark()
	old := place.get()
	if l.flow == nil {
		return nothing()
	}
	mark = l.mark()
	right := l.expr(e.Right)
	if l.flow == nil {
		return nothing()
	}
	x := l.simple(l.operate(e.Operator, l.hold(old, mark), right, e.Left.Idx0()))
	if l.flow == nil {
		return nothing()
	}
	place.set(x)
	return x
}

func (l *lower) variableOf(id *ast.Identifier) *variable {
	name := id.Name.String()
	b := l.scope.find(name)
	switch {
	case b == nil || b.closure != nil || b.record != nil:
		l.refuse(id.Idx, "assignment to "+name, "assign to a variable of the function")
	case !b.declared:
		l.refuse(id.Idx, "variable "+name+" before its declaration", "declare it first")
	case b.variable.constant:
		l.refuse(id.Idx, "assignment to the constant "+name, "declare it with let")
	}
	return b.variable
}

// place is something that can be read and assigned; what it depends on has
// been evaluated once.
type place struct {
	get func() value
	set func(value)
}

func (l *lower) place(e ast.Expression) place {
	switch e := e.(type) {
	case *ast.Identifier:
		v := l.variableOf(e)
		return place{func() value { return l.read(v) }, func(x value) { l.assign(v, x, e.Idx) }}
	case *ast.BracketExpression:
		return l.elementPlace(e)
	case *ast.DotExpression:
		if r := l.recordNamed(e.Left); r != nil {
			if v := r.fields[e.Identifier.Name.String()]; v != nil {
				return place{func() value { return l.read(v) }, func(x value) { l.assign(v, x, e.Identifier.Idx) }}
			}
			l.refuse(e.Identifier.Idx, "a field that the object does not have from the start", "write it where the object is made")
		}
		return l.fieldPlace(e)
	}
	l.refuse(e.Idx0(), "this assignment", "assign to one variable or element at a time")
	return place{}
}

// fieldPlace is a field of an object in memory, or the length of an array.
func (l *lower) fieldPlace(e *ast.DotExpression) place {
	none := place{func() value { return nothing() }, func(value) {}}
	v := l.expr(e.Left)
	if l.flow == nil {
		return none
	}
	v = l.present(l.keep(v), e.Left.Idx0())
	name := e.Identifier.Name.String()
	if l.flow == nil {
		return none
	}
	if !v.t.only(kRecord) {
		l.refuse(e.Identifier.Idx, "assignment to property "+name+" of "+v.t.describe(), "use variables, arrays and objects of fixed shape")
	}
	i := v.t.cell().field(name)
	if i < 0 {
		l.refuse(e.Identifier.Idx, "a field that the object does not have from the start", "write it where the object is made")
	}
	return place{func() value { return l.recordField(v, i) }, func(x value) { l.setField(v, i, l.keep(x), e.Identifier.Idx) }}
}
