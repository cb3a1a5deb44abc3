package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"

	"shredder/jit/syntax"
)

// hoist declares what a function's body declares as a whole: its var names,
// undefined at first, and its function declarations.
func (l *lower) hoist(list []ast.Statement) {
	for _, s := range list {
		syntax.Walk(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.ClassLiteral:
				return false
			case *ast.VariableStatement:
				l.hoistVars(n.List)
			case *ast.ForLoopInitializerVarDeclList:
				l.hoistVars(n.List)
			case *ast.ForIntoVar:
				l.hoistVars([]*ast.Binding{n.Binding})
			}
			return true
		})
	}
	l.hoistFunctions(list)
}

func (l *lower) hoistVars(list []*ast.Binding) {
	for _, b := range list {
		namesIn(b.Target, func(id *ast.Identifier) {
			name := id.Name.String()
			if l.scope.names[name] != nil {
				return // a parameter, or declared twice
			}
			l.assign(l.declareVariable(id, name, false), undefinedValue(), id.Idx)
		})
	}
}

// hoistFunctions declares the functions of a block.
func (l *lower) hoistFunctions(list []ast.Statement) {
	for _, s := range list {
		if f, ok := s.(*ast.FunctionDeclaration); ok {
			l.scope.names[f.Function.Name.Name.String()] = &binding{closure: &closure{f.Function, l.scope}, declared: true}
		}
	}
}

// declareLexical enters the let and const names of a block, not yet declared.
func (l *lower) declareLexical(list []ast.Statement) {
	for _, s := range list {
		d, ok := s.(*ast.LexicalDeclaration)
		if !ok {
			continue
		}
		for _, b := range d.List {
			namesIn(b.Target, func(id *ast.Identifier) { l.scope.names[id.Name.String()] = &binding{} })
		}
	}
}

func (l *lower) statements(list []ast.Statement) {
	l.declareLexical(list)
	for _, s := range list {
		if l.flow == nil {
			return
		}
		l.statement(s)
	}
}

func (l *lower) block(list []ast.Statement) {
	outer := l.scope
	l.scope = newScope(outer)
	l.hoistFunctions(list)
	l.statements(list)
	l.scope = outer
}

func (l *lower) count(n int) {
	if l.work += n; l.work > maxWork {
		l.refuse(l.f.literal.Function, "function "+l.f.name, "it takes too long to compile: split it up")
	}
}

func (l *lower) statement(s ast.Statement) {
	l.count(1)
	switch s := s.(type) {
	case *ast.BlockStatement:
		l.block(s.List)
	case *ast.EmptyStatement, *ast.FunctionDeclaration, *ast.DebuggerStatement:
	case *ast.ExpressionStatement:
		l.effect(s.Expression)
	case *ast.VariableStatement:
		for _, b := range s.List {
			if b.Initializer != nil && l.flow != nil {
				l.bindFrom(b.Target, b.Initializer, bindVar)
			}
		}
	case *ast.LexicalDeclaration:
		l.lexical(s)
	case *ast.IfStatement:
		l.ifStatement(s)
	case *ast.ReturnStatement:
		if s.Argument == nil {
			l.returnValue(undefinedValue(), s.Return)
		} else {
			l.returnExpr(s.Argument, s.Return)
		}
	case *ast.ForStatement, *ast.WhileStatement, *ast.DoWhileStatement, *ast.ForOfStatement:
		l.loopStatement(s, nil)
	case *ast.SwitchStatement:
		l.switchStatement(s, nil)
	case *ast.LabelledStatement:
		l.labelled(s)
	case *ast.BranchStatement:
		l.branchStatement(s)
	case *ast.ThrowStatement:
		l.throwStatement(s)
	case *ast.ForInStatement:
		l.refuse(s.For, "for … in", "loop over an array with for … of")
	case *ast.TryStatement:
		l.tryStatement(s)
	case *ast.ClassDeclaration:
		l.refuse(s.Class.Class, "a class", "use functions")
	default:
		l.refuse(s.Idx0(), "this statement", "write it otherwise")
	}
}

