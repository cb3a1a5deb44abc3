package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// A record is an object of fixed shape that does not escape: each field is a
// variable. It may be read and assigned field by field and returned as JSON.
type record struct {
	literal *ast.ObjectLiteral
	names   []string
	fields  map[string]*variable
}

// recordNamed returns the record that an expression names, or nil.
func (l *lower) recordNamed(e ast.Expression) *record {
	if id, ok := e.(*ast.Identifier); ok {
		if b := l.scope.find(id.Name.String()); b != nil && b.declared {
			return b.record
		}
	}
	return nil
}

// declareRecord lowers const name = {…}.
func (l *lower) declareRecord(id *ast.Identifier, object *ast.ObjectLiteral) {
	r := &record{literal: object, fields: map[string]*variable{}}
	l.eachProperty(object, func(p ast.Property, name string, e ast.Expression) {
		x := l.expr(e)
		v := l.inst.variable(p, id.Name.String()+"."+name)
		l.allocate(v)
		l.assign(v, x, p.Idx0())
		r.names = append(r.names, name)
		r.fields[name] = v
	})
	l.scope.names[id.Name.String()] = &binding{record: r, declared: true}
}

// eachProperty visits the properties of an object of fixed shape in order.
func (l *lower) eachProperty(object *ast.ObjectLiteral, visit func(p ast.Property, name string, e ast.Expression)) {
	seen := map[string]bool{}
	for _, p := range object.Value {
		name, e := l.property(p)
		if seen[name] {
			l.refuse(p.Idx0(), "a property that is there twice", "write each name once")
		}
		seen[name] = true
		if l.flow == nil {
			return
		}
		visit(p, name, e)
	}
}

// property is the name and the value of one property of an object literal.
func (l *lower) property(p ast.Property) (name string, e ast.Expression) {
	switch p := p.(type) {
	case *ast.PropertyShort:
		name, e = p.Name.Name.String(), &p.Name
	case *ast.PropertyKeyed:
		if key, ok := p.Key.(*ast.StringLiteral); ok && p.Kind == ast.PropertyKindValue {
			name, e = key.Value.String(), p.Value
		}
	}
	if e == nil || name == "" || name[0] >= '0' && name[0] <= '9' || name == "__proto__" || name == "toJSON" {
		l.refuse(p.Idx0(), "this property of an object", "write names and values")
	}
	return name, e
}

