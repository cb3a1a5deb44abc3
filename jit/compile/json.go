package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// jsonFunction is JSON.parse and JSON.stringify.
func (l *lower) jsonFunction(e *ast.CallExpression, name string) value {
	at := e.LeftParenthesis
	if len(e.ArgumentList) != 1 {
		l.refuse(e.Idx0(), "JSON."+name+" with other than one argument", "give it the value alone")
	}
	switch name {
	case "stringify":
		return l.stringify(e.ArgumentList[0], at)
	case "parse":
		v := l.expr(e.ArgumentList[0])
		if l.flow == nil {
			return nothing()
		}
		if v.t.has(kValue) {
			v = l.keep(v)
			l.exitIf(not(v.isTextNode()), ExitGuard, at, otherValue, false)
			v = l.textOfValue(v, at)
		}
		if !v.t.only(kString) {
			l.refuse(at, "JSON.parse of "+v.t.describe(), "give it a string, with a test for undefined before")
		}
		v = l.keep(v)
		return l.parseJSON(v.n, v.m, at)
	}
	l.refuse(e.Callee.Idx0(), "JSON."+name, "use JSON.parse and JSON.stringify")
	return nothing()
}

// parseJSON parses text, or the UTF-8 of a stored value; the host burns for it.
func (l *lower) parseJSON(p, word *tree, at file.Idx) value {
	r := l.batchHost("jsonParse", i32, []*tree{p, word})
	return l.valueResult(r, valueT.with(kNull), at)
}

// storeJSON is store.json(key).
func (l *lower) storeJSON(key value, at file.Idx) value {
	p, size := l.lookup(key, at)
	if l.flow == nil {
		return nothing()
	}
	l.tally(countRead, unary(opI64ExtI32U, size))
	r := l.batchHost("jsonStored", i32, []*tree{p, size})
	return l.valueResult(r, valueT.with(kNil), at)
}

// stringify writes a value as JSON and makes a string of the text.
func (l *lower) stringify(e ast.Expression, at file.Idx) value {
	var steps []jsonStep
	if r := l.recordNamed(e); r != nil {
		steps = l.recordSteps(r, nil, at)
	} else {
		steps = l.jsonSteps(e, nil)
	}
	if l.flow == nil {
		return nothing()
	}
	write := func() value {
		l.emit(&statement{kind: stmtCall, callee: l.hostImport("jsonStart", nil, nil)})
		for _, s := range steps {
			l.jsonStep(s)
		}
		return l.hostString("jsonTake", wideT)
	}
	if len(steps) != 1 || !steps[0].v.t.has(kUndefined) {
		return write()
	}
	// Of undefined there is no text, which costs as much as a value.
	v := steps[0].v
	c := l.temp(v.isUndefined())
	yes, no := l.ways(c)
	return l.either(e, c, yes, no, func() value { l.burn(1); return undefinedValue() }, func() value {
		steps[0].v.t = v.t.without(kUndefined)
		return write()
	}, at)
}
