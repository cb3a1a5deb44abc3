package compile

// cell is what the arrays, maps or records made at one place hold. Cells of
// values that flow together become one (as in Steensgaard's analysis), so that
// every object that a variable may name has its elements in one representation.
type cell struct {
	same    *cell // became part of it
	elem    Type  // of arrays: elements; of maps: values
	names   []string
	fields  []Type
	shape   int // number of its description for the host in this pass, from 1
	pass    int
	changed *bool // of the compilation
}

func (c *cell) root() *cell {
	if c == nil {
		return nil
	}
	for c.same != nil {
		if c.same.same != nil {
			c.same = c.same.same
		}
		c = c.same
	}
	return c
}

// grow joins a type into one that a cell holds; false: there is no such type.
func (c *cell) grow(into *Type, t Type) bool {
	j, ok := join(*into, slotType(t))
	if !ok {
		return false
	}
	if j != *into {
		*into, *c.changed = j, true
	}
	return true
}

// unify makes two cells one; false: they hold what cannot lie in one place.
func unify(a, b *cell) (*cell, bool) {
	a, b = a.root(), b.root()
	switch {
	case a == b || b == nil:
		return a, true
	case a == nil:
		return b, true
	case len(a.names) != len(b.names):
		return a, false
	}
	for i, n := range a.names {
		if b.names[i] != n {
			return a, false
		}
	}
	b.same = a
	*a.changed = true
	ok := a.grow(&a.elem, b.elem)
	for i := range a.fields {
		// Growing may have unified further.
		if r := a.root(); r == a {
			ok = a.grow(&a.fields[i], b.fields[i]) && ok
		}
	}
	return a.root(), ok
}

// slotType is what of a type is kept of a value that lies in an object: numbers
// lie there as doubles.
func slotType(t Type) Type {
	if t.has(kInt) {
		t.k = t.k&^kInt | kNumber
	}
	return t.normal()
}

// slotBytes is the room of a value in an object.
const slotBytes = 8

// slotRep is the representation of a value in an object: primitives are doubles
// there, with the NaNs that stand for nil and booleans.
func slotRep(t Type) rep {
	if r := t.rep(); r >= repPair {
		return r
	}
	return repF64
}

// toSlot is the value as eight bytes, in an f64 that is only moved.
func (l *lower) toSlot(v value, elem Type) *tree {
	switch slotRep(elem) {
	case repPair:
		p := l.convert(v, elem)
		packed := binary2(opI64Or, unary(opI64ExtI32U, p.n), binary2(opI64Shl, unary(opI64ExtI32U, p.m), constI64(32)))
		return unary(opF64ReintI64, packed)
	case repRef:
		return unary(opF64ReintI64, unary(opI64ExtI32U, l.convert(v, elem).n))
	}
	return l.convert(v, elem.with(kNumber).normal()).n
}

// fromSlot reads a value from an object, where it is now.
func (l *lower) fromSlot(address *tree, offset uint32, elem Type) value {
	if elem.isNever() {
		return nothing()
	}
	switch slotRep(elem) {
	case repPair:
		return pairValue(l.temp(load(opI32Load, address, offset)), l.temp(load(opI32Load, address, offset+4)), elem)
	case repRef:
		return refValue(l.temp(load(opI32Load, address, offset)), elem)
	}
	v := value{t: elem, rep: repF64, n: l.temp(load(opF64Load, address, offset))}
	if elem.only(kNil | kBool) {
		return l.simple(v.as(elem))
	}
	return v
}

// newCell is the cell of what is made at a place of the source.
func (l *lower) newCell(key any) *cell {
	c := l.inst.cells[key]
	if c == nil {
		c = &cell{changed: &l.compiler.changed}
		l.inst.cells[key] = c
	}
	return c.root()
}

// heapT is the type of an object of a kind that holds what its cell says.
func heapT(k kinds, c *cell) Type { return Type{k: k, of: c.root()} }

// cell of a type that has one.
func (t Type) cell() *cell { return t.of.root() }
