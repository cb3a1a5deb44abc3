package compile

// smallCopy: up to so many bytes a loop is quicker than memory.copy, for which
// wazero calls Go's memmove.
const smallCopy = 64

// copyBytes copies size bytes between places that do not overlap.
func (l *lower) copyBytes(to, from, size *tree) {
	l.emit(&statement{kind: stmtCall, callee: l.helper(helperCopy), values: []*tree{to, from, size}})
}

func (c *compiler) buildCopy(f *function) {
	l := c.bodyOf(f, []valueType{i32, i32, i32}, nil)
	l.stable[2] = true
	to, from, size := localGet(0, i32), localGet(1, i32), localGet(2, i32)
	l.emit(&statement{kind: stmtIf, value: binary2(opI32GtU, size, constI32(smallCopy)), body: []*statement{
		{kind: stmtCopy, values: []*tree{to, from, size}}, {kind: stmtReturn}}})
	move := func(width int32, get, put opcode) {
		l.emit(&statement{kind: stmtStore, op: put, values: []*tree{to}, value: load(get, from, 0)})
		l.emit(setLocal(0, binary2(opI32Add, to, constI32(width))))
		l.emit(setLocal(1, binary2(opI32Add, from, constI32(width))))
	}
	end := l.temp(binary2(opI32Add, from, binary2(opI32And, size, constI32(-8))))
	head, done := &label{used: true}, &label{used: true}
	l.emit(&statement{kind: stmtBlock, label: done, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI32Eq, from, end), label: done})
		move(8, opI64Load, opI64Store)
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
	for _, part := range []struct {
		width    int32
		get, put opcode
	}{{4, opI64Load32U, opI64Store32}, {2, opI64Load16U, opI64Store16}, {1, opI64Load8U, opI64Store8}} {
		l.emit(&statement{kind: stmtIf, value: binary2(opI32And, size, constI32(part.width)), body: l.into(func() { move(part.width, part.get, part.put) })})
	}
	l.emit(&statement{kind: stmtReturn})
}