// effect lowers an expression for its effect only.
func (l *lower) effect(e ast.Expression) {
	switch e := e.(type) {
	case *ast.AssignExpression:
		if p, list := isApart(e.Left, e.Right); p != nil && e.Operator == token.ASSIGN {
			l.bindItems(p, list, bindAssign)
			return
		}
	case *ast.UnaryExpression:
		if e.Operator == token.INCREMENT || e.Operator == token.DECREMENT {
			l.step(e, false)
			return
		}
	case *ast.BinaryExpression:
		if e.Operator == token.LOGICAL_AND || e.Operator == token.LOGICAL_OR {
			c, yes, no := l.cond(e.Left)
			if e.Operator == token.LOGICAL_OR {
				c, yes, no = not(c), no, yes
			}
			l.split(c, yes, no, func() { l.effect(e.Right) }, nil)
			return
		}
	case *ast.ConditionalExpression:
		c, yes, no := l.cond(e.Test)
		l.split(c, yes, no, func() { l.effect(e.Consequent) }, func() { l.effect(e.Alternate) })
		return
	}
	l.expr(e)
}

// findVariable resolves the target of a var declaration.
func (l *lower) findVariable(target ast.BindingTarget) *variable {
	id, ok := target.(*ast.Identifier)
	if !ok {
		l.refuse(target.Idx0(), "this variable", "give it a name")
	}
	b := l.scope.find(id.Name.String())
	if b == nil || b.variable == nil {
		l.refuse(id.Idx, "variable "+id.Name.String(), "give it a name of its own")
	}
	return b.variable
}

func (l *lower) lexical(s *ast.LexicalDeclaration) {
	for _, b := range s.List {
		id, ok := b.Target.(*ast.Identifier)
		if !ok {
			mode := bindLet
			if s.Token == token.CONST {
				mode = bindConst
			}
			if l.bindFrom(b.Target, b.Initializer, mode); l.flow == nil {
				return
			}
			continue
		}
		name := id.Name.String()
		switch b.Initializer.(type) {
		case *ast.ArrowFunctionLiteral, *ast.FunctionLiteral:
			if s.Token != token.CONST {
				l.refuse(id.Idx, "a function in a variable that can change", "declare it with const")
			}
			l.scope.names[name] = &binding{closure: &closure{b.Initializer, l.scope}, declared: true}
			continue
		}
		if object, ok := b.Initializer.(*ast.ObjectLiteral); ok && s.Token == token.CONST && isPlain(object) && !l.escaped[object] {
			l.declareRecord(id, object)
			continue
		}
		x := undefinedValue()
		if b.Initializer != nil {
			x = l.expr(b.Initializer)
		}
		v := l.declareVariable(id, name, s.Token == token.CONST)
		l.assign(v, x, id.Idx)
		if l.flow == nil {
			return
		}
	}
}

// split goes on two ways with what is known on each, and joins them.
func (l *lower) split(c *tree, yes, no *flow, then, other func()) {
	if yes == nil || no == nil {
		l.flow = yes
		f := then
		if yes == nil {
			l.flow, f = no, other
		}
		if f != nil && l.flow != nil {
			f()
		}
		return
	}
	s := &statement{kind: stmtIf, value: c}
	l.flow = yes
	l.emit(s)
	s.body = l.into(then)
	after := l.flow
	l.flow = no
	if other != nil {
		s.other = l.into(other)
	}
	l.flow = merge(after, l.flow)
	if len(s.body) == 0 && len(s.other) > 0 {
		s.value, s.body, s.other = not(s.value), s.other, nil
	}
}

func (l *lower) ifStatement(s *ast.IfStatement) {
	c, yes, no := l.cond(s.Test)
	var other func()
	if s.Alternate != nil {
		other = func() { l.statement(s.Alternate) }
	}
	l.split(c, yes, no, func() { l.statement(s.Consequent) }, other)
}

