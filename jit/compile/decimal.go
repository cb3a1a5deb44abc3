package compile

// buildDecimal writes an integer's digits as String does: from the last one
// into room at the end, then to where they belong.
func (c *compiler) buildDecimal(f *function) {
	l := c.bodyOf(f, []valueType{i64, i32}, []valueType{i32})
	l.stable[0], l.stable[1] = true, true
	n, at := localGet(0, i64), localGet(1, i32)
	restLocal, endLocal := l.newLocal(i64), l.newLocal(i32)
	rest, end := localGet(restLocal, i64), localGet(endLocal, i32)
	sign := l.temp(binary2(opI64ShrS, n, constI64(63)))
	l.emit(setLocal(restLocal, binary2(opI64Sub, binary2(opI64Xor, n, sign), sign)))
	l.emit(setLocal(endLocal, constI32(largestNumberText)))
	head := &label{used: true}
	digit := func(quotient *tree) {
		q := l.temp(quotient)
		l.emit(setLocal(endLocal, binary2(opI32Sub, end, constI32(1))))
		d := binary2(opI64Add, binary2(opI64Sub, rest, binary2(opI64Mul, q, constI64(10))), constI64('0'))
		l.emit(&statement{kind: stmtStore, op: opI64Store8, values: []*tree{binary2(opI32Add, at, end)}, value: d})
		l.emit(setLocal(restLocal, q))
	}
	// Up to 2^32 a product stands for the division: 0xcccccccd is 2^35 / 10.
	large := l.into(func() { digit(binary2(opI64DivS, rest, constI64(10))) })
	small := l.into(func() {
		digit(binary2(opI64ShrU, binary2(opI64Mul, rest, constI64(0xcccccccd)), constI64(35)))
	})
	l.emit(&statement{kind: stmtLoop, label: head, body: []*statement{
		{kind: stmtIf, value: unary(opI64Eqz, binary2(opI64ShrU, rest, constI64(32))), body: small, other: large},
		{kind: stmtBrIf, value: binary2(opI64Ne, rest, constI64(0)), label: head},
	}})
	l.emit(&statement{kind: stmtIf, value: unary(opI32WrapI64, sign), body: l.into(func() {
		l.emit(setLocal(endLocal, binary2(opI32Sub, end, constI32(1))))
		l.emit(&statement{kind: stmtStore, op: opI64Store8, values: []*tree{binary2(opI32Add, at, end)}, value: constI64('-')})
	})})
	size := l.temp(binary2(opI32Sub, constI32(largestNumberText), end))
	l.emit(&statement{kind: stmtCopy, values: []*tree{at, binary2(opI32Add, at, end), size}})
	l.emit(&statement{kind: stmtReturn, values: []*tree{size}})
}
