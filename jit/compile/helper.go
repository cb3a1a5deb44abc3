package compile

// Helpers are functions that a module contains when its code calls them.
const (
	helperSpent       = "spent"       // (fuel i64) → (fuel i64): the slice is spent
	helperBreathe     = "breathe"     // (fuel i64) → (fuel i64): gives way in the middle of what was paid for at once
	helperLookup      = "lookup"      // (key i64) → (address i32, size i32): all ways of finding an integer key
	helperLookupBytes = "lookupBytes" // (key, size i32) → (address << 32 | size i64): see unpack
	helperDecimal     = "decimal"     // (n i64, at i32) → (size i32): writes an integer's digits
	helperExp         = "exp"         // (x f64) → (f64): Math.exp
	helperCopy        = "copy"        // (to, from, size i32) → ()
	helperAlloc       = "alloc"       // (size i32) → (address i32): scratch, 8-byte aligned, not cleared
	helperEqual       = "equal"       // (a, n, b, m i32) → (i32): bytes are equal
	helperASCII       = "ascii"       // (a, n i32) → (i32): the text is ASCII
	helperPush        = "push"        // (list i32, x f64) → ()
	helperFind        = "find"        // (set i32, x f64) → (number i32): of the element, from 1; 0 if it is not there
	helperAdd         = "add"         // (set i32, x f64) → ()
	helperRemove      = "remove"      // (set i32, x f64) → (was there i32)
	helperClear       = "clear"       // (set i32) → ()
	helperReverse     = "reverse"     // (list i32) → ()
	helperOrder       = "order"       // (a, n, b, m i32) → (i32): −1, 0, 1
)

var helperNames = []string{helperSpent, helperBreathe, helperLookup, helperLookupBytes, helperDecimal, helperExp, helperCopy, helperAlloc, helperEqual, helperASCII, helperPush, helperFind, helperAdd, helperOrder, helperRemove, helperClear, helperReverse}

// helper returns a helper, building it at its first use.
func (c *compiler) helper(name string) *callable {
	h := c.helpers[name]
	if h == nil {
		h = &function{name: name}
		c.helpers[name] = h
		switch name {
		case helperSpent, helperBreathe:
			c.buildSpent(h, name)
		case helperLookup:
			c.buildLookup(h)
		case helperLookupBytes:
			c.buildLookupBytes(h)
		case helperDecimal:
			c.buildDecimal(h)
		case helperExp:
			c.buildExp(h)
		case helperCopy:
			c.buildCopy(h)
		case helperAlloc:
			c.buildAlloc(h)
		case helperEqual:
			c.buildEqual(h)
		case helperPush:
			c.buildPush(h)
		case helperFind:
			c.buildFind(h)
		case helperAdd:
			c.buildAdd(h)
		case helperRemove:
			c.buildRemove(h)
		case helperClear:
			c.buildClear(h)
		case helperReverse:
			c.buildReverse(h)
		case helperASCII:
			c.buildASCII(h)
		case helperOrder:
			c.buildOrder(h)
		}
	}
	return &h.callable
}

// leave is an exit that has no position of its own.
func (c *compiler) leave(kind ExitKind) []*statement {
	return []*statement{setGlobal(globalExit, constI32(fixedExit(kind))), {kind: stmtUnreachable}}
}

// fixedExit is what the global exit holds for exits without a position: helpers
// outlive a pass, whose exits are numbered anew.
func fixedExit(kind ExitKind) int32 { return -1 - int32(kind) }

// FixedExit turns a negative exit number back into its kind.
func FixedExit(n int32) ExitKind { return ExitKind(-1 - n) }

// buildSpent makes the call of a host function that takes fuel, gives what is left, and
// gives −1 when the invocation has ended.
func (c *compiler) buildSpent(f *function, host string) {
	f.sig = signature{[]valueType{i64}, []valueType{i64}}
	f.locals = []valueType{i64}
	left := localGet(0, i64)
	f.code = []*statement{
		{kind: stmtCall, callee: c.hostImport(host, []valueType{i64}, []valueType{i64}), values: []*tree{left}, sets: []int{0}},
		{kind: stmtIf, value: binary2(opI64LtS, left, constI64(0)), body: append([]*statement{setGlobal(globalFuel, left)}, c.leave(ExitStopped)...)},
		{kind: stmtReturn, values: []*tree{left}},
	}
}

// bodyOf gives a lower that builds a helper's code.
func (c *compiler) bodyOf(f *function, params, results []valueType) *lower {
	f.sig = signature{params, results}
	f.locals = append([]valueType{}, params...)
	l := &lower{compiler: c, f: f, inst: newInstance(), flow: newFlow(), stable: map[int]bool{}, scope: newScope(nil), ret: &returns{}}
	l.out = &f.code
	return l
}

