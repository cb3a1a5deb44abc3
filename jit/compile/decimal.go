package compile

// largestDecimal is the room that decimal wants: 16 digits and a sign, written
// as words.
const largestDecimal = 24

// buildDecimal writes an integer's digits as String does. They are put together
// in a word, for the hash of a key reads words, and a word that has been written
// byte by byte stalls its reader.
func (c *compiler) buildDecimal(f *function) {
	l := c.bodyOf(f, []valueType{i64, i32}, []valueType{i32})
	n, at := localGet(0, i64), localGet(1, i32)
	start := l.newLocal(i32)
	l.emit(setLocal(start, at))
	l.emit(&statement{kind: stmtIf, cold: true, value: binary2(opI64LtS, n, constI64(0)), body: []*statement{
		{kind: stmtStore, op: opI64Store8, values: []*tree{at}, value: constI64('-')},
		setLocal(0, binary2(opI64Sub, constI64(0), n)),
		setLocal(1, binary2(opI32Add, at, constI32(1))),
	}})
	word, count := l.newLocal(i64), l.newLocal(i32)
	// digits writes those of n, below 2^32, while there are any, or eight.
	digits := func(more *tree) {
		head := &label{used: true}
		l.emit(setLocal(word, constI64(0)))
		l.emit(setLocal(count, constI32(0)))
		l.emit(&statement{kind: stmtLoop, label: head, body: l.into(func() {
			q := l.newLocal(i64) // 0xcccccccd is 2^35 / 10
			l.emit(setLocal(q, binary2(opI64ShrU, binary2(opI64Mul, n, constI64(0xcccccccd)), constI64(35))))
			digit := binary2(opI64Add, binary2(opI64Sub, n, binary2(opI64Mul, localGet(q, i64), constI64(10))), constI64('0'))
			l.emit(setLocal(word, binary2(opI64Or, binary2(opI64Shl, localGet(word, i64), constI64(8)), digit)))
			l.emit(setLocal(0, localGet(q, i64)))
			l.emit(setLocal(count, binary2(opI32Add, localGet(count, i32), constI32(1))))
			l.emit(&statement{kind: stmtBrIf, value: more, label: head})
		})})
		l.emit(&statement{kind: stmtStore, op: opI64Store, values: []*tree{at}, value: localGet(word, i64)})
		l.emit(setLocal(1, binary2(opI32Add, at, localGet(count, i32))))
	}
	untilZero := binary2(opI64Ne, n, constI64(0))
	const half = 100_000_000 // eight digits
	l.emit(&statement{kind: stmtIf, value: binary2(opI64LtS, n, constI64(half)), body: l.into(func() { digits(untilZero) }), other: l.into(func() {
		low := l.temp(binary2(opI64RemS, n, constI64(half)))
		l.emit(setLocal(0, binary2(opI64DivS, n, constI64(half))))
		digits(untilZero)
		l.emit(setLocal(0, low))
		digits(binary2(opI32Ne, localGet(count, i32), constI32(8)))
	})})
	l.emit(&statement{kind: stmtReturn, values: []*tree{binary2(opI32Sub, at, localGet(start, i32))}})
}
