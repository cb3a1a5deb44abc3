package compile

import (
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// ShapeKind is what an element of eight bytes means to the host.
type ShapeKind uint8

const (
	ShapeNumber ShapeKind = iota // a double, or a NaN that stands for nil or a boolean
	ShapeText                    // address and length, u32 each; address 0 undefined, 1 null
	ShapeList                    // the address of an array; 0 undefined, 1 null
	ShapeRecord                  // the address of an object's fields; 0 undefined, 1 null
	ShapeNode                    // the address of a JSON value; 0 undefined, 1 null
	ShapeHash                    // the address of a set, a map or an error
)

// Shape describes values in memory to the host, which writes them as JSON.
type Shape struct {
	Kind   ShapeKind
	Elem   int // of a list: the shape of its elements
	Names  []string
	Fields []int
}

type shapeKey struct {
	kind ShapeKind
	of   *cell
}

// shapeOf returns the number of a type's shape.
func (l *lower) shapeOf(t Type, at file.Idx) int {
	key := shapeKey{}
	switch {
	case t.isNever() || t.only(kPrimitive):
	case t.only(kNil | kString):
		key.kind = ShapeText
	case t.only(kNil | kValue):
		key.kind = ShapeNode
	case t.only(kNil | kArray):
		key = shapeKey{ShapeList, t.cell()}
	case t.only(kNil | kRecord):
		key = shapeKey{ShapeRecord, t.cell()}
	case t.only(kNil | kSet), t.only(kNil | kMap):
		key.kind = ShapeHash
	default:
		l.refuse(at, t.describe()+" within an object", "put numbers, strings, booleans, arrays and objects into it")
	}
	if n, ok := l.shapeAt[key]; ok {
		return n
	}
	n := len(l.shapes)
	l.shapes = append(l.shapes, Shape{Kind: key.kind})
	l.shapeAt[key] = n // before its parts: it may hold itself
	switch key.kind {
	case ShapeList:
		elem := l.shapeOf(key.of.elem, at)
		l.shapes[n].Elem = elem
	case ShapeRecord:
		var fields []int
		for _, f := range key.of.fields {
			fields = append(fields, l.shapeOf(f, at))
		}
		l.shapes[n].Names, l.shapes[n].Fields = key.of.names, fields
	}
	return n
}

// jsonOf has the host write a value in memory.
func (l *lower) jsonOf(v value, at file.Idx) {
	shape := l.shapeOf(v.t, at)
	slot := l.toSlot(l.simple(v), slotType(v.t))
	l.jsonCall("jsonValue", constI32(int32(shape)), unary(opI64ReintF64, slot))
}

// heapRecord lowers an object literal whose object may be passed on: its fields
// lie in scratch.
func (l *lower) heapRecord(e *ast.ObjectLiteral) value {
	c := l.newCell(e)
	var names []string
	var values []value
	set := func(name string, x value) {
		for i, n := range names {
			if n == name {
				values[i] = x
				return
			}
		}
		names, values = append(names, name), append(values, x)
	}
	for _, p := range e.Value {
		if s, ok := p.(*ast.SpreadElement); ok {
			l.spreadRecord(s, set)
		} else {
			name, x := l.property(p)
			v := l.expr(x)
			if l.flow == nil {
				return nothing()
			}
			set(name, l.keep(v))
		}
		if l.flow == nil {
			return nothing()
		}
	}
	return l.makeRecord(c, names, values, e.LeftBrace)
}

// spreadRecord takes the fields of another object.
func (l *lower) spreadRecord(s *ast.SpreadElement, set func(string, value)) {
	if r := l.recordNamed(s.Expression); r != nil {
		for _, n := range r.names {
			set(n, l.keep(l.read(r.fields[n])))
		}
		return
	}
	v := l.expr(s.Expression)
	if l.flow == nil {
		return
	}
	if !v.t.only(kRecord) {
		l.refuse(s.Expression.Idx0(), "a spread of "+v.t.describe(), "spread an object that is surely there")
	}
	v = l.keep(v)
	for i, n := range v.t.cell().names {
		x := l.recordField(v, i)
		if l.flow == nil {
			return
		}
		set(n, l.keep(x))
	}
}

// makeRecord puts values into a new object.
func (l *lower) makeRecord(c *cell, names []string, values []value, at file.Idx) value {
	c = c.root()
	for _, n := range names {
		if strings.ContainsFunc(n, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == utf8.RuneError }) {
			l.refuse(at, "an object with a name of this kind", "use letters and digits")
		}
	}
	if c.fields == nil {
		c.names, c.fields = names, make([]Type, len(names))
		*c.changed = true
	}
	if len(c.names) != len(names) {
		l.refuse(at, "objects of different shapes", "give them the same fields in the same order")
	}
	p := l.callHelper(helperAlloc, constI32(int32(max(len(names), 1)*slotBytes)))
	out := refValue(p, heapT(kRecord, c))
	for i, x := range values {
		l.setField(out, i, x, at)
	}
	return out
}

func (l *lower) setField(v value, i int, x value, at file.Idx) {
	if x.isNever() || l.flow == nil {
		return
	}
	c := v.t.cell()
	if !x.t.only(kPrimitive) && slotRep(x.t) == repF64 || !c.grow(&c.fields[i], x.t) {
		l.refuse(at, "field "+c.names[i]+", which is "+c.fields[i].describe()+" and then "+x.t.describe(), "use one type for a field")
	}
	c = c.root()
	slot := l.toSlot(l.simple(x), c.fields[i])
	l.emit(&statement{kind: stmtStore, op: opF64Store, values: []*tree{v.n}, value: slot, offset: uint32(i * slotBytes)})
}

// recordField reads field i.
func (l *lower) recordField(v value, i int) value {
	t := v.t.cell().fields[i]
	if t.isNever() {
		return l.unknown()
	}
	return l.fromSlot(v.n, uint32(i*slotBytes), t)
}

func (c *cell) field(name string) int {
	for i, n := range c.names {
		if n == name {
			return i
		}
	}
	return -1
}
