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
				l.bindFrom(b.Target, b.Initializer, bindVar)
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
