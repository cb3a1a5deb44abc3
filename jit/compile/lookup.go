package compile

import "shredder/store/layout"

// hashTree is the table's hash of an integer key.
func (l *lower) hashTree(key *tree) *tree {
	return l.mixTree(binary2(opI64Xor, key, globalGet(globalSeed)))
}

// mixTree is splitmix64's finaliser (store/index.go).
func (l *lower) mixTree(x *tree) *tree {
	mul1, mul2 := uint64(layout.HashMul1), uint64(layout.HashMul2)
	x = l.temp(x)
	x = l.temp(binary2(opI64Mul, binary2(opI64Xor, x, binary2(opI64ShrU, x, constI64(30))), constI64(int64(mul1))))
	x = l.temp(binary2(opI64Mul, binary2(opI64Xor, x, binary2(opI64ShrU, x, constI64(27))), constI64(int64(mul2))))
	return l.temp(binary2(opI64Xor, x, binary2(opI64ShrU, x, constI64(31))))
}

// tagTree is a hash's tag in each lane of 64 bits.
func (l *lower) tagTree(h *tree) *tree {
	tag := binary2(opI64Or, binary2(opI64ShrU, h, constI64(layout.TagShift)), constI64(layout.TagBit))
	return l.temp(binary2(opI64Mul, tag, constI64(0x0001000100010001)))
}

// bucketTree is the address of a hash's first bucket: linear hashing's one
// formula (store/index.go).
func (l *lower) bucketTree(h *tree) *tree {
	mask := l.temp(globalGet(globalMask))
	i := l.temp(binary2(opI64And, h, mask))
	// Below split one more bit of the hash counts: added by a mask, for wazero
	// computes the condition of a select twice.
	below := binary2(opI64ShrS, binary2(opI64Sub, i, globalGet(globalSplit)), constI64(63))
	bit := binary2(opI64And, binary2(opI64Add, mask, constI64(1)), h)
	i = binary2(opI64Add, i, binary2(opI64And, bit, below))
	offset := binary2(opI32Shl, unary(opI32WrapI64, i), constI32(bucketShift))
	return l.temp(binary2(opI32Add, offset, globalGet(globalIndex)))
}

const bucketShift = 6

var _ = [1]struct{}{}[layout.BucketSize-1<<bucketShift] // the shift must match the layout

// emitLookup finds an integer key inline: bucket, tags, entry. What is not the
// first entry with the tag goes to a helper, and all of it to the host when the
// overlay holds writes. p and n get address and size, 0 if the key is missing.
func (l *lower) emitLookup(key *tree, p, n int) {
	done, slow := &label{used: true}, &label{used: true}
	inner := l.into(func() {
		l.emit(&statement{kind: stmtBrIf, value: globalGet(globalDirty), label: slow})
		h := l.hashTree(key)
		bucket := l.bucketTree(h)
		tag := l.tagTree(h)
		m := l.temp(&tree{op: opTagMask, t: i32, args: []*tree{bucket, tag}, imm: layout.OffTags})
		missing := l.into(func() {
			l.emit(&statement{kind: stmtBrIf, value: load(opI32Load, bucket, layout.OffOverflow), label: slow})
			l.emit(&statement{kind: stmtBr, label: done})
		})
		l.emit(&statement{kind: stmtIf, value: unary(opI32Eqz, m), body: missing})
		slot := binary2(opI32Add, bucket, binary2(opI32Shl, unary(opI32Ctz, m), constI32(2)))
		entry := l.temp(load(opI32Load, slot, layout.OffRefs))
		// The highest offset first: the bounds check of the others merges with it.
		k := l.temp(load(opI64Load, entry, layout.OffEntryKey))
		w := l.temp(load(opI64Load, entry, layout.OffEntryValueLen)) // value length, key length, flags
		notInt := binary2(opI64Xor, binary2(opI64ShrU, w, constI64(32)), constI64(layout.FlagIntKey<<16))
		other := binary2(opI64Or, binary2(opI64Xor, k, key), notInt)
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI64Ne, other, constI64(0)), label: slow})
		l.emit(&statement{kind: stmtBrIf, value: expired(entry), label: done})
		l.emit(setLocal(p, binary2(opI32Add, entry, constI32(layout.OffEntryKey+8))))
		l.emit(setLocal(n, unary(opI32WrapI64, w)))
		l.emit(&statement{kind: stmtBr, label: done})
	})
	l.emit(setLocal(p, constI32(0)))
	l.emit(setLocal(n, constI32(0)))
	l.emit(&statement{kind: stmtBlock, label: done, body: []*statement{
		{kind: stmtBlock, label: slow, body: inner},
		{kind: stmtCall, callee: l.helper(helperLookup), values: []*tree{key}, sets: []int{p, n}},
	}})
}

// expired says that an entry is gone by now: its expiry is neither 0 nor later.
func expired(entry *tree) *tree {
	return binary2(opI64LtU, binary2(opI64Sub, load(opI64Load, entry, layout.OffEntryExpire), constI64(1)), globalGet(globalNow))
}