// returnExpr returns an expression's value; a choice becomes two returns, whose
// types may differ.
func (l *lower) returnExpr(e ast.Expression, at file.Idx) {
	if x, ok := e.(*ast.ConditionalExpression); ok {
		c, yes, no := l.cond(x.Test)
		l.split(c, yes, no, func() { l.returnExpr(x.Consequent, at) }, func() { l.returnExpr(x.Alternate, at) })
		return
	}
	if l.hasFinally() || !l.returnObject(e, at) {
		l.returnValue(l.expr(e), at)
	}
}

// returnValue ends the function, or the inlined body, with a value.
func (l *lower) returnValue(v value, at file.Idx) {
	if l.flow == nil || v.isNever() {
		l.flow = nil
		return
	}
	if l.hasFinally() {
		v = l.keep(v)
		if l.leaveRegions(-1); l.flow == nil {
			return
		}
	}
	if l.ret.inlined {
		l.assign(l.inst.resultVar, v, at)
		if l.flow != nil {
			l.ret.end.used = true
			l.emit(&statement{kind: stmtBr, label: l.ret.end})
			l.ret.flow = merge(l.ret.flow, l.flow)
		}
		l.flow = nil
		return
	}
	if l.f == l.compiler.entry {
		if _, ok := join(l.f.result, v.t); !ok && !l.f.mixed && !v.t.has(kHeap) {
			l.f.mixed, l.f.result = true, never
			panic(again{})
		}
		if v.t.has(kHeap) || l.f.mixed && v.t.has(kString|kView|kValue) {
			if l.returnHeap(v, at); l.flow == nil {
				return
			}
			v = value{t: Type{k: kJSON}, rep: repI32, n: constI32(codeJSON)}
		}
	}
	l.f.result = l.joinType(l.f.result, v.t, &l.f.turns, at)
	v = l.simple(l.convert(v, l.f.result))
	values := []*tree{localGet(l.fuel, i64), v.n}
	if v.m != nil {
		values = append(values, v.m)
	}
	l.emit(&statement{kind: stmtReturn, values: values})
	l.flow = nil
}

// returnHeap has the host keep the call's result: an object as JSON, text or
// bytes. Nil in its place is returned.
func (l *lower) returnHeap(v value, at file.Idx) {
	if v.t.has(kNil) {
		v = l.keep(v)
		c := v.isNil()
		yes, no := l.ways(c)
		l.split(c, yes, no, func() { l.returnValue(value{t: Type{k: v.t.k & kNil}, rep: repRef, n: v.n, m: constI32(0)}, at) }, nil)
		v.t = v.t.without(kNil)
	}
	switch {
	case l.flow == nil:
	case v.t.only(kString), v.t.only(kView), v.t.only(kValue):
		l.giveResult(l.keep(v), at)
	default:
		l.jsonOf(v, at)
	}
}

func (l *lower) labelled(s *ast.LabelledStatement) {
	names := []string{s.Label.Name.String()}
	body := s.Statement
	for {
		inner, ok := body.(*ast.LabelledStatement)
		if !ok {
			break
		}
		names = append(names, inner.Label.Name.String())
		body = inner.Statement
	}
	switch b := body.(type) {
	case *ast.ForStatement, *ast.WhileStatement, *ast.DoWhileStatement, *ast.ForOfStatement:
		l.loopStatement(b, names)
	case *ast.SwitchStatement:
		l.switchStatement(b, names)
	default:
		j := &jump{names: names, end: &label{}, ret: l.ret}
		l.jumps = append(l.jumps, j)
		l.wrap(j.end, func() { l.statement(body) })
		l.jumps = l.jumps[:len(l.jumps)-1]
		l.flow = merge(l.flow, j.endFlow)
	}
}

// wrap puts what f emits into a block that br to end leaves.
func (l *lower) wrap(end *label, f func()) {
	start := l.flow
	code := l.into(f)
	after := l.flow
	l.flow = start
	if end.used {
		l.emit(&statement{kind: stmtBlock, label: end, body: code})
	} else {
		*l.out = append(*l.out, code...)
	}
	l.flow = after
}

