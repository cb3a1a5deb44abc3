package compile

import "github.com/dop251/goja/ast"

// consoleLevels are the levels that the host is given (jit.Level…).
var consoleLevels = map[string]int32{"debug": 0, "trace": 0, "log": 1, "info": 1, "warn": 2, "error": 3}

// consoleCall gives the host a line piece by piece; the host burns for it when
// it is whole, as tier 0 does, and hands it over when the call has ended.
func (l *lower) consoleCall(e *ast.CallExpression, name string) value {
	level, ok := consoleLevels[name]
	if !ok {
		l.refuse(e.Callee.Idx0(), "console."+name, "use log, info, debug, trace, warn or error")
	}
	args := l.arguments(e.ArgumentList)
	if l.flow == nil {
		return nothing()
	}
	for i, x := range args {
		x = l.simple(x)
		piece := func(name string, trees ...*tree) {
			params := make([]valueType, len(trees))
			for j, t := range trees {
				params[j] = t.t
			}
			l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, params, nil), values: trees})
		}
		switch {
		case x.t.only(kPrimitive):
			piece("logNumber", l.boxed(x).n, constI32(int32(i)))
		case x.t.only(kString | kNil):
			t := stringT.with(kUndefined)
			piece("logText", x.as(t).n, x.as(t).m, constI32(int32(i)))
		default:
			l.refuse(e.ArgumentList[i].Idx0(), x.t.describe()+" in a console line", "log numbers and strings")
		}
	}
	l.jsonCall("logLine", constI32(level))
	return undefinedValue()
}
