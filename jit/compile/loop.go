package compile

import "github.com/dop251/goja/ast"

// loopStatement lowers any loop but for … in.
func (l *lower) loopStatement(s ast.Statement, names []string) {
	if l.loops++; l.loops > maxLoopDepth {
		l.refuse(s.Idx0(), "loops nested this deeply", "move the inner ones into a function")
	}
	outer := l.scope
	l.scope = newScope(outer)
	switch s := s.(type) {
	case *ast.ForStatement:
		l.forInitializer(s.Initializer)
		if l.flow != nil {
			l.loop(s, names, s.Test, s.Body, s.Update, false)
		}
	case *ast.WhileStatement:
		l.loop(s, names, s.Test, s.Body, nil, false)
	case *ast.DoWhileStatement:
		l.loop(s, names, s.Test, s.Body, nil, true)
	case *ast.ForOfStatement:
		l.forOf(s, names)
	}
	l.scope = outer
	l.loops--
}

func (l *lower) forInitializer(init ast.ForLoopInitializer) {
	switch init := init.(type) {
	case nil:
	case *ast.ForLoopInitializerExpression:
		l.effect(init.Expression)
	case *ast.ForLoopInitializerVarDeclList:
		for _, b := range init.List {
			if b.Initializer != nil && l.flow != nil {
				l.initialise(b, l.findVariable(b.Target))
			}
		}
	case *ast.ForLoopInitializerLexicalDecl:
		l.lexical(&init.LexicalDeclaration)
	}
}

// loopHead begins a loop at the current point: the types are those of all ways
// that lead there. back ends it with what is known at the back edge.
func (l *lower) loopHead(key any) (back func()) {
	state := l.inst.loops[key]
	if state == nil {
		state = &loopState{types: map[*variable]Type{}, turns: map[*variable]int{}}
		l.inst.loops[key] = state
	}
	head := l.flow.clone()
	for v, t := range head.types {
		if u, ok := state.types[v]; ok {
			head.types[v], _ = join(t, u)
		}
	}
	// Facts hold on if nothing in the loop assigns their variables, which the
	// passes do not know yet: drop them, the loop's test makes them anew.
	head.facts = map[fact]bool{}
	l.flow = head.clone()
	return func() {
		if l.flow == nil {
			return
		}
		for v, t := range head.types {
			u, ok := l.flow.types[v]
			if !ok {
				continue
			}
			if j, _ := join(t, u); j != t {
				if state.turns[v]++; state.turns[v] > 2 {
					j = j.widen(t)
				}
				state.types[v], _ = join(state.types[v], j)
				l.changed = true
			}
		}
	}
}

// loop lowers the common shape of for, while and do.
func (l *lower) loop(key ast.Statement, names []string, test ast.Expression, body ast.Statement, update ast.Expression, testLast bool) {
	j := &jump{names: names, isLoop: true, end: &label{}, next: &label{}, ret: l.ret}
	head := &label{used: true}
	l.wrap(j.end, func() {
		back := l.loopHead(key)
		code := l.into(func() {
			if test != nil && !testLast {
				l.leaveUnless(test, j)
			}
			if l.flow == nil {
				return
			}
			l.burn(l.costs[key])
			l.jumps = append(l.jumps, j)
			l.wrap(j.next, func() { l.statement(body) })
			l.jumps = l.jumps[:len(l.jumps)-1]
			l.flow = merge(l.flow, j.onward)
			if l.flow != nil && update != nil {
				l.effect(update)
			}
			if l.flow != nil && testLast {
				l.leaveUnless(test, j)
			}
			if l.flow != nil {
				l.emit(&statement{kind: stmtBr, label: head})
			}
			back()
		})
		*l.out = append(*l.out, &statement{kind: stmtLoop, label: head, body: code})
		l.flow = nil
	})
	l.flow = merge(l.flow, j.endFlow)
}