func (l *lower) branchStatement(s *ast.BranchStatement) {
	name := ""
	if s.Label != nil {
		name = s.Label.Name.String()
	}
	for i := len(l.jumps) - 1; i >= 0; i-- {
		j := l.jumps[i]
		if j.ret != l.ret {
			break
		}
		named := false
		for _, n := range j.names {
			named = named || n == name
		}
		isBreak := s.Token == token.BREAK
		if name != "" && !named || name == "" && !j.isLoop && (!isBreak || !j.isSwitch) || !isBreak && !j.isLoop {
			continue
		}
		if l.leaveRegions(i); l.flow == nil {
			return
		}
		target := j.end
		if isBreak {
			j.endFlow = merge(j.endFlow, l.flow)
		} else {
			target = j.next
			j.onward = merge(j.onward, l.flow)
		}
		target.used = true
		l.emit(&statement{kind: stmtBr, label: target})
		l.flow = nil
		return
	}
	l.refuse(s.Idx, "break or continue to a place outside the function", "use return")
}

func (l *lower) switchStatement(s *ast.SwitchStatement, names []string) {
	d := l.simple(l.expr(s.Discriminant))
	if l.flow == nil {
		return
	}
	outer := l.scope
	l.scope = newScope(outer)
	for _, c := range s.Body {
		l.hoistFunctions(c.Consequent)
		l.declareLexical(c.Consequent)
	}
	j := &jump{names: names, isSwitch: true, end: &label{}, ret: l.ret}
	l.jumps = append(l.jumps, j)
	l.wrap(j.end, func() {
		entries := make([]*flow, len(s.Body))
		labels := make([]*label, len(s.Body))
		for i := range labels {
			labels[i] = &label{used: true}
		}
		code := l.into(func() { l.dispatch(s, d, labels, entries, j) })
		l.flow = nil
		for i, c := range s.Body {
			// The code so far ends behind the jump to this case.
			code = []*statement{{kind: stmtBlock, label: labels[i], body: code}}
			l.flow = merge(l.flow, entries[i])
			code = append(code, l.into(func() {
				for _, st := range c.Consequent {
					if l.flow != nil {
						l.statement(st)
					}
				}
			})...)
		}
		*l.out = append(*l.out, code...)
	})
	l.jumps = l.jumps[:len(l.jumps)-1]
	l.scope = outer
	l.flow = merge(l.flow, j.endFlow)
}

// dispatch compares the discriminant with the cases in order.
func (l *lower) dispatch(s *ast.SwitchStatement, d value, labels []*label, entries []*flow, j *jump) {
	enter := func(i int, cond *tree) {
		if l.flow == nil || cond != nil && cond.isConst() && cond.imm == 0 {
			return
		}
		entries[i] = merge(entries[i], l.flow.clone())
		if cond == nil || cond.isConst() {
			l.emit(&statement{kind: stmtBr, label: labels[i]})
			l.flow = nil
			return
		}
		l.emit(&statement{kind: stmtBrIf, value: cond, label: labels[i]})
	}
	for i, c := range s.Body {
		if c.Test == nil || l.flow == nil {
			continue
		}
		v := l.expr(c.Test)
		if l.flow == nil {
			return
		}
		enter(i, l.strictEquals(d, v, c.Test.Idx0()))
	}
	if s.Default >= 0 {
		enter(s.Default, nil)
		return
	}
	if l.flow != nil {
		j.end.used = true
		j.endFlow = merge(j.endFlow, l.flow)
		l.emit(&statement{kind: stmtBr, label: j.end})
		l.flow = nil
	}
}

// isBound says that the library gives the name a meaning of its own.
func (l *lower) isBound(name string) bool {
	return l.scope.find(name) != nil || l.Library.functions[name] != nil || l.Library.constants[name] != nil || l.Library.bound[name] != nil
}