// buildLookup finds an integer key wherever it is.
func (c *compiler) buildLookup(f *function) {
	l := c.bodyOf(f, []valueType{i64}, []valueType{i32, i32})
	key := localGet(0, i64)
	l.stable[0] = true
	l.emit(&statement{kind: stmtIf, value: globalGet(globalDirty), body: l.into(func() {
		x := l.hostCall("lookupInt", i64, key)
		l.emit(&statement{kind: stmtIf, value: binary2(opI64Eq, x, constI64(-1)), body: c.leave(ExitStopped)})
		l.emit(&statement{kind: stmtReturn, values: []*tree{unary(opI32WrapI64, binary2(opI64ShrU, x, constI64(32))), unary(opI32WrapI64, x)}})
	})})
	missing := []*tree{constI32(0), constI32(0)}
	l.walkChain(l.hashTree(key), missing, func(entry *tree, next *label) {
		k := l.temp(load(opI64Load, entry, layout.OffEntryKey))
		w := l.temp(load(opI64Load, entry, layout.OffEntryValueLen))
		isInt := binary2(opI64And, w, constI64(layout.FlagIntKey<<48))
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI64Ne, k, key), label: next})
		l.emit(&statement{kind: stmtBrIf, value: unary(opI64Eqz, isInt), label: next})
		l.emit(&statement{kind: stmtIf, value: expired(entry), body: []*statement{{kind: stmtReturn, values: missing}}})
		l.emit(&statement{kind: stmtReturn, values: []*tree{binary2(opI32Add, entry, constI32(layout.OffEntryKey+8)), unary(opI32WrapI64, w)}})
	})
}

// walkChain walks the buckets of a hash as store/index.go does: match is given each
// entry with the tag, and goes to next for another. It ends the function.
func (l *lower) walkChain(h *tree, missing []*tree, match func(entry *tree, next *label)) {
	tag := l.tagTree(h)
	bucketLocal, maskLocal, turns := l.newLocal(i32), l.newLocal(i32), l.newLocal(i32)
	bucket, m := localGet(bucketLocal, i32), localGet(maskLocal, i32)
	l.emit(setLocal(bucketLocal, l.bucketTree(h)))
	l.emit(setLocal(turns, constI32(layout.MaxChain)))
	chain, slots, none := &label{used: true}, &label{used: true}, &label{used: true}
	eachSlot := l.into(func() {
		l.emit(&statement{kind: stmtBrIf, value: unary(opI32Eqz, m), label: none})
		slot := binary2(opI32Add, bucket, binary2(opI32Shl, unary(opI32Ctz, m), constI32(2)))
		entry := l.temp(load(opI32Load, slot, layout.OffRefs))
		l.emit(setLocal(maskLocal, binary2(opI32And, m, binary2(opI32Sub, m, constI32(1)))))
		match(entry, slots)
	})
	l.emit(&statement{kind: stmtLoop, label: chain, body: l.into(func() {
		l.emit(setLocal(maskLocal, &tree{op: opTagMask, t: i32, args: []*tree{bucket, tag}, imm: layout.OffTags}))
		l.emit(&statement{kind: stmtBlock, label: none, body: []*statement{{kind: stmtLoop, label: slots, body: eachSlot}}})
		l.emit(setLocal(bucketLocal, load(opI32Load, bucket, layout.OffOverflow)))
		l.emit(&statement{kind: stmtIf, value: unary(opI32Eqz, bucket), body: []*statement{{kind: stmtReturn, values: missing}}})
		left := localGet(turns, i32)
		l.emit(setLocal(turns, binary2(opI32Sub, left, constI32(1))))
		l.emit(&statement{kind: stmtBrIf, value: left, label: chain})
	})})
	for _, s := range l.leave(ExitCorrupt) {
		l.emit(s)
	}
}

const (
	longestKey     = 1024 // store.MaxKeyLen
	longestInteger = 16   // decimal digits of an integer key
)

