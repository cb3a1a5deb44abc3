package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// bindMode is what a pattern does with its names.
type bindMode uint8

const (
	bindLet    bindMode = iota // declares variables
	bindConst                  // declares constants
	bindVar                    // assigns var variables
	bindAssign                 // assigns what stands there
)

// namesIn calls visit for every name that a pattern binds.
func namesIn(target ast.Node, visit func(*ast.Identifier)) {
	switch t := target.(type) {
	case *ast.Identifier:
		visit(t)
	case *ast.AssignExpression:
		namesIn(t.Left, visit)
	case *ast.ArrayPattern:
		for _, e := range t.Elements {
			if e != nil {
				namesIn(e, visit)
			}
		}
		if t.Rest != nil {
			namesIn(t.Rest, visit)
		}
	case *ast.ObjectPattern:
		for _, p := range t.Properties {
			switch p := p.(type) {
			case *ast.PropertyShort:
				visit(&p.Name)
			case *ast.PropertyKeyed:
				namesIn(p.Value, visit)
			}
		}
		if t.Rest != nil {
			namesIn(t.Rest, visit)
		}
	}
}

// bind gives a name or a pattern its value.
func (l *lower) bind(target ast.Node, x value, mode bindMode) {
	if l.flow == nil || x.isNever() {
		l.flow = nil
		return
	}
	switch t := target.(type) {
	case *ast.Identifier:
		switch mode {
		case bindAssign:
			l.assign(l.variableOf(t), x, t.Idx)
		case bindVar:
			l.assign(l.findVariable(t), x, t.Idx)
		default:
			l.assign(l.declareVariable(t, t.Name.String(), mode == bindConst), x, t.Idx)
		}
	case *ast.AssignExpression:
		l.bind(t.Left, l.orDefault(x, t.Right), mode)
	case *ast.ArrayPattern:
		l.bindArray(t, l.keep(x), mode)
	case *ast.ObjectPattern:
		l.bindObject(t, l.keep(x), mode)
	case ast.Expression:
		if mode != bindAssign {
			l.refuse(t.Idx0(), "this pattern", "destructure into names")
		}
		x = l.keep(x)
		l.place(t).set(x)
	}
}

// orDefault is x, or the value of an expression where x is undefined.
func (l *lower) orDefault(x value, other ast.Expression) value {
	if !x.t.has(kUndefined) {
		return x
	}
	x = l.keep(x)
	c := x.isUndefined()
	some := x
	some.t = x.t.without(kUndefined)
	yes, no := l.ways(c)
	return l.either(other, c, yes, no, func() value { return l.expr(other) }, func() value { return some }, other.Idx0())
}

// bindArray destructures what has elements. Each target takes a step of the
// iterator, which tier 0 meters, until that has ended.
func (l *lower) bindArray(p *ast.ArrayPattern, x value, mode bindMode) {
	x = l.present(x, p.LeftBracket)
	if l.flow == nil {
		return
	}
	if !x.t.only(kArray) && !x.t.only(kView) {
		l.refuse(p.LeftBracket, "destructuring of "+x.t.describe(), "destructure arrays and typed arrays")
	}
	s := l.sequenceOf(x, false, p.LeftBracket)
	for i, target := range p.Elements {
		n := constI32(int32(i))
		at := p.LeftBracket + file.Idx(1+i)
		if target != nil {
			at = target.Idx0()
		}
		inside := l.temp(binary2(opI32GtU, s.length, n))
		if !l.isWide(at, guardElement) {
			l.burn(1)
			l.guard(not(inside), at, guardElement)
			if target != nil && l.flow != nil {
				l.bind(target, s.at(n), mode)
			}
			continue
		}
		l.branch(binary2(opI32GeU, s.length, n), func() { l.burn(1) }, nil) // it ends behind the last element
		yes, no := l.ways(inside)
		y := l.either(nil, inside, yes, no, func() value { return s.at(n) }, undefinedValue, at)
		if target != nil {
			l.bind(target, y, mode)
		}
	}
	if p.Rest != nil && l.flow != nil {
		l.bindRest(p, s, mode)
	}
}

// bindRest gives the rest of a sequence to a pattern's last name.
func (l *lower) bindRest(p *ast.ArrayPattern, s sequence, mode bindMode) {
	taken := constI32(int32(len(p.Elements)))
	some := l.temp(binary2(opI32GtU, s.length, taken))
	count := l.temp(choose(some, binary2(opI32Sub, s.length, taken), constI32(0)))
	// A step for each and one that finds the end, unless it has been found.
	l.branch(binary2(opI32GeU, s.length, taken), func() { l.burnSteps(count) }, nil)
	out := l.newList(l.atLeast(count, listRoom), heapT(kArray, l.newCell(p)))
	l.eachIndex(p, p.LeftBracket, count, func(i value, _ *jump) {
		y := s.at(l.temp(binary2(opI32Add, unary(opI32WrapI64, i.n), taken)))
		if y.isNever() {
			l.flow = nil
			return
		}
		l.push(out, y, p.LeftBracket)
	})
	l.bind(p.Rest, out, mode)
}

