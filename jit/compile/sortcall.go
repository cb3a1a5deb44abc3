package compile

import "github.com/dop251/goja/ast"

// sortWith is sort with a function of the library. The host runs the algorithm
// of tier 0, which decides how often the function is called and with what: it
// asks for one comparison at a time and moves the elements.
func (l *lower) sortWith(e *ast.CallExpression, v value) value {
	at := e.Idx0()
	isList := v.t.only(kArray)
	width := constI32(slotBytes)
	if !isList {
		l.writable(v, e.Callee.Idx0())
		width = constI32(int32(1) << elementShifts[v.t.elem])
	}
	if isList && v.t.cell().elem.has(kUndefined) {
		l.refuse(at, "sort of an array whose elements may be undefined", "filter them out first")
	}
	call := l.callback(e.ArgumentList[0], e)
	if l.mayChangeLists(e.ArgumentList[0]) && isList && !l.isPlainCall(e.ArgumentList[0]) {
		l.refuse(at, "sort with a function that changes arrays", "compare without changing anything")
	}
	s := l.sequenceOf(v, false, at)
	l.burnSort(s.length)
	data := v.n
	if isList {
		data = l.temp(load(opI32Load, v.n, listData))
	}
	handle := l.newLocal(i32)
	l.stable[handle] = true
	l.emit(&statement{kind: stmtCall, callee: l.hostImport("sortBegin", []valueType{i32, i32, i32}, []valueType{i32}),
		values: []*tree{data, s.length, width}, sets: []int{handle}})
	answer, pair := l.newLocal(i32), l.newLocal(i64)
	l.emit(setLocal(answer, constI32(0)))
	j := &jump{end: &label{used: true}, ret: l.ret}
	head := &label{used: true}
	l.wrap(j.end, func() {
		back := l.loopHead(e)
		code := l.into(func() {
			l.emit(&statement{kind: stmtCall, callee: l.hostImport("sortStep", []valueType{i32, i32}, []valueType{i64}),
				values: []*tree{localGet(handle, i32), localGet(answer, i32)}, sets: []int{pair}})
			asked := localGet(pair, i64)
			j.endFlow = merge(j.endFlow, l.flow.clone())
			l.emit(&statement{kind: stmtBrIf, value: binary2(opI64LtS, asked, constI64(0)), label: j.end})
			x := s.at(l.temp(unary(opI32WrapI64, binary2(opI64ShrU, asked, constI64(32)))))
			y := s.at(l.temp(unary(opI32WrapI64, asked)))
			if x.isNever() || y.isNever() {
				l.flow = nil
			} else if r := call([]value{l.keep(x), l.keep(y)}); l.flow != nil {
				r = l.number(l.simple(r), at)
				less := binary2(opI64LtS, r.n, constI64(0))
				if !r.t.only(kInt) { // −0 counts as less there
					less = binary2(opI64LtS, unary(opI64ReintF64, r.n), constI64(0))
				}
				l.emit(setLocal(answer, less))
				l.emit(&statement{kind: stmtBr, label: head})
			}
			back()
		})
		*l.out = append(*l.out, &statement{kind: stmtLoop, label: head, body: code})
		l.flow = nil
	})
	l.flow = merge(l.flow, j.endFlow)
	return v
}

// isPlainCall says that a comparison is a function of the library by its name.
func (l *lower) isPlainCall(e ast.Expression) bool {
	_, ok := e.(*ast.Identifier)
	return ok
}