// buildLookupBytes finds a key of ASCII text or bytes. The host's are text that
// is not ASCII, a key that is too long, one that may be an integer's digits, and
// all keys when the overlay holds writes.
func (c *compiler) buildLookupBytes(f *function) {
	l := c.bodyOf(f, []valueType{i32, i32}, []valueType{i64})
	l.stable[0], l.stable[1] = true, true
	key, size := localGet(0, i32), localGet(1, i32)
	isLong := binary2(opI32GeU, binary2(opI32Sub, size, constI32(1)), constI32(longestKey))
	byHost := func() {
		l.emit(&statement{kind: stmtReturn, values: []*tree{l.hostCall("lookupBytes", i64, key, size)}})
	}
	l.emit(&statement{kind: stmtIf, value: binary2(opI32Or, isLong, globalGet(globalDirty)), body: l.into(byHost)})
	isDigit := func(at *tree) *tree {
		return binary2(opI32LtU, binary2(opI32Sub, load(opI32Load8U, at, 0), constI32('0')), constI32(10))
	}
	ends := binary2(opI32And, isDigit(key), isDigit(binary2(opI32Sub, binary2(opI32Add, key, size), constI32(1))))
	l.emit(&statement{kind: stmtIf, value: binary2(opI32And, binary2(opI32LeU, size, constI32(longestInteger)), ends), body: l.into(byHost)})
	wide := l.temp(unary(opI64ExtI32U, size))
	whole := l.temp(binary2(opI32And, size, constI32(-8)))
	mul1, mul2 := uint64(layout.HashMul1), uint64(layout.HashMul2)
	hash, at, rest := l.newLocal(i64), l.newLocal(i32), l.newLocal(i64)
	l.emit(setLocal(hash, binary2(opI64Xor, globalGet(globalSeed), binary2(opI64Mul, wide, constI64(int64(mul1))))))
	l.words(at, whole, func(i *tree) {
		l.emit(setLocal(hash, l.mixTree(binary2(opI64Xor, localGet(hash, i64), load(opI64Load, binary2(opI32Add, key, i), 0)))))
	})
	l.lastWord(rest, key, size, whole)
	last := localGet(rest, i64)
	h := l.mixTree(binary2(opI64Add, binary2(opI64Xor, localGet(hash, i64), last), constI64(int64(mul2))))
	missing := []*tree{constI64(0)}
	l.walkChain(h, missing, func(entry *tree, next *label) {
		w := l.temp(load(opI64Load, entry, layout.OffEntryValueLen))
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI64Ne, binary2(opI64ShrU, w, constI64(32)), wide), label: next}) // length, no flags
		l.words(at, whole, func(i *tree) {
			x := load(opI64Load, binary2(opI32Add, entry, i), layout.OffEntryKey)
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI64Ne, x, load(opI64Load, binary2(opI32Add, key, i), 0)), label: next})
		})
		end := l.temp(binary2(opI32Add, entry, whole))
		l.emit(&statement{kind: stmtIf, value: binary2(opI32Ne, whole, size), body: l.into(func() {
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI64Ne, last, load(opI64Load, end, layout.OffEntryKey)), label: next})
		})})
		l.emit(&statement{kind: stmtIf, value: expired(entry), body: []*statement{{kind: stmtReturn, values: missing}}})
		room := binary2(opI32And, binary2(opI32Add, size, constI32(7)), constI32(-8))
		value := binary2(opI32Add, binary2(opI32Add, entry, room), constI32(layout.OffEntryKey))
		n := binary2(opI64And, w, constI64(1<<32-1))
		l.emit(&statement{kind: stmtReturn, values: []*tree{binary2(opI64Or, binary2(opI64Shl, unary(opI64ExtI32U, value), constI64(32)), n)}})
	})
}

// words runs body for each offset 0, 8 … below end, a multiple of 8.
func (l *lower) words(at int, end *tree, body func(i *tree)) {
	i := localGet(at, i32)
	head, done := &label{used: true}, &label{used: true}
	l.emit(setLocal(at, constI32(0)))
	l.emit(&statement{kind: stmtBlock, label: done, body: []*statement{{kind: stmtLoop, label: head, body: l.into(func() {
		l.emit(&statement{kind: stmtBrIf, value: binary2(opI32GeU, i, end), label: done})
		body(i)
		l.emit(setLocal(at, binary2(opI32Add, i, constI32(8))))
		l.emit(&statement{kind: stmtBr, label: head})
	})}}})
}

// lastWord sets rest to the bytes of a key behind its whole words, zero-padded.
// A long key's last eight bytes hold them; a short one may end where memory does.
func (l *lower) lastWord(rest int, key, size, whole *tree) {
	odd := l.temp(binary2(opI32And, size, constI32(7)))
	l.emit(setLocal(rest, constI64(0)))
	long := l.into(func() {
		tail := load(opI64Load, binary2(opI32Sub, binary2(opI32Add, key, size), constI32(8)), 0)
		bits := binary2(opI32Shl, binary2(opI32Sub, constI32(8), odd), constI32(3))
		l.emit(setLocal(rest, binary2(opI64ShrU, tail, unary(opI64ExtI32U, bits))))
	})
	at := l.newLocal(i32)
	i := localGet(at, i32)
	head := &label{used: true}
	short := l.into(func() {
		l.emit(setLocal(at, size))
		l.emit(&statement{kind: stmtLoop, label: head, body: l.into(func() {
			l.emit(setLocal(at, binary2(opI32Sub, i, constI32(1))))
			next := load(opI64Load8U, binary2(opI32Add, key, i), 0)
			l.emit(setLocal(rest, binary2(opI64Or, binary2(opI64Shl, localGet(rest, i64), constI64(8)), next)))
			l.emit(&statement{kind: stmtBrIf, value: i, label: head})
		})})
	})
	l.emit(&statement{kind: stmtIf, value: odd, body: []*statement{{kind: stmtIf, value: whole, body: long, other: short}}})
}