// bindItems destructures an array that is written out where it is taken apart,
// as in [a, b] = [b, a], without making it.
func (l *lower) bindItems(p *ast.ArrayPattern, e *ast.ArrayLiteral, mode bindMode) {
	items := l.arguments(e.Value)
	if l.flow == nil {
		return
	}
	for i := range items {
		items[i] = l.keep(items[i])
	}
	for i, target := range p.Elements {
		x := undefinedValue()
		if i <= len(items) {
			l.burn(1)
		}
		if i < len(items) {
			x = items[i]
		}
		if target != nil {
			l.bind(target, x, mode)
		}
	}
}

// isApart says that a pattern can take a written array apart at once.
func isApart(target ast.Node, e ast.Expression) (*ast.ArrayPattern, *ast.ArrayLiteral) {
	p, ok := target.(*ast.ArrayPattern)
	list, isList := e.(*ast.ArrayLiteral)
	if !ok || !isList || p.Rest != nil || hasSpread(list) {
		return nil, nil
	}
	for _, x := range list.Value {
		if x == nil {
			return nil, nil
		}
	}
	return p, list
}

// bindFrom binds a pattern or a name to what an expression gives.
func (l *lower) bindFrom(target ast.Node, e ast.Expression, mode bindMode) {
	if p, list := isApart(target, e); p != nil {
		l.bindItems(p, list, mode)
		return
	}
	if p, ok := target.(*ast.ObjectPattern); ok {
		if r := l.recordNamed(e); r != nil && p.Rest == nil {
			l.bindFields(p, mode, func(name string, at file.Idx) value {
				if v := r.fields[name]; v != nil {
					return l.keep(l.read(v))
				}
				return undefinedValue()
			})
			return
		}
	}
	l.bind(target, l.expr(e), mode)
}

func (l *lower) bindObject(p *ast.ObjectPattern, x value, mode bindMode) {
	x = l.present(x, p.LeftBrace)
	if l.flow == nil {
		return
	}
	taken := map[string]bool{}
	l.bindFields(p, mode, func(name string, at file.Idx) value {
		taken[name] = true
		return l.propertyNamed(x, name, at)
	})
	if p.Rest == nil || l.flow == nil {
		return
	}
	if !x.t.only(kRecord) {
		l.refuse(p.Rest.Idx0(), "the rest of "+x.t.describe(), "take the rest of objects")
	}
	var names []string
	var values []value
	for i, n := range x.t.cell().names {
		if taken[n] {
			continue
		}
		y := l.recordField(x, i)
		if l.flow == nil || y.isNever() {
			l.flow = nil
			return
		}
		names, values = append(names, n), append(values, l.keep(y))
	}
	l.bind(p.Rest, l.makeRecord(l.newCell(p), names, values, p.LeftBrace), mode)
}

func (l *lower) bindFields(p *ast.ObjectPattern, mode bindMode, get func(name string, at file.Idx) value) {
	for _, q := range p.Properties {
		if l.flow == nil {
			return
		}
		switch q := q.(type) {
		case *ast.PropertyShort:
			x := get(q.Name.Name.String(), q.Name.Idx)
			if q.Initializer != nil && !x.isNever() {
				x = l.orDefault(x, q.Initializer)
			}
			l.bind(&q.Name, x, mode)
		case *ast.PropertyKeyed:
			key, ok := q.Key.(*ast.StringLiteral)
			if !ok {
				l.refuse(q.Key.Idx0(), "a computed name in a pattern", "write the name")
			}
			l.bind(q.Value, get(key.Value.String(), key.Idx), mode)
		}
	}
}

// restOf makes the array of a rest parameter.
func (l *lower) restOf(params *ast.ParameterList, args []value) {
	c := l.newCell(params)
	out := l.newList(constI32(int32(max(len(args), listRoom))), heapT(kArray, c))
	for _, x := range args {
		l.push(out, x, params.Rest.Idx0())
	}
	l.bind(params.Rest, out, bindLet)
}

// functionOf makes a constant that is a function one of the library's functions.
func functionOf(name *ast.Identifier, e ast.Expression, costs map[ast.Node]int64) *ast.FunctionLiteral {
	switch f := e.(type) {
	case *ast.FunctionLiteral:
		if f.Name == nil {
			f = &ast.FunctionLiteral{Function: f.Function, Name: name, ParameterList: f.ParameterList, Body: f.Body, Async: f.Async, Generator: f.Generator}
			costs[f] = costs[e]
		}
		return f
	case *ast.ArrowFunctionLiteral:
		out := &ast.FunctionLiteral{Function: f.Start, Name: name, ParameterList: f.ParameterList, Async: f.Async}
		switch body := f.Body.(type) {
		case *ast.BlockStatement:
			out.Body = body
		case *ast.ExpressionBody:
			out.Body = returning(body.Expression)
		default:
			return nil
		}
		costs[out] = costs[e]
		return out
	}
	return nil
}

// returning is a body that returns the value of an expression.
func returning(e ast.Expression) *ast.BlockStatement {
	at := e.Idx0()
	return &ast.BlockStatement{LeftBrace: at, List: []ast.Statement{&ast.ReturnStatement{Return: at, Argument: e}}}
}