// leaveUnless leaves the loop when its test fails.
func (l *lower) leaveUnless(test ast.Expression, j *jump) {
	c, yes, no := l.cond(test)
	if no != nil {
		j.end.used = true
		j.endFlow = merge(j.endFlow, no)
		l.flow = no
		if yes == nil {
			l.emit(&statement{kind: stmtBr, label: j.end})
		} else {
			l.emit(&statement{kind: stmtBrIf, value: not(c), label: j.end})
		}
	}
	l.flow = yes
}

// forOf walks a typed array or an array by index, as their iterators do: the
// length is looked at before each turn.
func (l *lower) forOf(s *ast.ForOfStatement, names []string) {
	source := l.expr(s.Source)
	if l.flow == nil {
		return
	}
	isList := source.t.only(kArray) || source.t.only(kSet)
	isText := source.t.only(kString)
	if !source.t.only(kView) && !isList && !isText {
		l.refuse(s.Source.Idx0(), "for … of over "+source.t.describe(), "loop over a typed array, with a test for undefined before")
	}
	list := l.inst.variable([2]any{s, "list"}, "")
	list.constant = true
	l.allocate(list)
	l.assign(list, source, s.For)
	index := l.inst.variable([2]any{s, "index"}, "")
	l.allocate(index)
	l.assign(index, intValue(constI64(0), intT(0, 0)), s.For)
	if l.flow == nil {
		return
	}
	j := &jump{names: names, isLoop: true, end: &label{}, next: &label{}, ret: l.ret}
	head := &label{used: true}
	l.wrap(j.end, func() {
		back := l.loopHead(s)
		code := l.into(func() {
			i, view := l.read(index), l.read(list)
			if l.iterators && !source.t.only(kSet) {
				l.charge(constI64(1)) // tier 0 meters the array's iterator itself then
			}
			var n value
			if isList { // it may grow and shrink in the loop
				n = intValue(unary(opI64ExtI32U, l.listLength(view)), lengthT)
			} else {
				n = l.length(view)
			}
			j.end.used = true
			j.endFlow = merge(j.endFlow, l.flow.clone())
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI64GeS, i.n, n.n), label: j.end})
			l.burn(l.costs[s])
			var x value
			step := constI64(1)
			switch {
			case isList:
				x = l.listElement(view, unary(opI32WrapI64, i.n))
			case isText:
				x, step = l.codePoint(view, i.n)
			default:
				x = l.simple(l.elementAt(view, unary(opI32WrapI64, i.n)))
			}
			next := intValue(binary2(opI64Add, i.n, step), intT(1, maxElements))
			l.assign(index, next, s.For)
			l.loopVariable(s, x)
			l.jumps = append(l.jumps, j)
			if l.flow != nil {
				l.wrap(j.next, func() { l.statement(s.Body) })
			}
			l.jumps = l.jumps[:len(l.jumps)-1]
			l.flow = merge(l.flow, j.onward)
			if l.flow != nil {
				l.emit(&statement{kind: stmtBr, label: head})
			}
			back()
		})
		*l.out = append(*l.out, &statement{kind: stmtLoop, label: head, body: code})
		l.flow = nil
	})
	l.flow = merge(l.flow, j.endFlow)
}

// loopVariable gives the loop variable its element.
func (l *lower) loopVariable(s *ast.ForOfStatement, x value) {
	switch into := s.Into.(type) {
	case *ast.ForDeclaration:
		id, ok := into.Target.(*ast.Identifier)
		if !ok {
			l.refuse(into.Target.Idx0(), "destructuring", "take the elements one by one")
		}
		l.scope = newScope(l.scope)
		v := l.declareVariable(id, id.Name.String(), into.IsConst)
		l.assign(v, x, id.Idx)
	case *ast.ForIntoVar:
		l.assign(l.findVariable(into.Binding.Target), x, into.Idx0())
	case *ast.ForIntoExpression:
		l.assignTo(into.Expression, x)
	default:
		l.refuse(s.For, "this loop variable", "declare it: for (const x of …)")
	}
}