// buildAlloc takes scratch; the host may give more.
func (c *compiler) buildAlloc(f *function) {
	l := c.bodyOf(f, []valueType{i32}, []valueType{i32})
	size := unary(opI64ExtI32U, localGet(0, i32))
	startLocal, endLocal := l.newLocal(i32), l.newLocal(i64)
	start, end := localGet(startLocal, i32), localGet(endLocal, i64)
	take := func() {
		l.emit(setLocal(startLocal, globalGet(globalScratch)))
		l.emit(setLocal(endLocal, binary2(opI64And, binary2(opI64Add, binary2(opI64Add, unary(opI64ExtI32U, start), size), constI64(7)), constI64(-8))))
	}
	take()
	beyond := binary2(opI64GtU, end, unary(opI64ExtI32U, globalGet(globalLimit)))
	l.emit(&statement{kind: stmtIf, value: beyond, cold: true, body: l.into(func() {
		ok := l.newLocal(i32)
		l.emit(&statement{kind: stmtCall, callee: c.hostImport("grow", []valueType{i32}, []valueType{i32}), values: []*tree{localGet(0, i32)}, sets: []int{ok}})
		l.emit(&statement{kind: stmtIf, value: unary(opI32Eqz, localGet(ok, i32)), body: c.leave(ExitScratch)})
		take()
	})})
	l.emit(setGlobal(globalScratch, unary(opI32WrapI64, end)))
	l.emit(&statement{kind: stmtReturn, values: []*tree{start}})
}

// buildEqual compares two strings, eight bytes at a time and then one by one.
// Each string has one form only, so different forms are different strings.
func (c *compiler) buildEqual(f *function) {
	l := c.bodyOf(f, []valueType{i32, i32, i32, i32}, []valueType{i32})
	no := &statement{kind: stmtReturn, values: []*tree{constI32(0)}}
	n := localGet(1, i32)
	l.emit(&statement{kind: stmtIf, value: binary2(opI32Ne, n, localGet(3, i32)), body: []*statement{no}})
	// UTF-16: twice as many bytes, and the flag falls out.
	l.emit(&statement{kind: stmtIf, value: binary2(opI32LtS, n, constI32(0)), body: []*statement{setLocal(1, binary2(opI32Shl, n, constI32(1)))}})
	i := l.newLocal(i32)
	at := localGet(i, i32)
	step := func(width int32, op opcode) {
		head, end := &label{used: true}, &label{used: true}
		l.emit(&statement{kind: stmtBlock, label: end, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GtU, binary2(opI32Add, at, constI32(width)), n), label: end})
			x := load(op, binary2(opI32Add, localGet(0, i32), at), 0)
			y := load(op, binary2(opI32Add, localGet(2, i32), at), 0)
			l.emit(&statement{kind: stmtIf, value: binary2(opI64Ne, x, y), body: []*statement{no}})
			l.emit(setLocal(i, binary2(opI32Add, at, constI32(width))))
			l.emit(&statement{kind: stmtBr, label: head})
		})}}})
	}
	step(8, opI64Load)
	step(1, opI64Load8U)
	l.emit(&statement{kind: stmtReturn, values: []*tree{constI32(1)}})
}

// buildASCII looks at eight bytes at a time, then at one.
func (c *compiler) buildASCII(f *function) {
	l := c.bodyOf(f, []valueType{i32, i32}, []valueType{i32})
	i, n := l.newLocal(i32), localGet(1, i32)
	at := localGet(i, i32)
	step := func(width int32, op opcode, high int64) {
		head, end := &label{used: true}, &label{used: true}
		l.emit(&statement{kind: stmtBlock, label: end, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GtU, binary2(opI32Add, at, constI32(width)), n), label: end})
			x := binary2(opI64And, load(op, binary2(opI32Add, localGet(0, i32), at), 0), constI64(high))
			l.emit(&statement{kind: stmtIf, value: binary2(opI64Ne, x, constI64(0)), body: []*statement{{kind: stmtReturn, values: []*tree{constI32(0)}}}})
			l.emit(setLocal(i, binary2(opI32Add, at, constI32(width))))
			l.emit(&statement{kind: stmtBr, label: head})
		})}}})
	}
	step(8, opI64Load, -0x7f7f7f7f7f7f7f80)
	step(1, opI64Load8U, 0x80)
	l.emit(&statement{kind: stmtReturn, values: []*tree{constI32(1)}})
}

// buildOrder compares ASCII text, whose bytes are its code units.
func (c *compiler) buildOrder(f *function) {
	l := c.bodyOf(f, []valueType{i32, i32, i32, i32}, []valueType{i32})
	n, m := localGet(1, i32), localGet(3, i32)
	i := l.newLocal(i32)
	at := localGet(i, i32)
	result := func(n int32) *statement {
		return &statement{kind: stmtReturn, values: []*tree{constI32(n)}}
	}
	head := &label{used: true}
	l.emit(&statement{kind: stmtLoop, label: head, body: l.into(func() {
		l.emit(&statement{kind: stmtIf, value: binary2(opI32GeU, at, n), body: []*statement{
			{kind: stmtReturn, values: []*tree{binary2(opI32Sub, constI32(0), binary2(opI32LtU, n, m))}}}})
		l.emit(&statement{kind: stmtIf, value: binary2(opI32GeU, at, m), body: []*statement{result(1)}})
		x := l.temp(load(opI32Load8U, binary2(opI32Add, localGet(0, i32), at), 0))
		y := l.temp(load(opI32Load8U, binary2(opI32Add, localGet(2, i32), at), 0))
		l.emit(&statement{kind: stmtIf, value: binary2(opI32LtU, x, y), body: []*statement{result(-1)}})
		l.emit(&statement{kind: stmtIf, value: binary2(opI32GtU, x, y), body: []*statement{result(1)}})
		l.emit(setLocal(i, binary2(opI32Add, at, constI32(1))))
		l.emit(&statement{kind: stmtBr, label: head})
	})})
}
