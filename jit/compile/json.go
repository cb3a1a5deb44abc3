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

// storeScan is store.scan: an object as JSON.parse would give it.
func (l *lower) storeScan(cursor, limit value, at file.Idx) value {
	if cursor.t.only(kUndefined) {
		cursor = constNumber(0)
	} else if cursor.t.has(kNil|kBool) && !cursor.t.has(kValue) {
		l.refuse(at, "a cursor that is "+cursor.t.describe(), "begin with 0 and go on with what scan returned")
	}
	limit = l.keep(limit)
	cursor = l.keep(l.toText(l.simple(cursor), at))
	if l.flow == nil {
		return nothing()
	}
	l.throw(not(l.hostCall("isCursor", i32, cursor.n, cursor.m)), at, "TypeError: a cursor is what scan returned, or 0")
	n := l.wholeOption(limit, "limit", scanDefault, at)
	l.throw(binary2(opI64GtU, binary2(opI64Sub, n, constI64(1)), constI64(scanMost-1)), at, "RangeError: scan returns 1 to 1024 keys")
	if l.flow == nil {
		return nothing()
	}
	return l.valueResult(l.batchHost("scan", i32, []*tree{cursor.n, cursor.m, n}), valueT, at)
}

// Keys that one scan returns.
const (
	scanDefault = 100
	scanMost    = 1024
)
