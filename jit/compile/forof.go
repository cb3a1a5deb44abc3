package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// entriesOf says which entries of a list a for … of goes over.
type entriesOf uint8

const (
	eachValue entriesOf = iota
	eachKey
	eachPair
)

// forOfSource resolves list.keys(), values() and entries().
func (l *lower) forOfSource(e ast.Expression) (source value, what entriesOf) {
	call, ok := e.(*ast.CallExpression)
	if ok && len(call.ArgumentList) == 0 {
		if d, ok := call.Callee.(*ast.DotExpression); ok {
			ways := map[string]entriesOf{"keys": eachKey, "values": eachValue, "entries": eachPair}
			if what, ok := ways[d.Identifier.Name.String()]; ok {
				return l.expr(d.Left), what
			}
		}
	}
	source = l.expr(e)
	if source.t.only(kMap) {
		what = eachPair
	}
	return source, what
}

// forOf walks a list by index, as its iterator does: the length is looked at
// before each turn.
func (l *lower) forOf(s *ast.ForOfStatement, names []string) {
	source, what := l.forOfSource(s.Source)
	if l.flow == nil {
		return
	}
	source = l.present(source, s.Source.Idx0())
	if l.flow == nil {
		return
	}
	if !source.t.only(kView) && !source.t.only(kArray) && !source.t.only(kSet) && !source.t.only(kMap) && !source.t.only(kString) && !source.t.only(kValue) {
		l.refuse(s.Source.Idx0(), "for … of over "+source.t.describe(), "loop over an array, a typed array, a set, a map or a string")
	}
	if source.t.only(kValue) {
		source = l.valueArray(source, s.Source.Idx0())
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
			l.forOfTurn(s, what, l.read(list), index, j)
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

// forOfTurn is one turn: the end, the entry, the body.
func (l *lower) forOfTurn(s *ast.ForOfStatement, what entriesOf, view value, index *variable, j *jump) {
	i := l.read(index)
	isHash := view.t.has(kSet | kMap)
	if l.iterators && !isHash {
		l.charge(constI64(1)) // tier 0 meters the array's iterator itself then
	}
	n := view.m
	switch {
	case view.t.only(kString):
		n = view.units()
	case view.t.only(kValue):
		n = l.temp(view.count())
	case !view.t.only(kView): // it may grow and shrink in the loop
		n = l.listLength(view)
	}
	j.end.used = true
	j.endFlow = merge(j.endFlow, l.flow.clone())
	l.emit(&statement{kind: stmtBrIf, value: binary2(opI64GeS, i.n, unary(opI64ExtI32U, n)), label: j.end})
	i = l.keep(i)
	at := unary(opI32WrapI64, i.n)
	step := constI64(1)
	if isHash {
		next := intValue(binary2(opI64Add, i.n, step), intT(1, maxElements))
		l.assign(index, next, s.For)
		dead := isDead(view, at)
		j.next.used = true
		j.onward = merge(j.onward, l.flow.clone())
		l.wrapNext(j, func() {
			l.emit(&statement{kind: stmtBrIf, value: dead, label: j.next})
			l.burn(l.costs[s])
			key, x := l.entryOf(view, at)
			l.forOfBody(s, what, key, x, j)
		})
		return
	}
	l.burn(l.costs[s])
	var x value
	switch {
	case view.t.only(kString):
		x, step = l.codePoint(view, i.n)
	case view.t.only(kValue):
		x = l.valueElement(view, at)
	case view.t.only(kView):
		x = l.simple(l.elementAt(view, at))
	default:
		x = l.listElement(view, at)
	}
	l.assign(index, intValue(binary2(opI64Add, i.n, step), intT(1, maxElements)), s.For)
	i.t = intT(max(i.t.lo, 0), maxElements)
	l.wrapNext(j, func() { l.forOfBody(s, what, i, x, j) })
}

func (l *lower) wrapNext(j *jump, f func()) {
	l.jumps = append(l.jumps, j)
	l.wrap(j.next, f)
	l.jumps = l.jumps[:len(l.jumps)-1]
}

func (l *lower) forOfBody(s *ast.ForOfStatement, what entriesOf, key, x value, j *jump) {
	outer := l.scope
	l.scope = newScope(outer)
	switch {
	case x.isNever():
		l.flow = nil
	case what == eachPair:
		l.loopPair(s, key, x)
	case what == eachKey:
		l.loopVariable(s, key)
	default:
		l.loopVariable(s, x)
	}
	if l.flow != nil {
		l.statement(s.Body)
	}
	l.scope = outer
}

// loopTarget is what a loop assigns its entries to.
func (l *lower) loopTarget(s *ast.ForOfStatement) (ast.Node, bindMode, file.Idx) {
	switch into := s.Into.(type) {
	case *ast.ForDeclaration:
		mode := bindLet
		if into.IsConst {
			mode = bindConst
		}
		return into.Target, mode, into.Idx
	case *ast.ForIntoVar:
		return into.Binding.Target, bindVar, into.Binding.Idx0()
	case *ast.ForIntoExpression:
		return into.Expression, bindAssign, into.Expression.Idx0()
	}
	l.refuse(s.For, "this loop variable", "declare it: for (const x of …)")
	return nil, 0, 0
}

func (l *lower) loopVariable(s *ast.ForOfStatement, x value) {
	target, mode, _ := l.loopTarget(s)
	l.bind(target, x, mode)
}

// loopPair takes an entry of a map apart, which is an array of two that is not
// made: for (const [key, value] of map).
func (l *lower) loopPair(s *ast.ForOfStatement, key, x value) {
	target, mode, at := l.loopTarget(s)
	p, ok := target.(*ast.ArrayPattern)
	if !ok || p.Rest != nil || len(p.Elements) > 2 {
		l.refuse(at, "an entry as a value", "take it apart: for (const [key, value] of …)")
	}
	for i, e := range p.Elements {
		l.burn(1)
		if y := [2]value{key, x}[i]; e != nil {
			l.bind(e, y, mode)
		}
	}
}
