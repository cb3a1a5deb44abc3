package compile

// keyBits is a number as a set compares it: −0 is 0, and NaN is itself.
func keyBits(x *tree) *tree {
	zero := choose(binary2(opF64Eq, x, constF64(0)), constF64(0), x)
	return unary(opI64ReintF64, choose(binary2(opF64Eq, x, x), zero, constF64(nan)))
}

// probe walks a set's index for bits: it calls found with the number of the
// element, and ends at the first free slot, whose address is in the local slot.
func (l *lower) probe(set, bits *tree, slot int, found func() []*statement) {
	h := l.hashBits(bits)
	index, mask, data := l.temp(load(opI32Load, set, listIndex)), l.temp(load(opI32Load, set, listMask)), l.temp(load(opI32Load, set, listData))
	at := l.newLocal(i32)
	l.emit(setLocal(at, h))
	head, free := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: free, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		i := binary2(opI32And, localGet(at, i32), mask)
		l.emit(setLocal(slot, binary2(opI32Add, index, binary2(opI32Shl, i, constI32(2)))))
		number := l.temp(load(opI32Load, localGet(slot, i32), 0))
		l.emit(&statement{kind: stmtBrIf, value: unary(opI32Eqz, number), label: free})
		element := binary2(opI32Add, data, binary2(opI32Shl, binary2(opI32Sub, number, constI32(1)), constI32(3)))
		l.emit(&statement{kind: stmtIf, value: binary2(opI64Eq, load(opI64Load, element, 0), bits), body: found()})
		l.emit(setLocal(at, binary2(opI32Add, localGet(at, i32), constI32(1))))
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
}

// hashBits folds first: the low half of a small integer's double is 0, and a
// product alone would leave the bits that the mask takes empty.
func (l *lower) hashBits(bits *tree) *tree {
	gamma := uint64(0x9e3779b97f4a7c15)
	folded := binary2(opI64Xor, bits, binary2(opI64ShrU, bits, constI64(32)))
	return l.temp(unary(opI32WrapI64, binary2(opI64ShrU, binary2(opI64Mul, folded, constI64(int64(gamma))), constI64(32))))
}

// findKey is what helperFind gives. An integer's first place is looked at in
// line, which settles most: an index is at most half full.
func (l *lower) findKey(set *tree, key value, double *tree) *tree {
	if !key.t.only(kInt) {
		return l.callHelper(helperFind, set, double)
	}
	double = l.temp(double)
	bits := l.temp(unary(opI64ReintF64, double))
	index, mask, data := l.temp(load(opI32Load, set, listIndex)), l.temp(load(opI32Load, set, listMask)), l.temp(load(opI32Load, set, listData))
	place := binary2(opI32Add, index, binary2(opI32Shl, binary2(opI32And, l.hashBits(bits), mask), constI32(2)))
	n := l.newLocal(i32)
	number := localGet(n, i32)
	done := &label{used: true}
	l.emit(setLocal(n, load(opI32Load, place, 0)))
	l.emit(&statement{kind: stmtBlock, label: done, body: l.into(func() {
		l.emit(&statement{kind: stmtBrIf, value: unary(opI32Eqz, number), label: done})
		element := binary2(opI32Add, data, binary2(opI32Shl, binary2(opI32Sub, number, constI32(1)), constI32(3)))
		other := binary2(opI64Ne, load(opI64Load, element, 0), bits)
		l.emit(&statement{kind: stmtIf, cold: true, value: other, body: l.into(func() {
			l.emit(&statement{kind: stmtCall, callee: l.helper(helperFind), values: []*tree{set, double}, sets: []int{n}})
		})})
	})})
	l.stable[n] = true
	return number
}

// buildFind gives the number of an element of a set or a map, counted from 1.
func (c *compiler) buildFind(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, []valueType{i32})
	l.stable[0], l.stable[1] = true, true
	bits := l.temp(keyBits(localGet(1, f64)))
	slot := l.newLocal(i32)
	found := &statement{kind: stmtReturn, values: []*tree{load(opI32Load, localGet(slot, i32), 0)}}
	l.probe(localGet(0, i32), bits, slot, func() []*statement { return []*statement{found} })
	l.emit(&statement{kind: stmtReturn, values: []*tree{constI32(0)}})
}

// buildAdd adds a number to a set; its index doubles when half full.
func (c *compiler) buildAdd(f *function) {
	l := c.bodyOf(f, []valueType{i32, f64}, nil)
	set := localGet(0, i32)
	l.stable[0], l.stable[1] = true, true
	bits := l.temp(keyBits(localGet(1, f64)))
	slot := l.newLocal(i32)
	l.probe(set, bits, slot, func() []*statement { return []*statement{{kind: stmtReturn}} })
	l.emit(&statement{kind: stmtCall, callee: l.helper(helperPush), values: []*tree{set, unary(opF64ReintI64, bits)}})
	n := l.temp(load(opI32Load, set, listLen))
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{localGet(slot, i32)}, value: n})
	loaded := binary2(opI32GtU, binary2(opI32Shl, n, constI32(1)), load(opI32Load, set, listMask))
	l.emit(&statement{kind: stmtIf, value: not(loaded), body: []*statement{{kind: stmtReturn}}})
	mask := l.temp(binary2(opI32Or, binary2(opI32Shl, load(opI32Load, set, listMask), constI32(1)), constI32(1)))
	size := l.temp(binary2(opI32Shl, binary2(opI32Add, mask, constI32(1)), constI32(2)))
	index := l.callHelper(helperAlloc, size)
	l.emit(&statement{kind: stmtFill, values: []*tree{index, constI32(0), size}})
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{set}, value: index, offset: listIndex})
	l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{set}, value: mask, offset: listMask})
	i := l.newLocal(i32)
	head, end := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: end, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		at := localGet(i, i32)
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GeU, at, n), label: end})
		x := l.temp(load(opI64Load, binary2(opI32Add, load(opI32Load, set, listData), binary2(opI32Shl, at, constI32(3))), 0))
		l.probe(set, x, slot, func() []*statement { return nil })
		l.emit(setLocal(i, binary2(opI32Add, at, constI32(1))))
		l.emit(&statement{kind: stmtStore, op: opI32Store, values: []*tree{localGet(slot, i32)}, value: localGet(i, i32)})
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
	l.emit(&statement{kind: stmtReturn})
}