// isPlain says that an object literal has fixed names, each once, so that it
// can live in variables.
func isPlain(object *ast.ObjectLiteral) bool {
	seen := map[string]bool{}
	for _, p := range object.Value {
		name := ""
		switch p := p.(type) {
		case *ast.PropertyShort:
			name = p.Name.Name.String()
		case *ast.PropertyKeyed:
			if key, ok := p.Key.(*ast.StringLiteral); ok {
				name = key.Value.String()
			}
		}
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// jsonKind says what a step of building JSON does.
type jsonStep struct {
	open  byte // { or [: begin an object or array
	close bool
	keys  int    // of an object that begins
	name  string // of a member that follows
	isKey bool
	v     value
	at    file.Idx
}

// returnObject lowers the return of an object or an array that is written out,
// or of a record: all values first, as the expression says, then the text, as
// tier 0 writes it after the function has returned.
func (l *lower) returnObject(e ast.Expression, at file.Idx) bool {
	r := l.recordNamed(e)
	switch e.(type) {
	case *ast.ObjectLiteral:
		if !isPlain(e.(*ast.ObjectLiteral)) {
			return false
		}
	case *ast.ArrayLiteral:
		if hasSpread(e.(*ast.ArrayLiteral)) {
			return false
		}
	default:
		if r == nil {
			return false
		}
	}
	if l.ret.inlined || l.f != l.compiler.entry {
		return false
	}
	var steps []jsonStep
	if r != nil {
		steps = l.recordSteps(r, steps, at)
	} else {
		steps = l.jsonSteps(e, steps)
	}
	if l.flow == nil {
		return true
	}
	for _, s := range steps {
		l.jsonStep(s)
	}
	l.returnValue(value{t: Type{k: kJSON}, rep: repI32, n: constI32(codeJSON)}, at)
	return true
}

// recordSteps writes a record out.
func (l *lower) recordSteps(r *record, steps []jsonStep, at file.Idx) []jsonStep {
	steps = append(steps, jsonStep{open: '{', keys: len(r.names)})
	for _, name := range r.names {
		steps = append(steps, jsonStep{isKey: true, name: name}, jsonStep{v: l.simple(l.read(r.fields[name])), at: at})
	}
	return append(steps, jsonStep{close: true})
}

func hasSpread(e *ast.ArrayLiteral) bool {
	for _, x := range e.Value {
		if _, ok := x.(*ast.SpreadElement); ok {
			return true
		}
	}
	return false
}

// jsonSteps evaluates what an object or array holds.
func (l *lower) jsonSteps(e ast.Expression, steps []jsonStep) []jsonStep {
	if l.flow == nil {
		return steps
	}
	switch e := e.(type) {
	case *ast.ObjectLiteral:
		if !isPlain(e) {
			break
		}
		steps = append(steps, jsonStep{open: '{', keys: len(e.Value)})
		l.eachProperty(e, func(_ ast.Property, name string, x ast.Expression) {
			steps = append(steps, jsonStep{isKey: true, name: name})
			steps = l.jsonSteps(x, steps)
		})
		return append(steps, jsonStep{close: true})
	case *ast.ArrayLiteral:
		if hasSpread(e) {
			break
		}
		steps = append(steps, jsonStep{open: '['})
		for _, x := range e.Value {
			if x == nil {
				l.refuse(e.LeftBracket, "a hole in an array", "write null")
			}
			steps = l.jsonSteps(x, steps)
		}
		return append(steps, jsonStep{close: true})
	}
	// Values are kept: what follows may assign the variables that they read.
	v := l.expr(e)
	if l.flow == nil {
		return steps
	}
	return append(steps, jsonStep{v: l.keep(v), at: e.Idx0()})
}

// keep copies a value into locals of its own.
func (l *lower) keep(v value) value {
	hold := func(t *tree) *tree {
		if t == nil || l.isStable(t) {
			return t
		}
		n := l.newLocal(t.t)
		l.emit(setLocal(n, t))
		l.stable[n] = true
		return localGet(n, t.t)
	}
	v.n, v.m = hold(v.n), hold(v.m)
	return v
}

// jsonStep calls the host, which writes the text and burns as tier 0 does.
func (l *lower) jsonStep(s jsonStep) {
	switch {
	case s.open != 0:
		l.jsonCall("jsonOpen", constI32(int32(s.open)), constI32(int32(s.keys)))
	case s.close:
		l.jsonCall("jsonClose")
	case s.isKey:
		name := l.stringConstant(s.name, l.f.literal.Function)
		l.jsonCall("jsonKey", name.n, name.m)
	case s.v.t.only(kInt):
		l.jsonCall("jsonInt", s.v.integer())
	case s.v.t.only(kPrimitive):
		l.jsonCall("jsonNumber", l.boxed(s.v).n)
	case s.v.t.only(kString | kNil):
		l.jsonCall("jsonText", s.v.as(stringT.with(kUndefined)).n, s.v.as(stringT.with(kUndefined)).m)
	default:
		l.jsonOf(s.v, s.at)
	}
}

func (l *lower) jsonCall(name string, args ...*tree) {
	args = append([]*tree{localGet(l.fuel, i64)}, args...)
	params := make([]valueType, len(args))
	for i, a := range args {
		params[i] = a.t
	}
	l.emit(&statement{kind: stmtCall, callee: l.hostImport(name, params, []valueType{i64}), values: args, sets: []int{l.fuel}})
	l.exitIf(binary2(opI64LtS, localGet(l.fuel, i64), constI64(0)), ExitStopped, l.f.literal.Function, "", false)
}
